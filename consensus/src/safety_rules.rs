//! The only owner of the signing key, and the only place that signs.
//!
//! Votes are promises (Castro & Liskov 1999 section 4; DiemBFT's SafetyRules). Every statement has a [`Slot`], a view and, where
//! several heights are in flight (PBFT), a height. The rules are:
//!
//! 1. for one slot, view and height at most one statement is ever signed, across crashes; within a slot, views only grow;
//! 2. signing the message that leaves views (timeout, view-change) closes them for every other slot. Checkpoints belong to no
//!    view and are exempt;
//! 3. nothing is signed at or below a height that is settled ([`SafetyRules::settle`]): promises there are forgotten;
//! 4. a replica that lost its journal has forgotten its promises and signs nothing until the others have provably moved
//!    on ([`SafetyRules::silence`]).
//!
//! Signing files the promise in the step that will carry the signature: the signature cannot leave before the promise is
//! durable ([`Step`]).

use crate::Step;
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_crypto::{Scheme, Statement};
use quorate_types::{Digest, Domain, Height, ReplicaId, View, encode};
use std::{collections::BTreeMap, fmt};

/// A kind of statement of which a replica makes at most one per view, or per view and height.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub enum Slot {
    /// HotStuff: a leader's block for the view.
    Proposal,
    /// HotStuff: a vote for a block.
    Vote,
    /// HotStuff: leaving the view without a certificate.
    Timeout,
    /// PBFT: a primary's block for a height of the view.
    PrePrepare,
    /// PBFT: the first vote for a block.
    Prepare,
    /// PBFT: the second.
    Commit,
    /// PBFT: leaving all views below one.
    ViewChange,
    /// PBFT: a primary's beginning of a view.
    NewView,
    /// A committed block, in no view.
    Checkpoint,
    /// Not signed: a replica that lost its journal speaks again above a view.
    Rejoined,
}

/// A statement that SafetyRules signs: it stands in a slot of a view.
pub trait Promised: Statement {
    /// Where it stands.
    const SLOT: Slot;
    /// In which view; of a statement that belongs to no view, [`View::GENESIS`].
    fn view(&self) -> View;
    /// At which height, where a slot takes one statement for each height of a view.
    fn height(&self) -> Option<Height> {
        None
    }
    /// Views below this one are left for good by saying it.
    fn closes_below(&self) -> Option<View> {
        None
    }
    /// The promise that its signature is.
    fn promise(&self) -> Promise {
        Promise {
            slot: Self::SLOT,
            view: self.view(),
            height: self.height(),
            statement: Digest::of_bytes(Domain::STATEMENT, &encode(&(Self::KIND, self))),
            closes_below: self.closes_below(),
        }
    }
}

/// The durable trace of a signature: having said `statement` in `slot` of `view` (and `height`), the replica says nothing
/// else there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Promise {
    /// Which kind.
    pub slot: Slot,
    /// In which view.
    pub view: View,
    /// At which height, for slots that have heights.
    pub height: Option<Height>,
    /// Digest of the statement.
    pub statement: Digest,
    /// Views below this one are closed by it.
    pub closes_below: Option<View>,
}

/// Why [`SafetyRules`] declined to sign. Part of normal operation, not an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// Something else was signed in this slot of this view and height.
    #[error("something else was signed in its place")]
    WouldEquivocate {
        /// Digest of the earlier statement.
        earlier: Digest,
    },
    /// A later view was spoken of in this slot.
    #[error("something was signed in {latest}")]
    ViewPassed {
        /// That view.
        latest: View,
    },
    /// The view was left for good.
    #[error("views below {open} were left for good")]
    ViewClosed {
        /// The first view that is open.
        open: View,
    },
    /// The height is settled, what was promised there is forgotten.
    #[error("heights up to {settled} are settled")]
    HeightSettled {
        /// The last settled height.
        settled: Height,
    },
    /// The journal is lost: silent until the others have moved on.
    #[error("the journal is lost, and nothing is signed until the others have moved on")]
    Silent,
}

/// Promises of one slot: of its latest view only, one for each height.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Said {
    view: View,
    statements: BTreeMap<Option<Height>, Promise>,
}

/// Holds the key and the promises.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SafetyRules<S: Scheme> {
    id: ReplicaId,
    scheme: S,
    secret: S::Secret,
    said: BTreeMap<Slot, Said>,
    /// All views below are left.
    open: View,
    /// Heights up to this one take no statement any more.
    settled: Height,
    silent: bool,
}

impl<S: Scheme> SafetyRules<S> {
    /// Rules that remember every promise made before the crash.
    pub fn recover(id: ReplicaId, scheme: S, secret: S::Secret, promises: impl IntoIterator<Item = Promise>) -> Self {
        let (said, open, settled) = (BTreeMap::new(), View::GENESIS, Height::GENESIS);
        let mut rules = Self { id, scheme, secret, said, open, settled, silent: false };
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

    /// The promises that still bind: what a restart needs.
    pub fn promises(&self) -> impl Iterator<Item = Promise> + '_ {
        self.said.values().flat_map(|said| said.statements.values()).copied()
    }

    /// The greatest view promised in a slot.
    pub fn latest(&self, slot: Slot) -> Option<View> {
        self.said.get(&slot).map(|said| said.view)
    }

    /// The first view that is not left for good.
    pub fn open(&self) -> View {
        self.open
    }

