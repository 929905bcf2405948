//! Why keys in a genesis do not make a scheme.

use quorate_types::ReplicaId;

/// Why a committee cannot sign with these keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemeError {
    /// Not one key for each member.
    #[error("{have} BLS keys for a committee of {need}")]
    Count {
        /// Keys given.
        have: usize,
        /// Members.
        need: usize,
    },
    /// Whoever chose the key may not know its secret, and may have made it from the keys of others.
    #[error("the BLS key of {0} comes without a valid proof of possession")]
    Unproven(ReplicaId),
    /// One key in two places, or two that cancel out: both would count for signatures that neither made.
    #[error("the BLS keys of {first} and {second} are equal or opposite")]
    Related {
        /// The earlier one.
        first: ReplicaId,
        /// The later one.
        second: ReplicaId,
    },
    /// All keys together sum to zero: everything would verify as signed by all.
    #[error("the committee's BLS keys sum to zero")]
    SumToZero,
    /// The number of commitments is the threshold, which must be the quorum.
    #[error("commitments for a threshold of {have} where a quorum is {need}")]
    Threshold {
        /// Commitments given.
        have: usize,
        /// The quorum.
        need: usize,
    },
}
