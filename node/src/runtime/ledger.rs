//! The ledger thread: builds, executes, commits, and takes in what block sync brings. The only writer.

use super::{
    around::Around,
    consensus::Event,
    costs::Meter,
    fail::{Failure, safety_violation},
    metrics::Metrics,
    submit::Waiters,
};
use crate::handle::{NodeEvent, NodeLedger};
use quorate_consensus::Protocol;
use quorate_ledger::{CommittedBlock, LedgerError, Outcome as Executed, Tip};
use quorate_types::{Header, Height, ReplicaId};
use quorate_validator::{
    Committed, Finality, LedgerReply, LedgerWork, perform,
    sync::{Ask, Broken, CatchUp, Outcome, SyncError, SyncReply, Ticket},
};
use std::{
    mem,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::Duration,
};
use tokio::sync::{broadcast, mpsc as async_mpsc};

/// Committed blocks, and transactions, after which the ledger is made durable without being asked. Consensus does not need it (the
/// journal keeps what the ledger might lose), but it bounds how much is executed again after a crash.
const SYNC_EVERY: Unsynced = Unsynced { blocks: 1024, transactions: 16_384 };

/// What was committed since the ledger was made durable.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Unsynced {
    blocks: usize,
    transactions: usize,
}

/// Something for the ledger thread.
pub(super) enum LedgerTask {
    /// From the replica.
    Work(LedgerWork),
    /// Make all blocks committed so far durable, then answer.
    Sync(mpsc::Sender<()>),
    /// The replica wants the ledger to stand at `height`, where `from` stands.
    Want { from: ReplicaId, height: Height },
    /// What came of a question to a peer, and how long that took.
    Answered { ticket: Ticket, answer: Result<(Box<SyncReply>, Duration), SyncError> },
    /// Make everything durable and end.
    Stop,
}

pub(super) struct LedgerThread<P: Protocol> {
    pub(super) ledger: Arc<RwLock<NodeLedger>>,
    /// Its tip, for those who must not wait for it.
    pub(super) tip: Arc<RwLock<Tip>>,
    pub(super) me: ReplicaId,
    pub(super) around: Arc<dyn Around<P>>,
    pub(super) finality: Finality,
    pub(super) tasks: mpsc::Receiver<LedgerTask>,
    pub(super) consensus: mpsc::Sender<Event<P>>,
    pub(super) waiters: Arc<Waiters>,
    pub(super) events: broadcast::Sender<NodeEvent>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) meter: Arc<Meter<P>>,
    pub(super) failure: Failure,
    pub(super) catch_up: CatchUp,
    pub(super) asks: async_mpsc::UnboundedSender<Ask>,
    pub(super) syncing: Arc<AtomicBool>,
    pub(super) unsynced: Unsynced,
}

impl<P: Protocol> LedgerThread<P> {
    pub(super) fn run(mut self) {
        if let Err(why) = self.serve() {
            self.failure.fail(why);
        }
    }

    fn serve(&mut self) -> Result<(), String> {
        while let Ok(task) = self.tasks.recv() {
            match task {
                LedgerTask::Work(work) => self.work(work)?,
                LedgerTask::Sync(done) => {
                    self.sync(NodeLedger::sync_blocks)?;
                    let _gone = done.send(());
                }
                LedgerTask::Want { from, height } => self.want(from, height),
                LedgerTask::Answered { ticket, answer } => self.answered(ticket, answer)?,
                LedgerTask::Stop => return self.sync(NodeLedger::sync),
            }
        }
        Ok(())
    }

    fn work(&mut self, work: LedgerWork) -> Result<(), String> {
        let reply = {
            let mut ledger = self.ledger.write().unwrap_or_else(PoisonError::into_inner);
            perform(&mut ledger, self.me, work, self.around.clock()).map_err(|error| self.broken(&error))?
        };
        let Some(reply) = reply else { return Ok(()) };
        if let LedgerReply::Committed(committed) = &reply {
            self.announce(committed);
        }
        let _stopped = self.consensus.send(Event::Ledger(Box::new(reply)));
        self.sync_if_due()
    }

    fn want(&mut self, from: ReplicaId, height: Height) {
        let ask = {
            let ledger = self.ledger.read().unwrap_or_else(PoisonError::into_inner);
            self.catch_up.want((from, height), &ledger)
        };
        self.ask(ask);
    }

