//! A replica, its mempool and its docket as one value: an input in, what to do out.

use crate::{
    docket::{Docket, Testimony},
    ledger_work::{Committed, LedgerReply, LedgerWork},
    refusals::{Proposal, Refusal, Refusals},
    wire::{Checked, Inner},
};
use quorate_consensus::{
    Event, Evidence, Kind, Mempool, PoolAction, PoolMessage, PoolTimer, Refused, Rejection, Replica, Request, Step,
    StepOf, Timer,
};
use quorate_ledger::Entry;
use quorate_types::{Batch, Block, Digest, Height, ReplicaId, Transaction};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// Blocks that wait for batches at a time. When full, the lowest goes.
const MAX_WAITING: usize = 64;

/// Something that happens to a validator.
#[derive(Clone, Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "an input is handed on at once; how large its message is depends on the protocol"
)]
pub enum Input<M> {
    /// The process is up. First and once.
    Started,
    /// A peer's message, checked.
    Received {
        /// Whose.
        from: ReplicaId,
        /// What.
        message: Checked<M>,
    },
    /// A peer is connected, perhaps again: what was on its way to it may be lost, and it may have lost its disk.
    Connected(ReplicaId),
    /// A timer set by [`Effect::SetTimer`].
    TimedOut(CoreTimer),
    /// The ledger's answer.
    Ledger(LedgerReply),
}

/// A timer of a validator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CoreTimer {
    /// The replica's.
    Replica(Timer),
    /// The mempool's.
    Pool(PoolTimer),
    /// The docket's. Which of them it is.
    Testify(u64),
}

/// Something to do at once: it makes no promise.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Tell one.
    Send {
        /// Whom.
        to: ReplicaId,
        /// What.
        message: PoolMessage,
    },
    /// Tell all others.
    Broadcast(PoolMessage),
    /// Tell one about somebody's fault.
    Testify {
        /// Whom.
        to: ReplicaId,
        /// What.
        testimony: Testimony,
    },
    /// A peer has brought this, and it is proof: keep it for people.
    Accuse(Box<Evidence>),
    /// Stop, and say why: more than f members are convicted.
    Halt(String),
    /// A peer has accused somebody with something that proves nothing.
    Slandered {
        /// Which peer.
        by: ReplicaId,
        /// What is wrong with it.
        why: Rejection,
    },
    /// Give the timer back.
    SetTimer {
        /// Which.
        timer: CoreTimer,
        /// After how long.
        after: Duration,
    },
    /// Put the batch into the journal, before this output's step and all later ones. It need not be flushed for itself:
    /// the flush of the first vote that rests on it covers it.
    Keep(Arc<Batch>),
    /// For the ledger, in this order.
    Ledger(LedgerWork),
    /// Fetch committed blocks, `from` first, until the ledger stands at `height` or nobody has more; then answer with
    /// [`LedgerReply::Synced`].
    Sync {
        /// Who is ahead.
        from: ReplicaId,
        /// How far.
        height: Height,
    },
}

/// What an input led to. First the effects, then the step goes to the journal, in the order of outputs.
#[must_use = "a dropped output is a vote never cast"]
#[derive(Debug)]
pub struct Output<R: Replica> {
    /// At once, in order.
    pub effects: Vec<Effect>,
    /// Through the journal.
    pub step: StepOf<R>,
}

#[derive(Debug, Clone)]
struct Waiting {
    block: Block,
    holder: ReplicaId,
    missing: BTreeSet<Digest>,
}

/// One validator's state.
#[derive(Debug)]
pub struct Core<R: Replica> {
    replica: R,
    pool: Mempool,
    docket: Docket,
    refusals: Refusals,
    /// More than f members are convicted, and it was said.
    is_hopeless: bool,
    /// Blocks to execute when their batches are here.
    waiting: BTreeMap<(Height, Digest), Waiting>,
    /// Batches whose transactions are all used up. They go when no uncommitted block contains them any more.
    spent: BTreeSet<Digest>,
    effects: Vec<Effect>,
}

