//! Votes for one slot into a certificate, once.
//!
//! A second identical vote changes nothing; a second different one is not counted, does not displace the first, and the pair is
//! evidence. Where checking votes singly is costly they are admitted when their author is certain: when they do not combine, the
//! scheme names the liars, whose votes are out, here and from then on in every [`Poll`] of the replica, and each bad vote is evidence.

use crate::{Action, Evidence, Promised, Step};
use quorate_crypto::{CryptoError, Scheme};
use quorate_types::ReplicaId;
use std::collections::{BTreeMap, BTreeSet};

/// What became of a vote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Polled<T, P> {
    Counted,
    Duplicate,
    /// Its voter was caught with a bad signature before.
    Excluded,
    /// Its voter said something else before.
    Equivocation(T),
    /// With it a quorum is complete. Given once.
    Certified(P),
}

/// The votes of one slot, by voter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Poll<T: Promised, S: Scheme> {
    votes: BTreeMap<ReplicaId, (T, S::Signature)>,
    is_certified: bool,
}

/// Members caught with signatures that do not verify, until the process ends, and what proves it until it is told: one piece each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Excluded {
    members: BTreeSet<ReplicaId>,
    untold: Vec<Evidence>,
}

impl Excluded {
    fn catch<T: Promised, S: Scheme>(&mut self, liar: ReplicaId, statement: T, signature: &S::Signature) {
        if self.members.insert(liar) {
            self.untold.push(Evidence::bad_signature::<T, S>(liar, statement, signature));
        }
    }

    /// Accuses whoever was caught since the last time.
    pub(crate) fn tell<M, R>(&mut self, step: &mut Step<M, R>) {
        self.untold.drain(..).for_each(|evidence| step.act(Action::Accuse(Box::new(evidence))));
    }
}

impl<T: Promised, S: Scheme> Default for Poll<T, S> {
    fn default() -> Self {
        Self { votes: BTreeMap::new(), is_certified: false }
    }
}

impl<T: Promised, S: Scheme> Poll<T, S> {
    /// Counts an admitted vote. Liars that this uncovers are added to `excluded`.
    pub(crate) fn add(
        &mut self,
        voter: ReplicaId,
        statement: T,
        signature: S::Signature,
        scheme: &S,
        excluded: &mut Excluded,
    ) -> Polled<(T, S::Signature), S::Proof> {
        if excluded.members.contains(&voter) {
            return Polled::Excluded;
        }
        if let Some(earlier) = self.votes.get(&voter) {
            return if earlier.0 == statement { Polled::Duplicate } else { Polled::Equivocation(earlier.clone()) };
        }
        self.votes.insert(voter, (statement.clone(), signature));
        self.certify(&statement, scheme, excluded).map_or(Polled::Counted, Polled::Certified)
    }

    /// Combines the votes for `statement` if they are a quorum. Each failure excludes somebody, so this ends. Whoever was caught
    /// after its vote came spoils nothing here either.
    fn certify(&mut self, statement: &T, scheme: &S, excluded: &mut Excluded) -> Option<S::Proof> {
        self.votes.retain(|voter, _| !excluded.members.contains(voter));
        while !self.is_certified && self.count(statement) >= scheme.committee().quorum() {
            let matching = self.votes.iter().filter(|(_, (said, _))| said == statement);
            let signatures = matching.map(|(voter, (_, signature))| (*voter, signature.clone())).collect();
            match scheme.combine(statement, &signatures) {
                Ok(proof) => {
                    self.is_certified = true;
                    return Some(proof);
                }
                Err(CryptoError::BadSignatures(liars)) if liars.iter().any(|liar| self.votes.contains_key(liar)) => {
                    for liar in liars {
                        if let Some((said, signature)) = self.votes.remove(&liar) {
                            excluded.catch::<T, S>(liar, said, &signature);
                        }
                    }
                }
                Err(_) => return None,
            }
        }
        None
    }

    /// Who said what.
    pub(crate) fn said(&self) -> impl Iterator<Item = (ReplicaId, &T)> {
        self.votes.iter().map(|(voter, (statement, _))| (*voter, statement))
    }

    /// Distinct voters for `statement`.
    pub(crate) fn count(&self, statement: &T) -> usize {
        self.votes.values().filter(|(said, _)| said == statement).count()
    }
}
