//! The only owner of the signing key, and the only place that signs.
//!
//! Votes are promises (Castro & Liskov 1999 section 4; DiemBFT's SafetyRules). Every statement has a [`Slot`]; the rules are:
//!
//! 1. for one slot and view at most one statement is ever signed, across crashes; within a slot, views only grow;
//! 2. signing the message that leaves a view (a timeout) closes that view and all below it for every other slot;
//! 3. a replica that lost its journal has forgotten its promises and signs nothing until the others have provably moved
//!    on ([`SafetyRules::silence`]).
//!
//! Signing files the promise in the step that will carry the signature: the signature cannot leave before the promise is
//! durable ([`Step`]).

use crate::Step;
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_crypto::{Scheme, Statement};
use quorate_types::{Digest, Domain, ReplicaId, View, encode};
use std::{collections::BTreeMap, fmt};

/// A kind of statement of which a replica makes at most one per view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub enum Slot {
    /// A leader's block for the view.
    Proposal,
    /// A vote for a block.
    Vote,
    /// Leaving the view without a certificate.
    Timeout,
}

/// A statement that SafetyRules signs: it stands in a slot of a view.
pub trait Promised: Statement {
    /// Where it stands.
    const SLOT: Slot;
    /// In which view.
    fn view(&self) -> View;
}

/// The durable trace of a signature: having said `statement` in `slot` of `view`, the replica says nothing else there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Promise {
    /// Which kind.
    pub slot: Slot,
    /// In which view.
    pub view: View,
    /// Digest of the statement.
    pub statement: Digest,
}

/// Why [`SafetyRules`] declined to sign. Part of normal operation, not an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// Something else was signed in this slot of this view.
    WouldEquivocate {
        /// Digest of the earlier statement.
        earlier: Digest,
    },
    /// A later view was spoken of in this slot.
    ViewPassed {
        /// That view.
        latest: View,
    },
    /// The view was left for good.
    ViewClosed {
        /// The last view left.
        closed: View,
    },
    /// The journal is lost: silent until the others have moved on.
    Silent,
}

/// Holds the key and the promises.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SafetyRules<S: Scheme> {
    id: ReplicaId,
    scheme: S,
    secret: S::Secret,
    latest: BTreeMap<Slot, Promise>,
    silent: bool,
}

impl<S: Scheme> SafetyRules<S> {
    /// Rules that remember every promise made before the crash.
    pub fn recover(id: ReplicaId, scheme: S, secret: S::Secret, promises: impl IntoIterator<Item = Promise>) -> Self {
        let mut rules = Self { id, scheme, secret, latest: BTreeMap::new(), silent: false };
        rules.restore(promises);
        rules
    }

    /// Remembers promises that the journal kept.
    pub(crate) fn restore(&mut self, promises: impl IntoIterator<Item = Promise>) {
        promises.into_iter().for_each(|promise| self.keep(promise));
    }

    /// Whose rules these are.
    pub fn id(&self) -> ReplicaId {
        self.id
    }

    /// The scheme it signs under.
    pub fn scheme(&self) -> &S {
        &self.scheme
    }

    /// The last promise of each slot: what a restart needs.
    pub fn promises(&self) -> impl Iterator<Item = Promise> + '_ {
        self.latest.values().copied()
    }

    /// The greatest view promised in a slot.
    pub fn latest(&self, slot: Slot) -> Option<View> {
        self.latest.get(&slot).map(|promise| promise.view)
    }

    /// Signs nothing from now on: the journal that held the promises is lost.
    pub fn silence(&mut self) {
        self.silent = true;
    }

    /// Speaks again, in views above `view` only.
    pub fn speak_above<M, R: From<Promise>>(&mut self, view: View, step: &mut Step<M, R>) {
        self.silent = false;
        let promise = Promise { slot: Slot::Timeout, view, statement: Digest::ZERO };
        self.keep(promise);
        step.record(promise);
    }

    /// Whether it signs nothing.
    pub fn is_silent(&self) -> bool {
        self.silent
    }

    /// Signs a statement that a quorum repeats. Asking again for the same statement gives the same signature.
    pub fn sign<T: Promised, M, R: From<Promise>>(
        &mut self,
        statement: &T,
        step: &mut Step<M, R>,
    ) -> Result<S::Signature, Refusal> {
        self.promise(statement, step)?;
        Ok(self.scheme.sign(&self.secret, statement))
    }

    /// Signs a statement that stands alone.
    pub fn attest<T: Promised, M, R: From<Promise>>(
        &mut self,
        statement: &T,
        step: &mut Step<M, R>,
    ) -> Result<S::Attestation, Refusal> {
        self.promise(statement, step)?;
        Ok(self.scheme.attest(&self.secret, statement))
    }

    fn promise<T: Promised, M, R: From<Promise>>(
        &mut self,
        statement: &T,
        step: &mut Step<M, R>,
    ) -> Result<(), Refusal> {
        let statement_digest = Digest::of_bytes(Domain::STATEMENT, &encode(&(T::KIND, statement)));
        let promise = Promise { slot: T::SLOT, view: statement.view(), statement: statement_digest };
        self.may_promise(promise)?;
        self.keep(promise);
        step.record(promise);
        Ok(())
    }

    fn may_promise(&self, promise: Promise) -> Result<(), Refusal> {
        if self.silent {
            return Err(Refusal::Silent);
        }
        if promise.slot != Slot::Timeout
            && let Some(closed) = self.latest(Slot::Timeout)
            && closed >= promise.view
        {
            return Err(Refusal::ViewClosed { closed });
        }
        match self.latest.get(&promise.slot) {
            Some(earlier) if earlier.view > promise.view => Err(Refusal::ViewPassed { latest: earlier.view }),
            Some(earlier) if earlier.view == promise.view && earlier.statement != promise.statement => {
                Err(Refusal::WouldEquivocate { earlier: earlier.statement })
            }
            _ => Ok(()),
        }
    }

    fn keep(&mut self, promise: Promise) {
        let latest = self.latest.entry(promise.slot).or_insert(promise);
        if promise.view > latest.view {
            *latest = promise;
        }
    }
}

