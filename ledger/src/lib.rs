//! The durable, hash-chained Merkle ledger, and what its transactions mean.
//!
//! [`Ledger`] executes blocks speculatively on uncommitted ancestors and commits them to a checked log ([`record_log`]) on a
//! [`Disk`]; an [`Index`] holds what the log can rebuild. [`State`] is an authenticated key-value tree, [`History`] a Merkle
//! tree over the chain, [`TransactionProof`] and [`StateAnswer`] what a client verifies with nothing but the [`Genesis`].
//! A [`Manifest`] and a [`Fetch`] bring the state of another's ledger, for one that is too far behind to read the blocks.
//! [`Journal`] is the vote journal on the same log format. The ledger knows nothing of consensus: the proof that a block is
//! final is opaque bytes to it, kept beside the block.

pub mod app;
mod base;
mod checkpoints;
mod disk;
mod error;
mod execute;
mod genesis;
mod history;
mod index;
mod index_file;
mod install;
mod journal;
mod ledger;
mod proof;
mod query;
pub mod record_log;
mod redb_index;
mod snapshot;
mod state;
mod store;
#[cfg(test)]
mod tests;
mod tip;
mod vote_keys;

pub use app::{AccountState, FailCode, Key, KvOp, MAX_KEY, MAX_VALUE, Outcome, SkipCode, Value, account_key, user_key};
pub use disk::{Disk, FileDisk, MemoryDisk};
pub use error::{ExecuteError, LedgerError, NotHeld, TxError};
pub use genesis::{AppGenesis, Election, Genesis, GenesisError, Params, Protocol, Validator};
pub use history::{History, verify_consistency};
pub use index::{Change, Index, MemoryIndex, Table};
pub use install::Installed;
pub use journal::{Binding, Durability, Entry, Journal, JournalError};
pub use ledger::{CommittedBlock, Ledger};
pub use proof::{Anchor, Finality, ProofError, StateAnswer, TransactionProof, outcome_leaf, outcomes_root, state_root};
pub use query::TransactionRecord;
pub use record_log::LogError;
pub use redb_index::RedbIndex;
pub use snapshot::{Manifest, ManifestError};
pub use state::{CHUNK_BYTES, Chunk, ChunkError, Fetch, Item, Prefix, State, StateProof};
pub use store::StoredBlock;
pub use tip::Tip;
pub use vote_keys::{BlsKey, GenesisVariant, SchemeKind, ThresholdKey};
