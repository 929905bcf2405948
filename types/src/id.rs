//! Names and numbers that must not be mixed up.

use crate::Digest;
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A replica's index in its committee, `0..n`. A position, not a key.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct ReplicaId(pub u16);

/// An era with one leader (DiemBFT: round). View 0 is genesis; replicas start in view 1.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    BorshSerialize,
    BorshDeserialize,
    Serialize,
    Deserialize,
)]
#[serde(transparent)]
pub struct View(pub u64);

/// A position in the chain. Genesis has height 0.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    BorshSerialize,
    BorshDeserialize,
    Serialize,
    Deserialize,
)]
#[serde(transparent)]
pub struct Height(pub u64);

/// The reign of one committee. Only epoch 0 exists so far; it is signed so that later ones cannot be confused with it.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    BorshSerialize,
    BorshDeserialize,
    Serialize,
    Deserialize,
)]
#[serde(transparent)]
pub struct Epoch(pub u64);

/// A chain's identity: the digest of its genesis document.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct ChainId(pub Digest);

impl View {
    /// The view of the genesis block.
    pub const GENESIS: Self = Self(0);

    /// The view after this one. At the end of `u64` it stays: a peer's number can never overflow ours.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The view before this one; genesis has none.
    pub fn previous(self) -> Option<Self> {
        self.0.checked_sub(1).map(Self)
    }
}

impl Height {
    /// The height of the genesis block.
    pub const GENESIS: Self = Self(0);

    /// The height above this one, saturating.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl ReplicaId {
    /// For indexing.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

macro_rules! display_number {
    ($($name:ident: $prefix:literal),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }
    )*};
}
display_number!(ReplicaId: "replica ", View: "view ", Height: "height ", Epoch: "epoch ", ChainId: "chain ");
