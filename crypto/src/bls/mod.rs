//! BLS signatures over BLS12-381 (draft-irtf-cfrg-bls-signature, on blst): multi-signatures and threshold signatures.
//!
//! [`BlsMulti`] adds up the votes of named members: small certificates that tell who signed. [`BlsThreshold`] interpolates the
//! votes of any quorum into the one signature under one group key: the smallest certificates, and they tell nobody. Both are
//! generic over which group holds the keys ([`Variant`]); [`MinSig`] is what nodes use.
//!
//! What comes from outside is a [`Point`]: canonical, on the curve, in the subgroup, not the identity. `unsafe` is in `field.rs`
//! and `group.rs` only.
//!
//! For a distributed key generation: each participant derives a [`Polynomial`], publishes its [`Commitments`], and
//! [`seal`]s each member's [`Share`]; the sums of the qualified ones are the group's commitments and the member's share.

pub(crate) mod dealer;
mod errors;
mod field;
mod file;
mod group;
mod keys;
mod lagrange;
mod multi;
mod point;
mod polynomial;
#[cfg(test)]
mod rejections;
mod sealed;
mod threshold;
mod variant;
mod vote;

pub use dealer::{Dealing, deal, deal_from};
pub use errors::SchemeError;
pub use field::{Scalar, SecretScalar};
pub use group::{G1, G2, Group, PointError};
pub use keys::{BlsSecret, ProvenKey};
pub use multi::{BlsMulti, MultiProof, MultiSecret};
pub use point::Point;
pub use polynomial::{CombineError, Commitments, Polynomial, Share, check_index, combine};
pub use sealed::{MAX_SEALED, OpeningSecret, Revealed, Sealed, SealingKey, seal};
pub use threshold::{BlsThreshold, ThresholdSecret};
pub use variant::{MinPk, MinSig, Variant};
pub use vote::BlsVote;

use quorate_types::ReplicaId;

/// Where a member's share is: its number plus one, because at zero the secret is.
pub fn share_index(replica: ReplicaId) -> u16 {
    replica.0.saturating_add(1)
}
