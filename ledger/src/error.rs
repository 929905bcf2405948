//! What can go wrong with a ledger, a block or a transaction.

use crate::record_log::LogError;
use quorate_types::{ChainId, Digest, Height};
use std::io;

/// The ledger itself cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The block log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The disk said no.
    #[error("the ledger's disk: {0}; free or repair it and start again, nothing committed is lost")]
    Io(#[from] io::Error),
    /// A block in the log is not the one that belongs there.
    #[error(
        "the block at {height} ({file}, byte {offset}) is not sound: {why}. The ledger was changed from outside; restore it \
         from a copy, or remove this validator's data and let it join again"
    )]
    Unsound {
        /// Where in the chain.
        height: Height,
        /// Where on the disk.
        file: String,
        /// Where in the file.
        offset: u64,
        /// What is wrong.
        why: String,
    },
    /// A final block does not execute to what it claims.
    #[error("the final block at {height} does not execute here: {source}; this validator's state is wrong")]
    Diverged {
        /// Where in the chain.
        height: Height,
        /// What is wrong.
        source: ExecuteError,
    },
    /// A snapshot was to be begun from that is not what its manifest says.
    #[error("the snapshot at {height} is not sound: {why}")]
    BadSnapshot {
        /// Its block.
        height: Height,
        /// What is wrong.
        why: String,
    },
    /// A block was to be committed that was never executed.
    #[error("block {block} is to be committed, but was not executed here")]
    NotExecuted {
        /// Which.
        block: Digest,
    },
}

/// A block that is committed, but not here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{height} is not held: this validator began from a snapshot at {base} and has only the blocks above it")]
pub struct NotHeld {
    /// Where in the chain.
    pub height: Height,
    /// What this ledger began from.
    pub base: Height,
}

impl LedgerError {
    /// Whether this validator is at fault. Always: whatever comes from peers is proven before it comes here.
    pub fn is_local(&self) -> bool {
        true
    }
}

/// Why a block cannot be executed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExecuteError {
    /// Its parent is neither the head nor an executed block above it.
    #[error("its parent {parent} is not executed here")]
    UnknownParent {
        /// The parent.
        parent: Digest,
    },
    /// Its height is not one more than its parent's, or it is of another chain.
    #[error("its height, chain or epoch does not follow from its parent's")]
    WrongPlace,
    /// Its time is not within the hour above its parent's.
    #[error("its time {time} is not in [{parent}, {parent} + 1 h]")]
    BadTimestamp {
        /// The block's, milliseconds.
        time: u64,
        /// The parent's.
        parent: u64,
    },
    /// Its batches are not those that it names.
    #[error("its batches are not those that it names")]
    WrongBatches,
    /// Executing it gives another state.
    #[error("its state root is {claimed}, executing it gives {computed}")]
    WrongStateRoot {
        /// In its header.
        claimed: Digest,
        /// Here.
        computed: Digest,
    },
}

/// Why a transaction is not let in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TxError {
    /// Signed for another chain.
    #[error("the transaction is for {theirs}, and this is {ours}; sign it for this chain's genesis")]
    WrongChain {
        /// In the transaction.
        theirs: ChainId,
        /// This one.
        ours: ChainId,
    },
    /// Its nonce is used up.
    #[error("nonce {nonce} is used up: the sender's next nonce is {next}")]
    OldNonce {
        /// The transaction's.
        nonce: u64,
        /// The account's.
        next: u64,
    },
    /// The application cannot read its payload.
    #[error("the application cannot read the payload: {why}")]
    Malformed {
        /// Its complaint.
        why: String,
    },
}
