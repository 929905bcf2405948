//! What the consensus thread tells the outside about itself: at most every few milliseconds, and whenever it rests.

use super::{metrics::Metrics, standing::Standing};
use crate::handle::{Examination, NodeEvent, Role, Status};
use quorate_consensus::Replica;
use quorate_ledger::Tip;
use quorate_types::{ReplicaId, View};
use quorate_validator::Core;
use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};
use tokio::sync::{broadcast, watch};

/// The status is not published more often than this.
const AT_MOST_EVERY: Duration = Duration::from_millis(20);

pub(super) struct Publisher {
    pub(super) status: Arc<watch::Sender<Status>>,
    pub(super) events: broadcast::Sender<NodeEvent>,
    pub(super) tip: Arc<RwLock<Tip>>,
    pub(super) connected: Arc<AtomicUsize>,
    pub(super) syncing: Arc<AtomicBool>,
    /// Peers that must be connected for a quorum, this replica not counted.
    pub(super) needed_peers: usize,
    pub(super) metrics: Arc<Metrics>,
    pub(super) last: Instant,
    pub(super) last_view: View,
    pub(super) last_failed: u32,
    pub(super) standing: Standing,
}

impl Publisher {
    /// Whether the runtime has been told to stop.
    pub(super) fn is_stopping(&self) -> bool {
        self.status.borrow().stopped.is_some()
    }

    /// Why there is no block, as far as this replica can tell.
    pub(super) fn examine(&mut self, core: &Core<impl Replica>) -> Examination {
        self.publish(core);
        self.standing.examine(core, self.last)
    }

    /// Publishes unless that was done a moment ago; view changes are told at once.
    pub(super) fn publish_soon(&mut self, core: &Core<impl Replica>) {
        let replica = core.replica().status();
        if replica.view != self.last_view {
            let timed_out = replica.failed_views > self.last_failed;
            let reason = if timed_out { "timeout" } else { "certificate" };
            let leader = replica.leader.unwrap_or(ReplicaId(0));
            self.metrics.view(replica.view, timed_out);
            let event = NodeEvent::ViewChange { view: replica.view, reason: reason.to_owned(), leader };
            let _nobody_listens = self.events.send(event);
            self.last_view = replica.view;
        }
        self.last_failed = replica.failed_views;
        if self.last.elapsed() >= AT_MOST_EVERY {
            self.publish(core);
        }
    }

    /// Publishes now.
    pub(super) fn publish(&mut self, core: &Core<impl Replica>) {
        self.last = Instant::now();
        let replica = core.replica().status();
        let pool = core.pool().status();
        let me = core.replica().id();
        let connected = self.connected.load(Ordering::Relaxed);
        let syncing = self.syncing.load(Ordering::Relaxed);
        let (height, head, head_time) = {
            let tip = self.tip.read().unwrap_or_else(PoisonError::into_inner);
            (tip.head().height, tip.head().digest(), tip.head().timestamp)
        };
        self.standing.look(core, height, replica.has_work, self.last);
        self.metrics.pool(&pool);
        self.status.send_if_modified(|status| {
            let before = status.clone();
            status.view = replica.view;
            status.leader = replica.leader.unwrap_or(status.leader);
            status.height = height;
            status.head = head;
            status.head_time = head_time;
            status.high_qc = replica.high_qc;
            status.locked = replica.locked_qc;
            status.timeouts = replica.failed_views;
            status.mempool_transactions = pool.transactions + pool.waiting;
            status.mempool_batches = pool.batches;
            status.mempool_bytes = pool.bytes;
            status.peers_connected = connected;
            status.role = match () {
                () if replica.rejoining => Role::Silent,
                () if syncing => Role::Syncing,
                () if status.leader == me => Role::Leader,
                () => Role::Follower,
            };
            status.not_ready = not_ready(connected, self.needed_peers, syncing, replica.rejoining);
            *status != before
        });
    }
}

fn not_ready(connected: usize, needed: usize, syncing: bool, rejoining: bool) -> Option<String> {
    if connected < needed {
        return Some(format!("{connected} peers are connected, a quorum needs {needed}"));
    }
    if rejoining {
        return Some("the journal is lost: silent until the others have moved on far enough".to_owned());
    }
    syncing.then(|| "catching up by block sync".to_owned())
}

/// The clock, for block timestamps only.
pub(crate) fn unix_millis() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
