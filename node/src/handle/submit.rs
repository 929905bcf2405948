//! Transactions going in, and the answers.

use quorate_ledger::Outcome;
use quorate_types::{Height, Transaction};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

/// Transactions on their way to the verification pool.
#[derive(Debug)]
pub struct Submission {
    /// As the client sent them, decoded and nothing more.
    pub transactions: Vec<Transaction>,
    /// What the client waits for.
    pub wait: Wait,
    /// One answer for each transaction, in order, once the last of them has come as far as `wait` says.
    /// A client that went away has dropped the other end.
    pub respond: oneshot::Sender<Vec<Submitted>>,
}

/// How long a client wants to wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Wait {
    /// Until the node has it, unchecked.
    None,
    /// Until it is checked and in the mempool.
    #[default]
    Accepted,
    /// Until it stands in a committed block.
    Committed,
}

impl Wait {
    /// What is waited for, as a participle.
    pub fn verb(self) -> &'static str {
        match self {
            Self::None => "queued",
            Self::Accepted => "accepted",
            Self::Committed => "committed",
        }
    }
}

/// What became of one submitted transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Submitted {
    /// Handed to the runtime, not looked at yet ([`Wait::None`]).
    Queued,
    /// Checked and in the mempool, or already there.
    Accepted,
    /// Stands in a committed block.
    Committed {
        /// Which block.
        height: Height,
        /// What executing it did.
        outcome: Outcome,
    },
    /// Not taken.
    Rejected {
        /// For programs.
        code: RejectCode,
        /// For people.
        why: String,
    },
}

/// Why a transaction was not taken. The names are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RejectCode {
    /// The signature is not the sender's over this body.
    BadSignature,
    /// Signed for another chain.
    WrongChain,
    /// The nonce is used up.
    OldNonce,
    /// The nonce is too far above the next one to be kept.
    FutureNonce,
    /// Another transaction of this sender with this nonce is pending already.
    Conflicting,
    /// The application cannot read the payload.
    MalformedPayload,
    /// Over a size limit.
    TooLarge,
    /// The mempool is full: try again later.
    Busy,
    /// The node is shutting down or has stopped.
    Stopping,
}

/// A submission could not even be queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// The queue to the verification pool is full.
    #[error("the node is busy: its queue of unchecked transactions is full")]
    Busy,
    /// The runtime has ended.
    #[error("the node is stopping")]
    Stopped,
}