impl<R: Replica> Core<R> {
    /// Joins a replica and a mempool, both as the journal left them, and a docket.
    pub fn new(replica: R, pool: Mempool, docket: Docket) -> Self {
        Self {
            replica,
            pool,
            docket,
            refusals: Refusals::default(),
            is_hopeless: false,
            waiting: BTreeMap::new(),
            spent: BTreeSet::new(),
            effects: Vec::new(),
        }
    }

    /// Takes back proof of a fault that was kept before the process began. What comes of it comes with the next input.
    pub fn recall(&mut self, proof: Evidence) {
        self.docket.hold(Arc::new(proof), None, &mut self.effects);
    }

    /// The replica.
    pub fn replica(&self) -> &R {
        &self.replica
    }

    /// The mempool.
    pub fn pool(&self) -> &Mempool {
        &self.pool
    }

    /// What is held against others.
    pub fn docket(&self) -> &Docket {
        &self.docket
    }

    /// The last proposal that was not voted for, and why.
    pub fn last_refusal(&self) -> Option<&Refusal> {
        self.refusals.last()
    }

    /// How many batches that nobody has brought hold up the execution of blocks.
    pub fn missing_batches(&self) -> usize {
        let missing = self.waiting.values().flat_map(|waiting| &waiting.missing);
        missing.collect::<BTreeSet<_>>().len()
    }

    /// What a rotated journal begins with: live batches, then the replica's records. The ledger must be durable first.
    pub fn journal_snapshot(&self) -> Vec<Entry<R::Record>> {
        let batches = self.pool.batches().cloned().map(Entry::Batch);
        batches.chain(self.replica.snapshot().into_iter().map(Entry::Record)).collect()
    }

    /// Takes one input.
    pub fn handle(&mut self, input: Input<R::Message>) -> Output<R> {
        let mut step = Step::default();
        match input {
            Input::Started => {
                step = step.then(self.tell(Event::Started));
                let held: Vec<_> = self.pool.batches().map(|batch| batch.digest()).collect();
                for batch in held {
                    step = step.then(self.tell(Event::BatchReady(batch)));
                }
                step = step.then(self.with_pool(|pool, actions| pool.on_started(actions)));
            }
            Input::Received { from, message } => match message.0 {
                Inner::Consensus(message) => {
                    let proposed = message.get().proposes().map(Proposal::of);
                    let told = self.tell(Event::Received { from, message });
                    self.refusals.note(proposed, told.reason());
                    step = step.then(told);
                }
                Inner::Pool(message) => {
                    step = step.then(self.with_pool(|pool, actions| pool.on_message(from, message, actions)));
                }
                Inner::Evidence(testimony) => self.docket.hear(from, testimony, &mut self.effects),
            },
            Input::Connected(peer) => self.docket.connected(peer, &mut self.effects),
            Input::TimedOut(CoreTimer::Testify(timer)) => self.docket.on_timer(timer, &mut self.effects),
            Input::TimedOut(CoreTimer::Replica(timer)) => step = step.then(self.tell(Event::TimedOut(timer))),
            Input::TimedOut(CoreTimer::Pool(timer)) => {
                step = step.then(self.with_pool(|pool, actions| pool.on_timer(timer, actions)));
                let batches = self.pool.aged();
                if timer == PoolTimer::Repeat && !batches.is_empty() {
                    self.effects.push(Effect::Ledger(LedgerWork::Inspect { batches }));
                }
            }
            Input::Ledger(reply) => step = step.then(self.on_ledger(reply)),
        }
        self.output(step)
    }

    /// What the replica has found out about others is told to all.
    fn output(&mut self, step: StepOf<R>) -> Output<R> {
        for evidence in step.accusations() {
            self.docket.hold(Arc::new(evidence.clone()), None, &mut self.effects);
        }
        // What the replica itself stops over says more than who is to blame.
        self.is_hopeless |= step.is_halt();
        if let Some(convicted) = self.docket.too_many().filter(|_| !self.is_hopeless) {
            self.is_hopeless = true;
            let names: Vec<_> = convicted.iter().map(ToString::to_string).collect();
            self.effects.push(Effect::Halt(format!("there is proof against {}", names.join(", "))));
        }
        Output { effects: std::mem::take(&mut self.effects), step }
    }

