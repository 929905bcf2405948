//! The durable, hash-chained Merkle ledger, and what its transactions mean.
//!
//! [`Ledger`] executes blocks speculatively on uncommitted ancestors and commits them to a checked log ([`record_log`]) on a
//! [`Disk`]; an [`Index`] holds what the log can rebuild. [`State`] is an authenticated key-value tree, [`History`] a Merkle
//! tree over the chain, [`TransactionProof`] and [`StateAnswer`] what a client verifies with nothing but the [`Genesis`].
//! [`Journal`] is the vote journal on the same log format. The ledger knows nothing of consensus: the proof that a block is
//! final is opaque bytes to it, kept beside the block.

pub mod app;
mod disk;
mod error;
mod execute;
mod genesis;
mod history;
mod index;
mod journal;
mod ledger;
mod proof;
mod query;
pub mod record_log;
mod state;
mod store;
#[cfg(test)]
mod tests;

pub use app::{AccountState, FailCode, Key, KvOp, MAX_KEY, MAX_VALUE, Outcome, SkipCode, Value, account_key, user_key};
pub use disk::{Disk, FileDisk, MemoryDisk};
pub use error::{ExecuteError, LedgerError, TxError};
pub use genesis::{AppGenesis, Election, Genesis, GenesisError, Params, Protocol, SchemeKind, Validator};
pub use history::{History, verify_consistency};
pub use index::{Change, Index, MemoryIndex, RedbIndex, Table};
pub use journal::{Binding, Durability, Entry, Journal, JournalError};
pub use ledger::{CommittedBlock, Ledger};
pub use proof::{Anchor, Finality, ProofError, StateAnswer, TransactionProof, outcome_leaf, outcomes_root, state_root};
pub use query::TransactionRecord;
pub use record_log::LogError;
pub use state::{State, StateProof};
pub use store::StoredBlock;
