//! Votes for one slot into a certificate, once.
//!
//! A second identical vote changes nothing; a second different one is not counted, does not displace the first, and the pair is
//! evidence. Votes are admitted by shape where checking them singly is costly: when they do not combine, the scheme names the
//! liars, whose votes are out, here and from then on in every [`Poll`] of the replica.

use quorate_crypto::{CryptoError, Scheme, Statement};
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
pub(crate) struct Poll<T: Statement, S: Scheme> {
    votes: BTreeMap<ReplicaId, (T, S::Signature)>,
    is_certified: bool,
}

/// Members caught with signatures that do not verify, until the process ends.
pub(crate) type Excluded = BTreeSet<ReplicaId>;

impl<T: Statement, S: Scheme> Default for Poll<T, S> {
    fn default() -> Self {
        Self { votes: BTreeMap::new(), is_certified: false }
    }
}

impl<T: Statement, S: Scheme> Poll<T, S> {
    /// Counts an admitted vote. Liars that this uncovers are added to `excluded`.
    pub(crate) fn add(
        &mut self,
        voter: ReplicaId,
        statement: T,
        signature: S::Signature,
        scheme: &S,
        excluded: &mut Excluded,
    ) -> Polled<(T, S::Signature), S::Proof> {
        if excluded.contains(&voter) {
            return Polled::Excluded;
        }
        if let Some(earlier) = self.votes.get(&voter) {
            return if earlier.0 == statement { Polled::Duplicate } else { Polled::Equivocation(earlier.clone()) };
        }
        self.votes.insert(voter, (statement.clone(), signature));
        self.certify(&statement, scheme, excluded).map_or(Polled::Counted, Polled::Certified)
    }

    /// Combines the votes for `statement` if they are a quorum. Each failure excludes somebody, so this ends.
    fn certify(&mut self, statement: &T, scheme: &S, excluded: &mut Excluded) -> Option<S::Proof> {
        while !self.is_certified && self.count(statement) >= scheme.committee().quorum() {
            let matching = self.votes.iter().filter(|(_, (said, _))| said == statement);
            let signatures = matching.map(|(voter, (_, signature))| (*voter, signature.clone())).collect();
            match scheme.combine(statement, &signatures) {
                Ok(proof) => {
                    self.is_certified = true;
                    return Some(proof);
                }
                Err(CryptoError::BadSignatures(liars)) if liars.iter().any(|liar| self.votes.contains_key(liar)) => {
                    liars.iter().for_each(|liar| drop(self.votes.remove(liar)));
                    excluded.extend(liars);
                }
                Err(_) => return None,
            }
        }
        None
    }

    /// Distinct voters for `statement`.
    pub(crate) fn count(&self, statement: &T) -> usize {
        self.votes.values().filter(|(said, _)| said == statement).count()
    }
}