    /// Whether exactly this was signed before.
    pub fn has_said<T: Promised>(&self, statement: &T) -> bool {
        self.said_beside(&statement.promise()).is_some_and(|is_same| is_same)
    }

    /// Whether another statement than this one was signed in its slot.
    pub(crate) fn has_said_otherwise<T: Promised>(&self, statement: &T) -> bool {
        self.said_beside(&statement.promise()).is_some_and(|is_same| !is_same)
    }

    /// If something was signed in this slot, view and height: whether it was this.
    fn said_beside(&self, promise: &Promise) -> Option<bool> {
        let earlier = self.said.get(&promise.slot)?.statements.get(&promise.height)?;
        (earlier.view == promise.view).then_some(earlier.statement == promise.statement)
    }

    /// Heights up to `height` are final for everybody: nothing more is signed there, and what was is forgotten.
    pub fn settle(&mut self, height: Height) {
        self.settled = self.settled.max(height);
        for said in self.said.values_mut() {
            said.statements.retain(|at, _| at.is_none_or(|at| at > height));
        }
    }

    /// Views below `view` are left for good by what the caller files in the same step (a certificate of entry).
    pub fn leave_below(&mut self, view: View) {
        self.open = self.open.max(view);
    }

    /// Signs nothing from now on: the journal that held the promises is lost.
    pub fn silence(&mut self) {
        self.silent = true;
    }

    /// Speaks again, in views above `view` only.
    pub fn speak_above<M, R: From<Promise>>(&mut self, view: View, step: &mut Step<M, R>) {
        self.silent = false;
        let closes_below = Some(view.next());
        let promise = Promise { slot: Slot::Rejoined, view, height: None, statement: Digest::ZERO, closes_below };
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
        let promise = statement.promise();
        self.may_promise(promise)?;
        self.keep(promise);
        step.record(promise);
        Ok(())
    }

    fn may_promise(&self, promise: Promise) -> Result<(), Refusal> {
        if self.silent {
            return Err(Refusal::Silent);
        }
        if promise.height.is_some_and(|height| height <= self.settled) {
            return Err(Refusal::HeightSettled { settled: self.settled });
        }
        if let Some(said) = self.said.get(&promise.slot) {
            if said.view > promise.view {
                return Err(Refusal::ViewPassed { latest: said.view });
            }
            let earlier = said.statements.get(&promise.height).filter(|earlier| earlier.view == promise.view);
            match earlier {
                Some(earlier) if earlier.statement != promise.statement => {
                    return Err(Refusal::WouldEquivocate { earlier: earlier.statement });
                }
                // What leaves views may be said again after it has left them.
                Some(_) if promise.closes_below.is_some() => return Ok(()),
                _ => {}
            }
        }
        let reach = promise.closes_below.unwrap_or(promise.view.next());
        if promise.slot != Slot::Checkpoint && reach <= self.open {
            return Err(Refusal::ViewClosed { open: self.open });
        }
        Ok(())
    }

    fn keep(&mut self, promise: Promise) {
        self.open = self.open.max(promise.closes_below.unwrap_or(View::GENESIS));
        if promise.height.is_some_and(|height| height <= self.settled) {
            return;
        }
        let said = self.said.entry(promise.slot).or_default();
        if promise.view > said.view {
            *said = Said { view: promise.view, statements: BTreeMap::new() };
        }
        if promise.view == said.view {
            said.statements.entry(promise.height).or_insert(promise);
        }
    }
}

impl<S: Scheme> fmt::Debug for SafetyRules<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SafetyRules").field("id", &self.id).field("said", &self.said).finish_non_exhaustive()
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
        fn closes_below(&self) -> Option<View> {
            (Self::SLOT == Slot::Timeout).then(|| self.0.next())
        }
    }

    #[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
    struct Prepares(View, Height, u64);

    impl Statement for Prepares {
        const KIND: &'static str = "test/prepares";
    }

    impl Promised for Prepares {
        const SLOT: Slot = Slot::Prepare;
        fn view(&self) -> View {
            self.0
        }
        fn height(&self) -> Option<Height> {
            Some(self.1)
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
        assert_eq!(sign(&mut rules, Says::<1>(View(3), 7)), Err(Refusal::ViewClosed { open: View(4) }));
        assert_eq!(sign(&mut rules, Says::<0>(View(2), 7)), Err(Refusal::ViewClosed { open: View(4) }));
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

    #[test]
    fn every_height_of_a_view_takes_one_statement_until_it_is_settled() {
        let mut rules = rules([]);
        assert_eq!(sign(&mut rules, Prepares(View(3), Height(7), 1)), Ok(()));
        assert_eq!(sign(&mut rules, Prepares(View(3), Height(5), 1)), Ok(()), "heights come in any order");
        assert!(matches!(sign(&mut rules, Prepares(View(3), Height(7), 2)), Err(Refusal::WouldEquivocate { .. })));
        rules.settle(Height(6));
        let settled = Err(Refusal::HeightSettled { settled: Height(6) });
        assert_eq!(sign(&mut rules, Prepares(View(3), Height(5), 1)), settled);
        assert_eq!(rules.promises().count(), 1, "settled promises are forgotten");
        assert_eq!(sign(&mut rules, Prepares(View(4), Height(7), 2)), Ok(()), "a later view is another slot");
        assert!(matches!(sign(&mut rules, Prepares(View(3), Height(8), 2)), Err(Refusal::ViewPassed { .. })));
    }
}
