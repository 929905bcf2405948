//! The journal thread: takes what has gathered, flushes once, then lets it out.

use super::{
    consensus::Event,
    costs::Meter,
    fail::{Failure, safety_violation},
    ledger::LedgerTask,
    metrics::Metrics,
    outbox::Outbox,
};
use crate::evidence::EvidenceStore;
use quorate_consensus::{Action, Evidence, Protocol, StepOf};
use quorate_ledger::{Disk, Durability, Entry};
use quorate_types::Batch;
use quorate_validator::{LedgerWork, StepJournal};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

/// Steps joined into one flush at most.
const GATHER: usize = 512;

/// Something for the journal thread, in order.
pub(super) enum JournalWork<P: Protocol> {
    /// Keep this batch before all later steps.
    Keep(Arc<Batch>),
    /// Make it durable, then let it out.
    Step(Box<StepOf<P>>),
    /// A peer has proven this: write it down.
    Accuse(Box<Evidence>),
    /// Stop over this.
    Halt(String),
    /// Everything before is reflected in these entries: begin a new file with them.
    Rotate(Vec<Entry<P::Record>>),
    /// Flush and end.
    Stop,
}

pub(super) struct JournalThread<P: Protocol> {
    pub(super) journal: StepJournal<Box<dyn Disk>, P::Record>,
    pub(super) work: mpsc::Receiver<JournalWork<P>>,
    pub(super) durability: Durability,
    /// How long [`Durability::Group`] gathers.
    pub(super) group_interval: Duration,
    pub(super) bytes: Arc<AtomicU64>,
    pub(super) ledger: mpsc::Sender<LedgerTask>,
    pub(super) consensus: mpsc::Sender<Event<P>>,
    pub(super) outbox: Outbox<P>,
    pub(super) evidence: Arc<EvidenceStore>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) meter: Arc<Meter<P>>,
    pub(super) failure: Failure,
}

impl<P: Protocol> JournalThread<P> {
    pub(super) fn run(mut self) {
        if let Err(error) = self.serve() {
            self.failure.fail(format!(
                "the vote journal cannot be written: {error}. Nothing that was not durable has left this validator; free \
                 or repair the disk and start it again"
            ));
        }
        let _gone = self.ledger.send(LedgerTask::Stop);
    }

    fn serve(&mut self) -> io::Result<()> {
        while let Ok(first) = self.work.recv() {
            if self.durability == Durability::Group && matches!(first, JournalWork::Step(_)) {
                std::thread::sleep(self.group_interval);
            }
            let mut steps = Vec::new();
            let mut last = None;
            for work in std::iter::once(first).chain(self.work.try_iter().take(GATHER)) {
                match work {
                    JournalWork::Keep(batch) => self.journal.keep(batch),
                    JournalWork::Step(step) => steps.push(*step),
                    JournalWork::Accuse(evidence) => self.accuse(&evidence),
                    JournalWork::Halt(why) => self.halt(&why),
                    JournalWork::Rotate(_) | JournalWork::Stop => {
                        last = Some(work);
                        break;
                    }
                }
            }
            self.release(steps)?;
            match last {
                Some(JournalWork::Rotate(live)) => self.rotate(live)?,
                Some(_) => return self.journal.flush(),
                None => {}
            }
        }
        Ok(())
    }

    fn release(&mut self, steps: Vec<StepOf<P>>) -> io::Result<()> {
        let before = self.journal.bytes();
        let started = Instant::now();
        let actions = self.journal.release(steps)?;
        let after = self.journal.bytes();
        if after != before {
            self.metrics.flushed(started.elapsed(), after - before);
            self.meter.flushed(self.journal.syncs());
            self.bytes.store(after, Ordering::Relaxed);
        }
        for action in actions {
            self.act(action);
        }
        Ok(())
    }

    fn act(&mut self, action: Action<P::Message>) {
        match action {
            Action::Send { to, message } => self.outbox.send(to, message),
            Action::Broadcast(message) => self.outbox.broadcast(message),
            Action::Commit { block, proof } => {
                let _gone = self.ledger.send(LedgerTask::Work(LedgerWork::Commit { block, proof }));
            }
            Action::Accuse(evidence) => self.accuse(&evidence),
            Action::Halt(why) => self.halt(&why),
        }
    }

    fn halt(&self, why: &str) {
        self.failure.fail(safety_violation(why));
    }

    fn accuse(&self, evidence: &Evidence) {
        self.metrics.accused();
        self.evidence.keep(evidence);
    }

    /// The ledger must be durable before the records of what is in it may go.
    fn rotate(&mut self, live: Vec<Entry<P::Record>>) -> io::Result<()> {
        let (done, wait) = mpsc::channel();
        let _gone = self.ledger.send(LedgerTask::Sync(done));
        if wait.recv().is_err() {
            return Err(io::Error::other("the ledger thread has ended before the journal could be rotated"));
        }
        self.journal.rotate(live)?;
        self.bytes.store(self.journal.bytes(), Ordering::Relaxed);
        let _stopped = self.consensus.send(Event::Rotated { bytes: self.journal.bytes() });
        Ok(())
    }
}
