//! What every task of one network shares.

use crate::{Hello, Inbound, Limits, Shaping, driver::Command, metrics::Metrics};
use quorate_types::View;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use tokio::sync::mpsc;

/// Settings and the two ways out of a task: to the node, and to the driver that owns the swarm.
///
/// Only tasks hold it: when the last one has ended, the node's channel ends too.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) hello: Hello,
    pub(crate) limits: Limits,
    pub(crate) shaping: Option<Shaping>,
    pub(crate) metrics: Arc<Metrics>,
    /// Bounded. Tasks of a peer wait here for the node, in turn; the driver must not.
    pub(crate) inbound: mpsc::Sender<Inbound>,
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) view: Arc<Progress>,
}

impl Context {
    /// Hands something to the node, waiting for room. A node that is gone is shutting us down: nothing to report.
    pub(crate) async fn deliver(&self, inbound: Inbound) {
        let _ = self.inbound.send(inbound).await;
    }
}

/// The view below which frames are stale.
#[derive(Debug, Default)]
pub(crate) struct Progress(AtomicU64);

impl Progress {
    pub(crate) fn view(&self) -> View {
        View(self.0.load(Ordering::Relaxed))
    }

    /// Views only grow: a late call with an old view changes nothing.
    pub(crate) fn reach(&self, view: View) {
        self.0.fetch_max(view.0, Ordering::Relaxed);
    }
}
