//! What a validator counts about consensus, the journal and the mempool. Names under `quorate_`.

use prometheus_client::{
    metrics::{
        counter::Counter,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};
use quorate_consensus::MempoolStatus;
use quorate_ledger::CommittedBlock;
use quorate_types::View;
use std::time::Duration;

pub(super) struct Metrics {
    height: Gauge,
    view: Gauge,
    timeouts: Counter,
    blocks: Counter,
    transactions: Counter,
    flush: Histogram,
    journal_bytes: Counter,
    rejected: Counter,
    accusations: Counter,
    pool_transactions: Gauge,
    pool_batches: Gauge,
    pool_bytes: Gauge,
}

impl Metrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            height: Gauge::default(),
            view: Gauge::default(),
            timeouts: Counter::default(),
            blocks: Counter::default(),
            transactions: Counter::default(),
            flush: Histogram::new(exponential_buckets(0.000_05, 2.0, 16)),
            journal_bytes: Counter::default(),
            rejected: Counter::default(),
            accusations: Counter::default(),
            pool_transactions: Gauge::default(),
            pool_batches: Gauge::default(),
            pool_bytes: Gauge::default(),
        };
        let registry = registry.sub_registry_with_prefix("quorate");
        let consensus = registry.sub_registry_with_prefix("consensus");
        consensus.register("height", "Height of the last committed block", metrics.height.clone());
        consensus.register("view", "View that the replica is in", metrics.view.clone());
        consensus.register("view_timeouts", "Views entered by a timeout certificate", metrics.timeouts.clone());
        consensus.register("blocks", "Blocks committed", metrics.blocks.clone());
        consensus.register("transactions", "Transactions in committed blocks", metrics.transactions.clone());
        consensus.register("rejected_messages", "Peers' messages that failed the check", metrics.rejected.clone());
        consensus.register("accusations", "Pieces of evidence of misbehaviour seen", metrics.accusations.clone());
        let journal = registry.sub_registry_with_prefix("journal");
        journal.register_with_unit("flush", "Time of one journal flush", Unit::Seconds, metrics.flush.clone());
        journal.register_with_unit(
            "written",
            "Bytes written to the journal",
            Unit::Bytes,
            metrics.journal_bytes.clone(),
        );
        let pool = registry.sub_registry_with_prefix("mempool");
        pool.register("transactions", "Transactions in uncommitted batches", metrics.pool_transactions.clone());
        pool.register("batches", "Uncommitted batches held", metrics.pool_batches.clone());
        pool.register_with_unit("size", "Bytes of uncommitted batches", Unit::Bytes, metrics.pool_bytes.clone());
        metrics
    }

    pub(super) fn committed(&self, block: &CommittedBlock, transactions: usize) {
        self.height.set(i64::try_from(block.block.header.height.0).unwrap_or(i64::MAX));
        self.blocks.inc();
        self.transactions.inc_by(u64::try_from(transactions).unwrap_or(u64::MAX));
    }

    pub(super) fn view(&self, view: View, timed_out: bool) {
        self.view.set(i64::try_from(view.0).unwrap_or(i64::MAX));
        if timed_out {
            self.timeouts.inc();
        }
    }

    pub(super) fn flushed(&self, took: Duration, bytes: u64) {
        self.flush.observe(took.as_secs_f64());
        self.journal_bytes.inc_by(bytes);
    }

    pub(super) fn rejected(&self) {
        self.rejected.inc();
    }

    pub(super) fn accused(&self) {
        self.accusations.inc();
    }

    pub(super) fn pool(&self, pool: &MempoolStatus) {
        let gauge = |gauge: &Gauge, value: usize| gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        gauge(&self.pool_transactions, pool.transactions);
        gauge(&self.pool_batches, pool.batches);
        gauge(&self.pool_bytes, pool.bytes);
    }
}
