//! Catching up: committed blocks from others, or the state after one, believed because of commit proofs and nothing else.
//!
//! A [`CatchUp`] decides what to ask whom. *Block sync* brings consecutive blocks up to one with a commit proof. A replica far
//! behind fetches a *snapshot* instead: a manifest, which a commit proof certifies, then the state in chunks, each checked
//! against a hash that is certified already, and then the blocks above. Whoever gives a wrong answer is not asked again in the
//! same run; one that proves another chain final than ours ends everything ([`Broken`]); whoever gives none is asked again when all others have been; whoever gives little, or late, loses its turn. [`answer`] is the other side.

mod blocks;
mod catch_up;
mod serve;
mod snapshot;

pub use catch_up::{Ask, CatchUp, Check, Outcome, Refusal, Ticket, snapshot_gap};
pub use serve::answer;

use crate::NotFinal;
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_ledger::{Chunk, ChunkError, LedgerError, Manifest, ManifestError, Prefix};
use quorate_types::{Batch, Block, BoundedVec, Digest, Header, Height, limits};

/// Blocks in one reply.
pub const MAX_BLOCKS: usize = 256;
/// Headers in one reply: as many blocks can be committed by one proof.
pub const MAX_HEADERS: usize = 4096;
/// Encoded bytes after which a reply takes no further block.
pub const ENOUGH_BYTES: usize = 4 * 1024 * 1024;

/// What a replica that is behind asks another for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum SyncRequest {
    /// Blocks.
    Blocks {
        /// Directly above this height.
        above: Height,
    },
    /// The newest snapshot.
    Manifest {
        /// If its block is above this height.
        above: Height,
    },
    /// A piece of a snapshot's state.
    Chunk {
        /// The snapshot's block.
        height: Height,
        /// Where the piece begins.
        from: Prefix,
    },
}

/// A block and the bodies of its batches.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct WholeBlock {
    /// The block.
    pub block: Block,
    /// In its order.
    pub batches: BoundedVec<Batch, { limits::BLOCK_BATCHES }>,
}

/// Consecutive blocks, and what proves the last one final.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Blocks {
    /// Ascending. Empty: nothing to give.
    pub blocks: BoundedVec<WholeBlock, MAX_BLOCKS>,
    /// Headers above the last block up to one that has a proof; empty if that is the last block.
    pub above: BoundedVec<Header, MAX_HEADERS>,
    /// Proves the last header, or the last block.
    pub proof: BoundedVec<u8, { 1024 * 1024 }>,
}

/// An answer to a request of the same name; `None`: nothing to give.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum SyncReply {
    /// Blocks.
    Blocks(Blocks),
    /// The newest snapshot.
    Manifest(Option<Box<Manifest>>),
    /// A piece of a snapshot's state.
    Chunk(Option<Chunk>),
}

/// Why an answer was not taken.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The peer has nothing of what was asked for.
    #[error("it has nothing of what was asked for")]
    Nothing,
    /// No answer came, or the connection broke.
    #[error("no answer: {0}")]
    Unanswered(String),
    /// The answer does not decode.
    #[error("its answer does not decode: {0}")]
    Malformed(String),
    /// The answer is to another question.
    #[error("it answered another question")]
    Unasked,
    /// The blocks or headers do not extend our head, or not each other.
    #[error("the block at {height} does not extend the one below it")]
    Unlinked {
        /// Where.
        height: Height,
    },
    /// A block's payload or batches are not those it names.
    #[error("the block at {height} does not have the batches that it names")]
    WrongBody {
        /// Where.
        height: Height,
    },
    /// The last block is not proven final.
    #[error(transparent)]
    NotFinal(#[from] NotFinal),
    /// A snapshot that is too old to be of use.
    #[error("its snapshot is at {height}, not above {above}")]
    Stale {
        /// The snapshot's block.
        height: Height,
        /// What was asked for.
        above: Height,
    },
    /// A manifest that is none of this chain.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A piece of a state that is not the certified one.
    #[error(transparent)]
    Chunk(#[from] ChunkError),
    /// Nobody's fault but ours, or more than `f` others'.
    #[error(transparent)]
    Broken(#[from] Broken),
}

/// Why a replica cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// Our own ledger failed, or final blocks do not execute to what they claim.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Safety is lost: what stands on another block is as final as ours.
    #[error("block {theirs} is proven final at {height}, where {ours} is committed here")]
    Fork {
        /// Where.
        height: Height,
        /// The block in our ledger.
        ours: Digest,
        /// The block that those of others stand on.
        theirs: Digest,
    },
}

impl From<LedgerError> for SyncError {
    fn from(error: LedgerError) -> Self {
        Self::Broken(Broken::Ledger(error))
    }
}

impl SyncError {
    /// Whether no honest peer gives cause for it.
    pub fn is_lie(&self) -> bool {
        match self {
            Self::Nothing | Self::Unanswered(_) | Self::Broken(_) => false,
            Self::Malformed(_)
            | Self::Unasked
            | Self::Unlinked { .. }
            | Self::WrongBody { .. }
            | Self::NotFinal(_)
            | Self::Stale { .. }
            | Self::Manifest(_)
            | Self::Chunk(_) => true,
        }
    }
}
