//! What every task of one network shares.

use crate::{Hello, Inbound, Limits, driver::Command, metrics::Metrics};
use quorate_types::{ReplicaId, View};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use tokio::sync::mpsc;

/// Settings and the two ways out of a task: to the node, and to the driver that owns the swarm.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) me: ReplicaId,
    pub(crate) hello: Hello,
    pub(crate) limits: Limits,
    pub(crate) metrics: Arc<Metrics>,
    /// Bounded. Tasks of a peer wait here for the node, in turn; the driver must not.
    pub(crate) inbound: mpsc::Sender<Inbound>,
    pub(crate) commands: mpsc::Sender<Command>,
    view: AtomicU64,
}

impl Context {
    pub(crate) fn new(
        me: ReplicaId,
        hello: Hello,
        limits: Limits,
        metrics: Arc<Metrics>,
        inbound: mpsc::Sender<Inbound>,
        commands: mpsc::Sender<Command>,
    ) -> Self {
        Self { me, hello, limits, metrics, inbound, commands, view: AtomicU64::new(0) }
    }

    /// The view below which frames are stale.
    pub(crate) fn view(&self) -> View {
        View(self.view.load(Ordering::Relaxed))
    }

    /// Views only grow: a late call with an old view changes nothing.
    pub(crate) fn set_view(&self, view: View) {
        self.view.fetch_max(view.0, Ordering::Relaxed);
    }

    /// Hands something to the node, waiting for room. A node that is gone is shutting us down: nothing to report.
    pub(crate) async fn deliver(&self, inbound: Inbound) {
        let _ = self.inbound.send(inbound).await;
    }
}
