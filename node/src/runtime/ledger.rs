//! The ledger thread: builds, executes, commits, and takes in what block sync brings. The only writer.

use super::{consensus::Event, fail::Failure, metrics::Metrics, publish::unix_millis, submit::Waiters};
use crate::handle::{NodeEvent, NodeLedger};
use quorate_consensus::Protocol;
use quorate_ledger::{CommittedBlock, Genesis};
use quorate_types::{Height, ReplicaId};
use quorate_validator::{
    Committed, LedgerReply, LedgerWork, perform,
    sync::{self, SyncReply},
};
use std::sync::{Arc, PoisonError, RwLock, mpsc};
use tokio::sync::{broadcast, oneshot};

/// Committed blocks after which the ledger is made durable without being asked. Consensus does not need it (the journal
/// keeps what the ledger might lose), but it bounds how much is executed again after a power failure.
const SYNC_EVERY: u64 = 1024;

/// Something for the ledger thread.
pub(super) enum LedgerTask {
    /// From the replica.
    Work(LedgerWork),
    /// Make everything committed so far durable, then answer.
    Sync(mpsc::Sender<()>),
    /// Blocks that a peer sent.
    Accept { reply: Box<SyncReply>, taken: oneshot::Sender<Result<Height, String>> },
    /// Make everything durable and end.
    Stop,
}

pub(super) struct LedgerThread<P: Protocol> {
    pub(super) ledger: Arc<RwLock<NodeLedger>>,
    pub(super) me: ReplicaId,
    pub(super) genesis: Genesis,
    pub(super) tasks: mpsc::Receiver<LedgerTask>,
    pub(super) consensus: mpsc::Sender<Event<P>>,
    pub(super) waiters: Arc<Waiters>,
    pub(super) events: broadcast::Sender<NodeEvent>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) failure: Failure,
    pub(super) unsynced: u64,
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
                    self.sync()?;
                    let _gone = done.send(());
                }
                LedgerTask::Accept { reply, taken } => {
                    let _gone = taken.send(self.accept(*reply)?);
                }
                LedgerTask::Stop => return self.sync(),
            }
        }
        Ok(())
    }

    fn work(&mut self, work: LedgerWork) -> Result<(), String> {
        let reply = {
            let mut ledger = self.ledger.write().unwrap_or_else(PoisonError::into_inner);
            perform(&mut ledger, self.me, work, unix_millis()).map_err(|error| self.broken(&error))?
        };
        let Some(reply) = reply else { return Ok(()) };
        if let LedgerReply::Committed(committed) = &reply {
            self.announce(committed);
            self.unsynced += u64::try_from(committed.blocks.len()).unwrap_or(u64::MAX);
            if self.unsynced >= SYNC_EVERY {
                self.sync()?;
            }
        }
        let _stopped = self.consensus.send(Event::Ledger(Box::new(reply)));
        Ok(())
    }

    /// The inner result is the peer's fault, the outer one ours.
    fn accept(&mut self, reply: SyncReply) -> Result<Result<Height, String>, String> {
        let result = {
            let mut ledger = self.ledger.write().unwrap_or_else(PoisonError::into_inner);
            sync::accept(&mut ledger, &self.genesis, reply)
        };
        match result {
            Ok(reply) => {
                let mut height = Height::GENESIS;
                if let LedgerReply::Synced { head, committed, .. } = &reply {
                    height = head.height;
                    self.announce(committed);
                }
                let _stopped = self.consensus.send(Event::Ledger(Box::new(reply)));
                Ok(Ok(height))
            }
            Err(sync::SyncError::Ledger(error)) if error.is_local() => Err(self.broken(&error)),
            Err(error) => Ok(Err(error.to_string())),
        }
    }

    fn announce(&self, committed: &Committed) {
        self.waiters.committed(committed);
        let mut transactions = 0;
        for block in &committed.blocks {
            let count = block.outcomes.len();
            transactions += count;
            self.metrics.committed(block, count);
            let _nobody_listens = self.events.send(block_event(block, count));
        }
        if !committed.blocks.is_empty() {
            let _nobody_listens = self.events.send(NodeEvent::Commit { height: committed.head, transactions });
        }
    }

    fn sync(&mut self) -> Result<(), String> {
        self.unsynced = 0;
        let mut ledger = self.ledger.write().unwrap_or_else(PoisonError::into_inner);
        ledger.sync().map_err(|error| self.broken(&error))
    }

    fn broken(&self, error: &quorate_ledger::LedgerError) -> String {
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
        timestamp: header.timestamp,
    }
}
