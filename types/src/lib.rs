//! Values that travel on the wire or lie in the ledger, and their one canonical encoding.
//!
//! Start at [`Block`]: a [`Header`] whose digest names it, and a payload of [`Batch`] digests. A batch is
//! a list of signed [`Transaction`]s and is named by the RFC 6962 root over them ([`merkle`]). Everything
//! is encoded by [`codec`] (borsh with every length bounded), so that `decode(b) = x` implies
//! `encode(x) = b`, and hashed with a domain ([`Domain`]), so that no value of one kind can pass for
//! another. This crate knows no keys, no committee and no protocol.

mod batch;
mod block;
pub mod codec;
mod digest;
mod id;
pub mod merkle;
#[cfg(test)]
mod tests;
mod transaction;

pub use batch::Batch;
pub use block::{Block, Header, Payload};
pub use codec::{BoundedVec, DecodeError, decode, encode};
pub use digest::{Digest, Domain};
pub use id::{ChainId, Epoch, Height, ReplicaId, View};
pub use transaction::{Account, Transaction, TransactionBody};

/// The size limits of version 1 of the wire format. A value over its limit does not decode.
pub mod limits {
    /// Bytes of one transaction's payload.
    pub const TRANSACTION_PAYLOAD: usize = 64 * 1024;
    /// Transactions in one batch.
    pub const BATCH_TRANSACTIONS: usize = 4096;
    /// Encoded bytes of one batch; a single transaction always fits.
    pub const BATCH_BYTES: usize = 512 * 1024;
    /// Batches in one block.
    pub const BLOCK_BATCHES: usize = 64;
    /// Replicas in a committee.
    pub const REPLICAS: usize = 1024;
}