    fn ask(&mut self, ask: Option<Ask>) {
        if let Some(ask) = ask {
            tracing::debug!(peer = %ask.to, request = ?ask.request, "asking to catch up");
            let _stopped = self.asks.send(ask);
        }
        self.syncing.store(self.catch_up.is_running(), Ordering::Relaxed);
    }

    fn answered(
        &mut self,
        ticket: Ticket,
        answer: Result<(Box<SyncReply>, Duration), SyncError>,
    ) -> Result<(), String> {
        let outcome = {
            let finality = &self.finality;
            let mut ledger = self.ledger.write().unwrap_or_else(PoisonError::into_inner);
            let check = |header: &Header, proof: &[u8]| finality.check(header, proof);
            match answer {
                Ok((reply, took)) => self.catch_up.answered(ticket, (*reply, took), &mut ledger, &check),
                Err(why) => Ok(self.catch_up.failed(ticket, why, &ledger)),
            }
        };
        let Outcome { reply, ask, refused } = outcome.map_err(|broken| match broken {
            Broken::Ledger(error) => self.broken(&error),
            Broken::Fork { .. } => safety_violation(&broken.to_string()),
        })?;
        if let Some(refusal) = refused {
            if refusal.why.is_lie() {
                tracing::warn!(peer = %refusal.peer, why = %refusal.why, "a peer's answer is refused, the next one is asked");
            } else {
                tracing::debug!(peer = %refusal.peer, why = %refusal.why, "a peer is of no help in catching up");
            }
        }
        if let Some(reply) = reply {
            if let LedgerReply::Synced { head, committed, .. } = &reply {
                let way = if committed.blocks.is_empty() { "a snapshot" } else { "blocks" };
                tracing::info!(height = %head.height, "caught up by {way}");
                self.announce(committed);
            }
            let _stopped = self.consensus.send(Event::Ledger(Box::new(reply)));
        }
        self.ask(ask);
        self.sync_if_due()
    }

    fn announce(&mut self, committed: &Committed) {
        self.show_tip();
        self.waiters.committed(committed);
        let mut transactions = 0;
        for block in &committed.blocks {
            let count = block.outcomes.len();
            transactions += count;
            self.metrics.committed(block, count);
            self.meter.committed(block.block.header.view);
            let _nobody_listens = self.events.send(block_event(block, count));
            let _nobody_listens = self.events.send(transactions_event(block));
        }
        if !committed.blocks.is_empty() {
            let _nobody_listens = self.events.send(NodeEvent::Commit { height: committed.head, transactions });
        }
        self.unsynced.blocks += committed.blocks.len();
        self.unsynced.transactions += transactions;
    }

    fn show_tip(&self) {
        let tip = self.ledger.read().unwrap_or_else(PoisonError::into_inner).tip();
        let before = mem::replace(&mut *self.tip.write().unwrap_or_else(PoisonError::into_inner), tip);
        // It may be the last to hold a whole state, which takes a while to go: here nobody waits for it.
        drop(before);
    }

    fn sync_if_due(&mut self) -> Result<(), String> {
        let Unsynced { blocks, transactions } = self.unsynced;
        if blocks < SYNC_EVERY.blocks && transactions < SYNC_EVERY.transactions {
            return Ok(());
        }
        self.sync(NodeLedger::sync_blocks)
    }

    fn sync(&mut self, sync: fn(&mut NodeLedger) -> Result<(), LedgerError>) -> Result<(), String> {
        self.unsynced = Unsynced::default();
        let mut ledger = self.ledger.write().unwrap_or_else(PoisonError::into_inner);
        sync(&mut ledger).map_err(|error| self.broken(&error))
    }

    fn broken(&self, error: &LedgerError) -> String {
        format!("the ledger cannot go on: {error}")
    }
}

fn block_event(block: &CommittedBlock, transactions: usize) -> NodeEvent {
    let header = &block.block.header;
    NodeEvent::Block {
        height: header.height,
        view: header.view,
        digest: block.block.digest(),
        proposer: header.proposer,
        transactions,
        batches: block.block.payload.len(),
        timestamp: header.timestamp,
    }
}

fn transactions_event(block: &CommittedBlock) -> NodeEvent {
    let took_effect = block.outcomes.iter().filter(|(_, outcome)| !matches!(outcome, Executed::Skipped(_)));
    NodeEvent::Transactions {
        height: block.block.header.height,
        digests: took_effect.map(|(digest, _)| *digest).collect(),
    }
}
