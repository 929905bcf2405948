//! The seam between a running validator and those who look at it: the HTTP API and the process control.
//!
//! [`crate::runtime::start`] takes a [`NodeConfig`] and gives a [`Handle`]. Everything behind the handle is threads and
//! channels of the runtime's; nothing in front of it can block the consensus thread: submissions go through a bounded
//! queue, state is read from a watch channel, events that a slow reader misses are gone for that reader alone.

use prometheus_client::registry::Registry;
use quorate_crypto::{IdentitySecret, VoteSecret};
use quorate_ledger::{Durability, FileDisk, Genesis, Ledger, Outcome, RedbIndex};
use quorate_network::PeerStatus;
use quorate_types::{Digest, Height, ReplicaId, Transaction, View};
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

/// The ledger a validator runs on.
pub type NodeLedger = Ledger<FileDisk, RedbIndex>;

/// Everything the runtime needs to run one validator. The caller holds the lock on `data_dir`.
#[derive(Debug)]
pub struct NodeConfig {
    /// The chain; checked.
    pub genesis: Genesis,
    /// Which validator of the genesis this is; its keys match (the caller checked).
    pub me: ReplicaId,
    /// Authenticates connections.
    pub identity: IdentitySecret,
    /// Signs votes.
    pub vote: VoteSecret,
    /// Holds `journal/`, `blocks/` and `index.redb`.
    pub data_dir: PathBuf,
    /// Where other validators connect to.
    pub listen: SocketAddr,
    /// `host:port` of every validator, indexed by replica. The own entry is not dialled.
    pub peers: Vec<String>,
    /// When the journal reaches the disk.
    pub durability: Durability,
    /// At most how long `Durability::Group` gathers.
    pub group_interval: Duration,
    /// A batch closes when this much time has passed since its first transaction.
    pub batch_interval: Duration,
    /// Bytes of transactions the mempool holds before it answers busy.
    pub mempool_bytes: usize,
    /// Threads that check client signatures and peers' messages.
    pub verify_threads: usize,
}

/// What the runtime hands over when it starts. See [`Handle::new`].
pub struct HandleParts {
    /// To the thread that checks and pools transactions.
    pub submissions: mpsc::Sender<Submission>,
    /// Shared with the ledger thread, which alone writes.
    pub ledger: Arc<RwLock<NodeLedger>>,
    /// Updated whenever something in it changes. Dropping the sender means that the runtime has ended.
    pub status: watch::Receiver<Status>,
    /// The runtime sends; each subscriber has its own position.
    pub events: broadcast::Sender<NodeEvent>,
    /// Asks the network how the peers are.
    pub peers: Arc<dyn Fn() -> Vec<PeerStatus> + Send + Sync>,
    /// Every metric of the process.
    pub metrics: Arc<Mutex<Registry>>,
    /// Cancelled when somebody wants the runtime to stop.
    pub stop: CancellationToken,
}

/// What the API and the process control see of a running validator. Cheap to clone.
#[derive(Clone)]
pub struct Handle(Arc<HandleParts>);

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

/// What a replica is doing just now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// It leads its view.
    Leader,
    /// It follows the view's leader.
    #[default]
    Follower,
    /// It fetches blocks that others have committed.
    Syncing,
    /// It lost its journal and signs nothing until that is safe.
    Silent,
}

/// A validator at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Which validator of the genesis.
    pub replica: ReplicaId,
    /// Its name there.
    pub name: String,
    /// The view it is in.
    pub view: View,
    /// The last committed block's height.
    pub height: Height,
    /// The last committed block.
    pub head: Digest,
    /// Milliseconds since the Unix epoch at which the head was proposed.
    pub head_time: u64,
    /// Who leads `view`.
    pub leader: ReplicaId,
    /// What this replica is doing.
    pub role: Role,
    /// View of the greatest certificate seen.
    pub high_qc: View,
    /// View of the certificate it is locked on.
    pub locked: View,
    /// Views that timed out since the last commit.
    pub timeouts: u32,
    /// Transactions waiting.
    pub mempool_transactions: usize,
    /// Batches waiting.
    pub mempool_batches: usize,
    /// Their bytes.
    pub mempool_bytes: usize,
    /// Peers connected, without this replica.
    pub peers_connected: usize,
    /// Why the node is not ready to serve, if it is not: too few peers for a quorum, or catching up.
    pub not_ready: Option<String>,
    /// When the journal reaches the disk.
    pub durability: Durability,
    /// `hotstuff`.
    pub protocol: String,
    /// `ed25519`.
    pub scheme: String,
    /// Set once the runtime has ended, to why.
    pub stopped: Option<Stopped>,
}

