//! Who takes part, and the three thresholds that follow from how many they are.

use crate::keys::{IdentityKey, KeyError, VoteKey, checked};
use ed25519_dalek::VerifyingKey;
use quorate_types::{ChainId, Epoch, ReplicaId, limits};
use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

/// One replica's public keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Member {
    /// Authenticates its connections.
    pub identity: IdentityKey,
    /// Verifies what it says.
    pub vote: VoteKey,
}

/// The replicas of one epoch of one chain. Cheap to clone.
#[derive(Clone)]
pub struct Committee(Arc<Inner>);

struct Inner {
    chain: ChainId,
    epoch: Epoch,
    members: Vec<Member>,
    vote_keys: Vec<VerifyingKey>,
}

/// Why members do not make a committee.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitteeError {
    /// Nobody there, or more than the wire format can name.
    #[error("a committee of {size} replicas; it must have 1 to {max}", max = limits::REPLICAS)]
    Size {
        /// Members given.
        size: usize,
    },
    /// A key that no honest key generation makes.
    #[error("the {what} key of replica {index} is {source}")]
    Key {
        /// Which of its keys.
        what: &'static str,
        /// Whose.
        index: usize,
        /// What is wrong with it.
        source: KeyError,
    },
    /// One key in two places: one replica would vote twice.
    #[error("replicas {first} and {second} have the same {what} key")]
    Duplicate {
        /// Which key.
        what: &'static str,
        /// The earlier one.
        first: usize,
        /// The later one.
        second: usize,
    },
}

impl Committee {
    /// Checks the members' keys and makes a committee of them; their order gives their [`ReplicaId`]s.
    pub fn new(chain: ChainId, epoch: Epoch, members: Vec<Member>) -> Result<Self, CommitteeError> {
        if members.is_empty() || members.len() > limits::REPLICAS {
            return Err(CommitteeError::Size { size: members.len() });
        }
        let mut vote_keys = Vec::with_capacity(members.len());
        for (index, member) in members.iter().enumerate() {
            let bad = |what| move |source| CommitteeError::Key { what, index, source };
            checked(&member.identity.0).map_err(bad("identity"))?;
            vote_keys.push(checked(&member.vote.0).map_err(bad("vote"))?);
        }
        refuse_duplicates("vote", members.iter().map(|member| member.vote.0))?;
        refuse_duplicates("identity", members.iter().map(|member| member.identity.0))?;
        Ok(Self(Arc::new(Inner { chain, epoch, members, vote_keys })))
    }

    /// The same replicas on another chain or in another epoch. Their keys are known to be good.
    #[must_use]
    pub fn elsewhere(&self, chain: ChainId, epoch: Epoch) -> Self {
        let (members, vote_keys) = (self.0.members.clone(), self.0.vote_keys.clone());
        Self(Arc::new(Inner { chain, epoch, members, vote_keys }))
    }

    /// The chain whose statements it signs.
    pub fn chain(&self) -> ChainId {
        self.0.chain
    }

    /// Its reign.
    pub fn epoch(&self) -> Epoch {
        self.0.epoch
    }

    /// n, the number of replicas.
    pub fn size(&self) -> usize {
        self.0.members.len()
    }

    /// f, the greatest number with `3f + 1 <= n`.
    pub fn max_faulty(&self) -> usize {
        (self.size() - 1) / 3
    }

    /// `n - f`: any two quorums share an honest replica. Not `2f + 1`, which is too few when `n != 3f + 1`.
    pub fn quorum(&self) -> usize {
        self.size() - self.max_faulty()
    }

    /// `f + 1`: at least one honest replica is among them.
    pub fn weak_quorum(&self) -> usize {
        self.max_faulty() + 1
    }

    /// All replicas, in order.
    pub fn members(&self) -> impl Iterator<Item = ReplicaId> + use<> {
        (0..self.size()).map(|index| ReplicaId(u16::try_from(index).expect("at most 1024 members")))
    }

    /// All replicas but one.
    pub fn others(&self, me: ReplicaId) -> impl Iterator<Item = ReplicaId> + use<> {
        self.members().filter(move |&member| member != me)
    }

    /// Whether there is such a replica.
    pub fn contains(&self, replica: ReplicaId) -> bool {
        replica.index() < self.size()
    }

    /// The keys of one replica.
    pub fn member(&self, replica: ReplicaId) -> Option<&Member> {
        self.0.members.get(replica.index())
    }

    pub(crate) fn vote_key(&self, replica: ReplicaId) -> Option<&VerifyingKey> {
        self.0.vote_keys.get(replica.index())
    }
}

fn refuse_duplicates(what: &'static str, keys: impl Iterator<Item = [u8; 32]>) -> Result<(), CommitteeError> {
    let mut seen = std::collections::BTreeMap::new();
    for (second, key) in keys.enumerate() {
        if let Some(first) = seen.insert(key, second) {
            return Err(CommitteeError::Duplicate { what, first, second });
        }
    }
    Ok(())
}

impl PartialEq for Committee {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || (self.chain() == other.chain() && self.epoch() == other.epoch() && self.0.members == other.0.members)
    }
}

impl Eq for Committee {}

impl Hash for Committee {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.chain(), self.epoch(), self.size()).hash(state);
    }
}

impl fmt::Debug for Committee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "committee of {} on {}", self.size(), self.chain().0.short())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::committee;

    #[test]
    fn thresholds_hold_for_every_size() {
        for n in 1..=100 {
            let committee = committee(n);
            let (f, q) = (committee.max_faulty(), committee.quorum());
            assert!(3 * f < n && 3 * (f + 1) + 1 > n, "f is the greatest with 3f + 1 <= n, n = {n}");
            assert!(2 * q > n + f, "two quorums share an honest replica, n = {n}");
            assert!(q <= n - f, "a quorum is there without the faulty, n = {n}");
            assert_eq!(committee.weak_quorum(), f + 1);
        }
    }

    #[test]
    fn the_same_key_twice_is_refused() {
        let key = |seed| Member {
            identity: crate::IdentitySecret::from_seed([seed; 32]).public(),
            vote: crate::VoteSecret::from_seed([seed + 100; 32]).public(),
        };
        let twice = Committee::new(committee(1).chain(), Epoch(0), vec![key(1), key(2), key(1)]);
        assert_eq!(twice, Err(CommitteeError::Duplicate { what: "vote", first: 0, second: 2 }));
        assert_eq!(Committee::new(committee(1).chain(), Epoch(0), vec![]), Err(CommitteeError::Size { size: 0 }));
    }
}