    /// Takes in a client's transaction, whose signature is checked. `account_nonce` is its sender's next nonce in the
    /// committed state.
    pub fn submit(&mut self, transaction: Transaction, account_nonce: u64) -> (Result<(), Refused>, Output<R>) {
        let mut actions = Vec::new();
        let result = self.pool.submit(transaction, account_nonce, &mut actions);
        let step = self.pool_actions(actions);
        (result, self.output(step))
    }

    fn with_pool(&mut self, act: impl FnOnce(&mut Mempool, &mut Vec<PoolAction>)) -> StepOf<R> {
        let mut actions = Vec::new();
        act(&mut self.pool, &mut actions);
        self.pool_actions(actions)
    }

    fn pool_actions(&mut self, actions: Vec<PoolAction>) -> StepOf<R> {
        let mut step = Step::default();
        for action in actions {
            match action {
                PoolAction::Send { to, message } => self.effects.push(Effect::Send { to, message }),
                PoolAction::Broadcast(message) => self.effects.push(Effect::Broadcast(message)),
                PoolAction::SetTimer { timer, after } => {
                    self.effects.push(Effect::SetTimer { timer: CoreTimer::Pool(timer), after });
                }
                PoolAction::Ready(batch) => step = step.then(self.on_batch(batch)),
            }
        }
        step
    }

    fn on_batch(&mut self, batch: Arc<Batch>) -> StepOf<R> {
        let digest = batch.digest();
        self.effects.push(Effect::Keep(batch));
        for waiting in self.waiting.values_mut() {
            waiting.missing.remove(&digest);
        }
        let complete = |waiting: &Waiting| waiting.missing.is_empty();
        let ready: Vec<_> = self.waiting.iter().filter(|(_, waiting)| complete(waiting)).map(|(key, _)| *key).collect();
        for key in ready {
            if let Some(Waiting { block, holder, .. }) = self.waiting.remove(&key) {
                // Looks again: a batch that was here before may have gone while the block waited for the others.
                self.execute_when_complete(block, holder);
            }
        }
        self.tell(Event::BatchReady(digest))
    }

    /// Hands the replica an event and does at once what it requests.
    fn tell(&mut self, event: Event<R::Message>) -> StepOf<R> {
        let mut step = self.replica.handle(event);
        for request in step.take_requests() {
            match request {
                Request::SetTimer { timer, after } => {
                    self.effects.push(Effect::SetTimer { timer: CoreTimer::Replica(timer), after });
                }
                Request::Build { parent, view, batches } => {
                    let batches = batches.iter().filter_map(|digest| self.pool.get(digest).cloned()).collect();
                    self.effects.push(Effect::Ledger(LedgerWork::Build { parent, view, batches }));
                }
                Request::Execute { block, holder } => {
                    self.refusals.executing(&block.header);
                    self.execute_when_complete(block, holder);
                }
                Request::Inspect { batches } => {
                    let mut actions = Vec::new();
                    self.pool.offer(&batches, &mut actions);
                    // An offer readies no batch, so the replica hears nothing here.
                    let _no_step = self.pool_actions(actions);
                    let batches: Vec<_> = batches.iter().filter_map(|digest| self.pool.get(digest).cloned()).collect();
                    if !batches.is_empty() {
                        self.effects.push(Effect::Ledger(LedgerWork::Inspect { batches }));
                    }
                }
                Request::Sync { from, height } => self.effects.push(Effect::Sync { from, height }),
            }
        }
        step
    }

