//! The journal thread of a simulated process: takes what has gathered, flushes once, then lets it out.

use super::{Death, Life, Out, Sight, Task};
use crate::{SimProtocol, disk::SimDisk};
use quorate_consensus::{Action, StepOf};
use quorate_ledger::Entry;
use quorate_types::Batch;
use quorate_validator::{LedgerWork, StepJournal, Wire};
use std::{collections::VecDeque, mem, sync::Arc};

/// Steps that wait for the journal, and what it is busy with.
pub(super) struct Journalling<P: SimProtocol> {
    journal: StepJournal<SimDisk, P::Record>,
    waiting: VecDeque<Work<P>>,
    busy: Busy<P>,
    rotate_after: u64,
    is_rotation_queued: bool,
}

enum Work<P: SimProtocol> {
    Keep(Arc<Batch>),
    Step(StepOf<P>),
    Rotate(Vec<Entry<P::Record>>),
}

enum Busy<P: SimProtocol> {
    No,
    /// The disk is writing; then these may happen.
    Flushing(Vec<Action<P::Message>>),
    /// The ledger is made durable; then a new journal begins with these.
    Rotating(Vec<Entry<P::Record>>),
}

impl<P: SimProtocol> Journalling<P> {
    pub(super) fn new(journal: StepJournal<SimDisk, P::Record>, rotate_after: u64) -> Self {
        let (waiting, busy) = (VecDeque::new(), Busy::No);
        Self { journal, waiting, busy, rotate_after, is_rotation_queued: false }
    }

    pub(super) fn keep(&mut self, batch: Arc<Batch>) {
        self.waiting.push_back(Work::Keep(batch));
    }

    pub(super) fn step(&mut self, step: StepOf<P>) {
        if !step.is_empty() {
            self.waiting.push_back(Work::Step(step));
        }
    }

    pub(super) fn syncs(&self) -> u64 {
        self.journal.syncs()
    }

    pub(super) fn is_rotation_due(&self) -> bool {
        !self.is_rotation_queued && self.journal.bytes() > self.rotate_after
    }

    pub(super) fn rotate(&mut self, live: Vec<Entry<P::Record>>) {
        self.is_rotation_queued = true;
        self.waiting.push_back(Work::Rotate(live));
    }

    /// Puts what waits into one flush, up to the next rotation. The steps' actions, and whether the disk has to work.
    fn gather(&mut self) -> std::io::Result<(Vec<Action<P::Message>>, bool)> {
        let mut steps = Vec::new();
        while !matches!(self.waiting.front(), None | Some(Work::Rotate(_))) {
            match self.waiting.pop_front() {
                Some(Work::Keep(batch)) => self.journal.keep(batch),
                Some(Work::Step(step)) => steps.push(step),
                Some(Work::Rotate(_)) | None => {}
            }
        }
        let before = self.journal.bytes();
        let actions = self.journal.release(steps)?;
        Ok((actions, self.journal.bytes() != before))
    }
}

impl<P: SimProtocol> Life<P> {
    /// Gives the journal what waits, if it is not busy.
    pub(super) fn flush(&mut self, outs: &mut Vec<Out<P>>) {
        while matches!(self.journalling.busy, Busy::No) && !self.journalling.waiting.is_empty() {
            if matches!(self.journalling.waiting.front(), Some(Work::Rotate(_)))
                && let Some(Work::Rotate(live)) = self.journalling.waiting.pop_front()
            {
                self.journalling.busy = Busy::Rotating(live);
                return outs.push(Out::Task(Task::SyncThenRotate));
            }
            match self.journalling.gather() {
                Ok((actions, true)) => {
                    self.journalling.busy = Busy::Flushing(actions);
                    outs.push(Out::Flush);
                }
                Ok((actions, false)) => actions.into_iter().for_each(|action| self.act(action, outs)),
                Err(error) => return outs.push(Out::Died(Death::Disk(error.to_string()))),
            }
        }
    }

    /// The disk is done. Returns how many actions left.
    pub(crate) fn flushed(&mut self, outs: &mut Vec<Out<P>>) -> usize {
        self.disks.journal.finish_sync();
        let Busy::Flushing(actions) = mem::replace(&mut self.journalling.busy, Busy::No) else { return 0 };
        self.check_durable(outs);
        let count = actions.len();
        actions.into_iter().for_each(|action| self.act(action, outs));
        self.flush(outs);
        count
    }

    /// The ledger is durable: the records of what is in it may go.
    pub(super) fn rotate_now(&mut self, outs: &mut Vec<Out<P>>) {
        let Busy::Rotating(live) = mem::replace(&mut self.journalling.busy, Busy::No) else { return };
        self.disks.journal.set_deferred(false);
        if let Err(error) = self.journalling.journal.rotate(live) {
            return outs.push(Out::Died(Death::Disk(error.to_string())));
        }
        self.disks.journal.set_deferred(true);
        // What is live alone may be more than the limit: rotating at once again would never end.
        self.journalling.rotate_after = self.journalling.rotate_after.max(2 * self.journalling.journal.bytes());
        self.journalling.is_rotation_queued = false;
        self.flush(outs);
    }

    fn act(&mut self, action: Action<P::Message>, outs: &mut Vec<Out<P>>) {
        match action {
            Action::Send { to, message } => outs.push(Out::Send { to, wire: Wire::Consensus(message) }),
            Action::Broadcast(message) => outs.push(Out::Broadcast(Wire::Consensus(message))),
            Action::Commit { block, proof } => {
                outs.push(Out::Task(Task::Work(LedgerWork::Commit { block, proof })));
            }
            Action::Accuse(evidence) => outs.push(Out::Saw(Sight::Accused(evidence))),
            Action::Halt(why) => outs.push(Out::Died(Death::Halted(why))),
        }
    }
}
