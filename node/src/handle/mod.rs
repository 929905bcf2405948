//! The seam between a running validator and those who look at it: the HTTP API and the process control.
//!
//! [`crate::runtime::start`] takes a [`NodeConfig`] and gives a [`Handle`]. Everything behind the handle is threads and
//! channels of the runtime's; nothing in front of it can block the consensus thread: submissions go through a bounded
//! queue, state is read from a watch channel, events that a slow reader misses are gone for that reader alone.

mod costs;
mod event;
mod examination;
mod status;
mod submit;

pub use costs::{Costs, ReadCosts};
pub use event::NodeEvent;
pub use examination::{Examination, Rejected};
pub use status::{Role, Status, Stopped};
pub use submit::{RejectCode, Submission, SubmitError, Submitted, Wait};

use crate::evidence::EvidenceStore;
#[cfg(feature = "lab")]
use crate::lab::{FaultToken, Lab};
use prometheus_client::registry::Registry;
use quorate_crypto::IdentitySecret;
use quorate_ledger::{Disk, Durability, Genesis, Ledger, RedbIndex};
use quorate_network::PeerStatus;
use quorate_types::{ReplicaId, Transaction};
use quorate_validator::VoteSecrets;
use std::{
    fmt,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

/// The consensus thread, which never waits for a disk, is given so long to answer.
const EXAMINED_WITHIN: Duration = Duration::from_secs(2);

/// The ledger a validator runs on.
pub type NodeLedger = Ledger<Box<dyn Disk>, RedbIndex>;

/// Everything the runtime needs to run one validator. The caller holds the lock on `data_dir`.
#[derive(Debug)]
pub struct NodeConfig {
    /// The chain; checked.
    pub genesis: Genesis,
    /// Which validator of the genesis this is; its keys match (the caller checked).
    pub me: ReplicaId,
    /// Authenticates connections.
    pub identity: IdentitySecret,
    /// Sign votes.
    pub secrets: VoteSecrets,
    /// Holds `journal/`, `blocks/`, `evidence/` and `index.redb`.
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
    /// How many blocks behind it fetches a snapshot rather than blocks; `None`: the usual number.
    pub snapshot_gap: Option<u64>,
    /// Threads that check client signatures and peers' messages.
    pub verify_threads: usize,
    /// What whoever asks for faults must bear, where the genesis allows them; `None`: nobody may.
    #[cfg(feature = "lab")]
    pub fault_token: Option<FaultToken>,
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
    /// Asks the consensus thread why there is no block. Nobody answers when it has ended.
    pub examine: Arc<dyn Fn(oneshot::Sender<Examination>) + Send + Sync>,
    /// Reads what its part in decisions has cost.
    pub costs: ReadCosts,
    /// The last message of a peer that failed the check.
    pub rejected: Arc<Mutex<Option<Rejected>>>,
    /// What this validator has seen others do that they must not.
    pub evidence: Arc<EvidenceStore>,
    /// Every metric of the process.
    pub metrics: Arc<Mutex<Registry>>,
    /// Cancelled when somebody wants the runtime to stop.
    pub stop: CancellationToken,
}

/// What the API and the process control see of a running validator. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    parts: Arc<HandleParts>,
    #[cfg(feature = "lab")]
    lab: Option<Arc<Lab>>,
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
        Self {
            parts: Arc::new(parts),
            #[cfg(feature = "lab")]
            lab: None,
        }
    }

    /// The same validator, which can be made to fail.
    #[cfg(feature = "lab")]
    #[must_use]
    pub fn in_lab(self, lab: Lab) -> Self {
        Self { lab: Some(Arc::new(lab)), ..self }
    }

    /// How it is made to fail, if its genesis allows that.
    #[cfg(feature = "lab")]
    pub fn lab(&self) -> Option<&Lab> {
        self.lab.as_deref()
    }

    /// Submits transactions and waits until each has come as far as `wait` says. Cancel-safe: a caller who stops waiting
    /// takes nothing back.
    pub async fn submit(&self, transactions: Vec<Transaction>, wait: Wait) -> Result<Vec<Submitted>, SubmitError> {
        let count = transactions.len();
        let (respond, answer) = oneshot::channel();
        self.parts.submissions.try_send(Submission { transactions, wait, respond }).map_err(|error| match error {
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
        Arc::clone(&self.parts.ledger)
    }

    /// The validator as of now.
    pub fn status(&self) -> Status {
        self.parts.status.borrow().clone()
    }

    /// To wait for changes of the status.
    pub fn watch(&self) -> watch::Receiver<Status> {
        self.parts.status.clone()
    }

    /// How the peers are.
    pub fn peers(&self) -> Vec<PeerStatus> {
        (self.parts.peers)()
    }

    /// Why there is no block, as far as this validator can tell. `None` if its consensus thread does not answer in time.
    pub async fn examine(&self) -> Option<Examination> {
        let (respond, answer) = oneshot::channel();
        (self.parts.examine)(respond);
        tokio::time::timeout(EXAMINED_WITHIN, answer).await.ok()?.ok()
    }

    /// The last message of a peer that failed the check.
    pub fn rejected(&self) -> Option<Rejected> {
        self.parts.rejected.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What its part in decisions has cost since the process began.
    pub fn costs(&self) -> Costs {
        (self.parts.costs)()
    }

    /// The same for whoever must not hold on to the rest of the validator.
    pub fn cost_reader(&self) -> ReadCosts {
        Arc::clone(&self.parts.costs)
    }

    /// Proof of misbehaviour.
    pub fn evidence(&self) -> &EvidenceStore {
        &self.parts.evidence
    }

    /// Everything that happens from now on.
    pub fn events(&self) -> broadcast::Receiver<NodeEvent> {
        self.parts.events.subscribe()
    }

    /// The process's metrics in the OpenMetrics text format.
    pub fn encode_metrics(&self) -> Result<String, fmt::Error> {
        let registry = self.parts.metrics.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry)?;
        Ok(text)
    }

    /// The registry, to add metrics to.
    pub fn metrics(&self) -> Arc<Mutex<Registry>> {
        Arc::clone(&self.parts.metrics)
    }

    /// Asks the runtime to stop and waits until it has: what was promised is flushed.
    pub async fn shutdown(&self) -> Stopped {
        self.parts.stop.cancel();
        self.stopped().await
    }

    /// Waits until the runtime has ended, for whatever reason.
    pub async fn stopped(&self) -> Stopped {
        let mut status = self.parts.status.clone();
        let ended = status.wait_for(|status| status.stopped.is_some()).await;
        ended
            .ok()
            .and_then(|status| status.stopped.clone())
            .unwrap_or_else(|| Stopped::Failed("the runtime ended without saying why; see the log above".into()))
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("status", &*self.parts.status.borrow()).finish_non_exhaustive()
    }
}