    fn execute_when_complete(&mut self, block: Block, holder: ReplicaId) {
        let missing: BTreeSet<_> =
            block.payload.iter().filter(|digest| self.pool.get(digest).is_none()).copied().collect();
        if missing.is_empty() {
            let batches = block.payload.iter().filter_map(|digest| self.pool.get(digest).cloned()).collect();
            return self.effects.push(Effect::Ledger(LedgerWork::Execute { block, batches }));
        }
        let mut actions = Vec::new();
        self.pool.need(missing.iter().copied().collect(), holder, &mut actions);
        // Asking for batches readies none, so the replica hears nothing here.
        let _no_step = self.pool_actions(actions);
        self.waiting.insert((block.header.height, block.digest()), Waiting { block, holder, missing });
        if self.waiting.len() > MAX_WAITING
            && let Some((_, dropped)) = self.waiting.pop_first()
        {
            self.unneed(dropped.missing);
        }
    }

    fn unneed(&mut self, batches: BTreeSet<Digest>) {
        let still: BTreeSet<_> = self.waiting.values().flat_map(|waiting| waiting.missing.iter().copied()).collect();
        self.pool.unneed(batches.into_iter().filter(|digest| !still.contains(digest)));
    }

    fn on_ledger(&mut self, reply: LedgerReply) -> StepOf<R> {
        match reply {
            LedgerReply::Built { block, spent } => {
                let step = self.tell(Event::Built(block));
                step.then(self.retire(spent))
            }
            LedgerReply::Spent(spent) => self.retire(spent),
            LedgerReply::Executed { block, outcome } => {
                let step = self.tell(Event::Executed { block, outcome });
                self.refusals.executed(block, step.reason());
                step
            }
            LedgerReply::Committed(committed) => self.on_committed(&committed),
            LedgerReply::Synced { head, proof, committed, recent } => {
                // The replica first: until it knows that these blocks are final, it needs their batches for them, and they would pass for
                // batches that a block above names again.
                let batches = committed.batches.clone();
                let step = self.tell(Event::Synced { head, proof, batches, recent });
                step.then(self.on_committed(&committed))
            }
        }
    }

    fn on_committed(&mut self, committed: &Committed) -> StepOf<R> {
        let head = committed.head;
        let (done, live): (BTreeMap<_, _>, BTreeMap<_, _>) =
            std::mem::take(&mut self.waiting).into_iter().partition(|((height, _), _)| *height <= head);
        self.waiting = live;
        for waiting in done.into_values() {
            self.unneed(waiting.missing);
        }
        // A block above may name a committed batch again. Whoever still has to execute it, after a crash too, must find the
        // batch with those who voted for it.
        let needed = self.replica.uncommitted_batches();
        let (again, done): (Vec<_>, Vec<_>) =
            committed.batches.iter().copied().partition(|batch| needed.contains(batch));
        let mut step = self.retire(again);
        // One that came once more while the commit was on its way to the ledger counts as ready to the replica.
        for batch in &done {
            step = step.then(self.tell(Event::BatchSpent(*batch)));
        }
        let step = step.then(self.with_pool(|pool, actions| {
            pool.on_committed(done, &committed.early, &committed.nonces, actions);
        }));
        step.then(self.discard_spent())
    }

    /// Nothing in these batches can apply any more: they are no work for anybody, and go when no uncommitted block names them.
    fn retire(&mut self, spent: impl IntoIterator<Item = Digest>) -> StepOf<R> {
        let mut step = Step::default();
        for batch in spent {
            if self.spent.insert(batch) {
                self.pool.retire(&batch);
                step = step.then(self.tell(Event::BatchSpent(batch)));
            }
        }
        step.then(self.discard_spent())
    }

    /// Forgets spent batches that no uncommitted block names, at once: in an idle net no commit would come to do it. The replica
    /// hears it again: a batch that was committed and came once more counts as ready to it.
    fn discard_spent(&mut self) -> StepOf<R> {
        let mut step = Step::default();
        if self.spent.is_empty() {
            return step;
        }
        let needed = self.replica.uncommitted_batches();
        let (keep, gone): (BTreeSet<_>, BTreeSet<_>) =
            std::mem::take(&mut self.spent).into_iter().partition(|batch| needed.contains(batch));
        self.spent = keep;
        self.pool.discard(gone.iter().copied());
        for batch in gone {
            step = step.then(self.tell(Event::BatchSpent(batch)));
        }
        step
    }
}
