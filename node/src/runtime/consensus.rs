//! The consensus thread: one input after the other, no disk, and no lock that anybody holds for long.

use super::{
    around::Speaker,
    fail::Failure,
    journal::JournalWork,
    ledger::LedgerTask,
    outbox::Outbox,
    publish::Publisher,
    submit::{CheckedTransaction, Taken, refusal},
};
use crate::handle::Examination;
use quorate_consensus::Protocol;
use quorate_ledger::Entry;
use quorate_network::Slot;
use quorate_types::ReplicaId;
use quorate_validator::{Checked, Core, CoreTimer, Effect, Input, LedgerReply, Output};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    time::Duration,
};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// The journal is rotated when it is this long, and at least twice as long as what was live at the last rotation.
pub(super) const ROTATE_AFTER: u64 = 32 * 1024 * 1024;
/// How often the status is published when nothing happens.
const QUIET: Duration = Duration::from_millis(100);

/// Something for the consensus thread.
pub(super) enum Event<P: Protocol> {
    /// A checked message. Its slot is given back once it has been handled.
    Received { from: ReplicaId, message: Box<Checked<P::Message>>, slot: Slot },
    /// A peer is connected.
    Connected(ReplicaId),
    /// A timer that was set.
    TimedOut(CoreTimer),
    /// From the ledger thread.
    Ledger(Box<LedgerReply>),
    /// A client's transactions, checked. Answered, in order, once each is in the mempool or refused.
    /// Room for others is made by then.
    Submit { checked: Vec<CheckedTransaction>, respond: oneshot::Sender<Vec<Taken>>, room: OwnedSemaphorePermit },
    /// The journal has begun a new file, which is this long.
    Rotated { bytes: u64 },
    /// Somebody asks why there is no block.
    Examine(oneshot::Sender<Examination>),
    /// Stop.
    Stop,
}

pub(super) struct Consensus<P: Protocol> {
    pub(super) core: Core<Speaker<P>>,
    pub(super) events: mpsc::Receiver<Event<P>>,
    /// To set timers.
    pub(super) own: mpsc::Sender<Event<P>>,
    pub(super) runtime: tokio::runtime::Handle,
    pub(super) journal: mpsc::Sender<JournalWork<P>>,
    pub(super) journal_bytes: Arc<AtomicU64>,
    pub(super) ledger: mpsc::Sender<LedgerTask>,
    pub(super) outbox: Outbox<P>,
    pub(super) publisher: Publisher,
    pub(super) failure: Failure,
    pub(super) rotating: bool,
    /// Length at which the journal is rotated.
    pub(super) rotate_at: u64,
}

/// The journal or the ledger thread is gone.
struct Gone;

impl<P: Protocol> Consensus<P> {
    pub(super) fn run(mut self) {
        if self.serve().is_err() && !self.publisher.is_stopping() {
            self.failure.fail("the journal or ledger thread has ended".to_owned());
        }
        let _ = self.journal.send(JournalWork::Stop);
    }

    fn serve(&mut self) -> Result<(), Gone> {
        let output = self.core.handle(Input::Started);
        self.perform(output)?;
        loop {
            let event = match self.events.recv_timeout(QUIET) {
                Ok(event) => event,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    self.publisher.publish(&self.core);
                    self.outbox.post();
                    continue;
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(()),
            };
            match event {
                Event::Stop => return Ok(()),
                Event::Rotated { bytes } => {
                    self.rotating = false;
                    self.rotate_at = ROTATE_AFTER.max(2 * bytes);
                }
                Event::Received { from, message, slot } => {
                    if let Some(message) = message.pool() {
                        self.outbox.overhear(from, message);
                    }
                    self.take(Input::Received { from, message: *message })?;
                    drop(slot);
                }
                Event::Connected(peer) => self.take(Input::Connected(peer))?,
                Event::TimedOut(timer) => self.take(Input::TimedOut(timer))?,
                Event::Ledger(reply) => self.take(Input::Ledger(*reply))?,
                Event::Examine(respond) => {
                    let _gone = respond.send(self.publisher.examine(&self.core));
                }
                Event::Submit { checked, respond, room } => {
                    let taken = checked.into_iter().map(|checked| self.submit(checked)).collect::<Result<_, Gone>>()?;
                    let _gone_client = respond.send(taken);
                    drop(room);
                }
            }
            self.outbox.post();
            self.publisher.publish_soon(&self.core);
            self.rotate_if_due()?;
        }
    }

    fn take(&mut self, input: Input<P::Message>) -> Result<(), Gone> {
        let output = self.core.handle(input);
        self.perform(output)
    }

    fn submit(&mut self, checked: CheckedTransaction) -> Result<Taken, Gone> {
        let (transaction, account_nonce) = match checked {
            Ok(checked) => checked,
            Err(refused) => return Ok(Err(refused)),
        };
        let (result, output) = self.core.submit(transaction, account_nonce);
        self.perform(output)?;
        Ok(result.map_err(refusal))
    }

    fn perform(&mut self, output: Output<Speaker<P>>) -> Result<(), Gone> {
        self.outbox.set_view(self.core.replica().view());
        for effect in output.effects {
            match effect {
                Effect::Send { to, message } => self.outbox.send_pool(to, message),
                Effect::Broadcast(message) => self.outbox.broadcast_pool(message),
                Effect::Testify { to, testimony } => self.outbox.testify(to, testimony),
                Effect::Accuse(proof) => self.journal.send(JournalWork::Accuse(proof)).map_err(|_| Gone)?,
                Effect::Halt(why) => self.journal.send(JournalWork::Halt(why)).map_err(|_| Gone)?,
                Effect::Slandered { by, why } => {
                    tracing::warn!(peer = %by, %why, "a peer's evidence proves nothing: it is not listened to any more");
                }
                Effect::SetTimer { timer, after } => self.set_timer(timer, after),
                Effect::Keep(batch) => self.journal.send(JournalWork::Keep(batch)).map_err(|_| Gone)?,
                Effect::Ledger(work) => self.ledger.send(LedgerTask::Work(work)).map_err(|_| Gone)?,
                Effect::Sync { from, height } => {
                    self.ledger.send(LedgerTask::Want { from, height }).map_err(|_| Gone)?;
                }
            }
        }
        if let Some(reason) = output.step.reason() {
            tracing::trace!(?reason, "ignored");
        }
        if !output.step.is_empty() {
            self.journal.send(JournalWork::Step(Box::new(output.step))).map_err(|_| Gone)?;
        }
        Ok(())
    }

    fn set_timer(&self, timer: CoreTimer, after: Duration) {
        let own = self.own.clone();
        self.runtime.spawn(async move {
            tokio::time::sleep(after).await;
            let _stopped = own.send(Event::TimedOut(timer));
        });
    }

    fn rotate_if_due(&mut self) -> Result<(), Gone> {
        if self.rotating || self.journal_bytes.load(Ordering::Relaxed) < self.rotate_at {
            return Ok(());
        }
        self.rotating = true;
        let live: Vec<Entry<_>> = self.core.journal_snapshot();
        self.journal.send(JournalWork::Rotate(live)).map_err(|_| Gone)
    }
}
