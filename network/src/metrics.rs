//! Prometheus metrics, prefix `quorate_p2p_`, and the meter that feeds them and the per-peer counts alike.
//!
//! Label values are class names, message kinds and drop reasons: constants of our own code, so the number of series does
//! not depend on peers. Per-peer numbers are in [`PeerStatus`](crate::PeerStatus).

use crate::stats::Counts;
use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

type Labels<const N: usize> = [(&'static str, &'static str); N];

/// The metrics of the whole network.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metrics {
    sent_messages: Family<Labels<2>, Counter>,
    sent_bytes: Family<Labels<2>, Counter>,
    received_messages: Family<Labels<1>, Counter>,
    received_bytes: Family<Labels<1>, Counter>,
    dropped: Family<Labels<2>, Counter>,
    refused: Family<Labels<1>, Counter>,
    /// Peers to which votes can be sent.
    pub(crate) connected: Gauge,
    /// Connections made after the first to a peer.
    pub(crate) reconnects: Counter,
    /// Dials that did not end in a connection.
    pub(crate) failed_dials: Counter,
}

impl Metrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register("messages_sent", "Messages given to streams", metrics.sent_messages.clone());
        registry.register("bytes_sent", "Bytes of messages given to streams", metrics.sent_bytes.clone());
        registry.register("messages_received", "Messages read from streams", metrics.received_messages.clone());
        registry.register("bytes_received", "Bytes of messages read from streams", metrics.received_bytes.clone());
        registry.register("messages_dropped", "Messages dropped, by reason", metrics.dropped.clone());
        registry.register("refused", "Connections and streams refused, by reason", metrics.refused.clone());
        registry.register("connected_peers", "Peers to which votes can be sent", metrics.connected.clone());
        registry.register("reconnects", "Connections after the first to a peer", metrics.reconnects.clone());
        registry.register("failed_dials", "Dials that ended without a connection", metrics.failed_dials.clone());
        metrics
    }

    /// Counts a connection or stream that we refused.
    pub(crate) fn refuse(&self, reason: &'static str) {
        self.refused.get_or_create(&[("reason", reason)]).inc();
    }
}

/// Why a message was not sent or not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drop {
    QueueFull,
    Stale,
    Oversized,
    TooManyRequests,
    NoAnswer,
    /// Lost on a shaped link.
    Shaped,
}

impl Drop {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::Stale => "stale",
            Self::Oversized => "oversized",
            Self::TooManyRequests => "too_many_requests",
            Self::NoAnswer => "no_answer",
            Self::Shaped => "shaped",
        }
    }
}

/// Counts one peer's traffic, and adds it to the whole network's.
#[derive(Debug)]
pub(crate) struct Meter {
    metrics: Arc<Metrics>,
    counts: Mutex<Counts>,
}

impl Meter {
    pub(crate) fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics, counts: Mutex::default() }
    }

    #[cfg(test)]
    pub(crate) fn for_tests() -> Self {
        Self::new(Arc::default())
    }

    pub(crate) fn sent(&self, class: &'static str, kind: &'static str, bytes: usize) {
        let labels = [("class", class), ("kind", kind)];
        self.metrics.sent_messages.get_or_create(&labels).inc();
        self.metrics.sent_bytes.get_or_create(&labels).inc_by(bytes as u64);
        self.counts().sent.entry(kind).or_default().add(bytes);
    }

    pub(crate) fn received(&self, class: &'static str, bytes: usize) {
        let labels = [("class", class)];
        self.metrics.received_messages.get_or_create(&labels).inc();
        self.metrics.received_bytes.get_or_create(&labels).inc_by(bytes as u64);
        self.counts().received.entry(class).or_default().add(bytes);
    }

    pub(crate) fn dropped(&self, class: &'static str, reason: Drop, messages: u64) {
        if messages == 0 {
            return;
        }
        self.metrics.dropped.get_or_create(&[("class", class), ("reason", reason.name())]).inc_by(messages);
        *self.counts().dropped.entry(reason.name()).or_default() += messages;
    }

    pub(crate) fn snapshot(&self) -> Counts {
        self.counts().clone()
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