impl<S: Scheme> fmt::Debug for SafetyRules<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SafetyRules").field("id", &self.id).field("latest", &self.latest).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_crypto::{Symbolic, conformance};

    #[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
    struct Says<const SLOT: u8>(View, u64);

    impl<const SLOT: u8> Statement for Says<SLOT> {
        const KIND: &'static str = "test/says";
    }

    impl<const SLOT: u8> Promised for Says<SLOT> {
        const SLOT: Slot = [Slot::Proposal, Slot::Vote, Slot::Timeout][SLOT as usize];
        fn view(&self) -> View {
            self.0
        }
    }

    type Vote = Says<1>;
    type Timeout = Says<2>;
    type Stepped = Step<(), Promise>;

    fn rules(promises: impl IntoIterator<Item = Promise>) -> SafetyRules<Symbolic> {
        let scheme = Symbolic::new(conformance::committee(4), 0);
        let secret = scheme.secret(ReplicaId(1));
        SafetyRules::recover(ReplicaId(1), scheme, secret, promises)
    }

    struct Kept(Vec<Promise>);

    impl crate::Journal<Promise> for Kept {
        type Error = ();
        fn persist(&mut self, records: Vec<Promise>) -> Result<(), ()> {
            self.0.extend(records);
            Ok(())
        }
    }

    fn sign<T: Promised>(rules: &mut SafetyRules<Symbolic>, statement: T) -> Result<(), Refusal> {
        rules.sign(&statement, &mut Stepped::default()).map(|_| ())
    }

    #[test]
    fn a_second_statement_in_a_slot_is_refused_and_the_same_one_is_not() {
        let mut rules = rules([]);
        assert_eq!(sign(&mut rules, Says::<1>(View(3), 7)), Ok(()));
        assert_eq!(sign(&mut rules, Says::<1>(View(3), 7)), Ok(()));
        assert!(matches!(sign(&mut rules, Says::<1>(View(3), 8)), Err(Refusal::WouldEquivocate { .. })));
        assert_eq!(sign(&mut rules, Says::<0>(View(3), 8)), Ok(()), "another slot");
    }

    #[test]
    fn views_only_grow_within_a_slot() {
        let mut rules = rules([]);
        assert_eq!(sign(&mut rules, Says::<1>(View(3), 7)), Ok(()));
        assert_eq!(sign(&mut rules, Says::<1>(View(2), 7)), Err(Refusal::ViewPassed { latest: View(3) }));
    }

    #[test]
    fn a_timeout_closes_its_view_and_those_below() {
        let mut rules = rules([]);
        assert_eq!(sign(&mut rules, Says::<2>(View(3), 0)), Ok(()));
        assert_eq!(sign(&mut rules, Says::<1>(View(3), 7)), Err(Refusal::ViewClosed { closed: View(3) }));
        assert_eq!(sign(&mut rules, Says::<0>(View(2), 7)), Err(Refusal::ViewClosed { closed: View(3) }));
        assert_eq!(sign(&mut rules, Says::<1>(View(4), 7)), Ok(()));
    }

    #[test]
    fn promises_survive_a_crash() {
        let mut journal = Kept(vec![]);
        let mut step = Stepped::default();
        let vote: Vote = Says(View(3), 7);
        let timeout: Timeout = Says(View(2), 0);
        let mut before = rules([]);
        before.sign(&timeout, &mut step).expect("first");
        before.sign(&vote, &mut step).expect("above");
        step.release(&mut journal).expect("kept");

        let mut after = rules(journal.0);
        assert_eq!(after, before);
        assert!(matches!(sign(&mut after, Says::<1>(View(3), 8)), Err(Refusal::WouldEquivocate { .. })));
        assert!(matches!(sign(&mut after, Says::<0>(View(2), 8)), Err(Refusal::ViewClosed { .. })));
    }

    #[test]
    fn a_replica_that_lost_its_journal_is_silent_until_told() {
        let mut rules = rules([]);
        rules.silence();
        assert_eq!(sign(&mut rules, Says::<2>(View(9), 0)), Err(Refusal::Silent));
        rules.speak_above(View(12), &mut Stepped::default());
        assert!(matches!(sign(&mut rules, Says::<1>(View(12), 0)), Err(Refusal::ViewClosed { .. })));
        assert_eq!(sign(&mut rules, Says::<1>(View(13), 0)), Ok(()));
    }
}