/// Why a runtime ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// [`Handle::shutdown`] was called.
    Asked,
    /// It cannot go on: a disk that failed, a ledger that diverged. The text says what, where and what to try.
    Failed(String),
}

/// What happened in a validator. Subscribers that are too slow miss the oldest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum NodeEvent {
    /// A block was committed.
    Block {
        /// Its height.
        #[schema(value_type = u64)]
        height: Height,
        /// The view in which it was proposed.
        #[schema(value_type = u64)]
        view: View,
        /// Its name.
        #[schema(value_type = String)]
        digest: Digest,
        /// Who proposed it.
        #[schema(value_type = u16)]
        proposer: ReplicaId,
        /// How many transactions it holds.
        transactions: usize,
        /// Milliseconds since the Unix epoch, by the proposer's clock.
        timestamp: u64,
    },
    /// The replica entered a view.
    ViewChange {
        /// The view entered.
        #[schema(value_type = u64)]
        view: View,
        /// What brought it there: `certificate` or `timeout`.
        reason: String,
        /// Who leads it.
        #[schema(value_type = u16)]
        leader: ReplicaId,
    },
    /// One flush of commits reached the disk: everything up to this height is durable here.
    Commit {
        /// The greatest height.
        #[schema(value_type = u64)]
        height: Height,
        /// Transactions in the flush.
        transactions: usize,
    },
    /// The runtime has ended; no event follows.
    Stopped {
        /// Why.
        reason: String,
    },
}

/// Why a validator could not start. The text says what, where, why and what to try.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The surroundings are not fit: a port in use, no journal, a full disk.
    #[error("{0}")]
    Environment(String),
    /// What lies on the disk contradicts itself or the genesis.
    #[error("{0}")]
    Damaged(String),
}

impl Handle {
    /// Made by the runtime.
    pub fn new(parts: HandleParts) -> Self {
        Self(Arc::new(parts))
    }

    /// Submits transactions and waits until each has come as far as `wait` says. Cancel-safe: a caller who stops waiting
    /// takes nothing back.
    pub async fn submit(&self, transactions: Vec<Transaction>, wait: Wait) -> Result<Vec<Submitted>, SubmitError> {
        let count = transactions.len();
        let (respond, answer) = oneshot::channel();
        self.0.submissions.try_send(Submission { transactions, wait, respond }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => SubmitError::Busy,
            mpsc::error::TrySendError::Closed(_) => SubmitError::Stopped,
        })?;
        if wait == Wait::None {
            return Ok(vec![Submitted::Queued; count]);
        }
        answer.await.map_err(|_| SubmitError::Stopped)
    }

    /// The ledger, for queries. Reading touches the disk: use it on a blocking thread.
    pub fn ledger(&self) -> Arc<RwLock<NodeLedger>> {
        Arc::clone(&self.0.ledger)
    }

    /// The validator as of now.
    pub fn status(&self) -> Status {
        self.0.status.borrow().clone()
    }

    /// To wait for changes of the status.
    pub fn watch(&self) -> watch::Receiver<Status> {
        self.0.status.clone()
    }

    /// How the peers are.
    pub fn peers(&self) -> Vec<PeerStatus> {
        (self.0.peers)()
    }

    /// Everything that happens from now on.
    pub fn events(&self) -> broadcast::Receiver<NodeEvent> {
        self.0.events.subscribe()
    }

    /// The process's metrics in the OpenMetrics text format.
    pub fn encode_metrics(&self) -> Result<String, fmt::Error> {
        let registry = self.0.metrics.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry)?;
        Ok(text)
    }

    /// The registry, to add metrics to.
    pub fn metrics(&self) -> Arc<Mutex<Registry>> {
        Arc::clone(&self.0.metrics)
    }

    /// Asks the runtime to stop and waits until it has: what was promised is flushed.
    pub async fn shutdown(&self) -> Stopped {
        self.0.stop.cancel();
        self.stopped().await
    }

    /// Waits until the runtime has ended, for whatever reason.
    pub async fn stopped(&self) -> Stopped {
        let mut status = self.0.status.clone();
        let ended = status.wait_for(|status| status.stopped.is_some()).await;
        ended
            .ok()
            .and_then(|status| status.stopped.clone())
            .unwrap_or_else(|| Stopped::Failed("the runtime ended without saying why; see the log above".into()))
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("status", &*self.0.status.borrow()).finish_non_exhaustive()
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked => f.write_str("asked to stop"),
            Self::Failed(why) => f.write_str(why),
        }
    }
}
