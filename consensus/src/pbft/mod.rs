//! PBFT over a hash chain (Castro & Liskov, OSDI 1999 and TOCS 2002).
//!
//! The leader of a view is its *primary*, replica `view mod n`; it stays until a view change. A height is PBFT's sequence number.
//! Normal case: PRE-PREPARE from the primary, PREPARE from every backup to all, COMMIT from everybody to all: `2n(n-1)`
//! messages a block. Several heights are in flight.
//!
//! Where to read what: `rules` says *whether*; `primary` proposes; `backup` accepts, prepares and commits; `decide` makes blocks
//! final; `checkpoint` prunes; `view_change` leaves a view, `new_view` begins one; `timers` says when; `catch_up` and `fetch`
//! bring what was missed; `rejoin` brings back a replica that lost its journal; `restart` one that did not; `diagnosis` tells people how it stands.
//!
//! # A view change, check by check
//!
//! | # | check | where |
//! |---|---|---|
//! | 1 | a VIEW-CHANGE is attested by its replica and sent by it | `message` |
//! | 2 | its checkpoint and prepared certificate are real: a quorum of distinct members each | `message` |
//! | 3 | its certificate is of a view below the one that it moves to | `message` |
//! | 4 | its certificate lies in the window of its own checkpoint, not of the receiver's | `rules::fits` |
//! | 5 | of each sender only the greatest view counts; two different ones for one view are evidence | `view_change` |
//! | 6 | join at the (f+1)-th greatest view of the others, no earlier | `view_change` |
//! | 7 | the timer of a view runs once a quorum has moved to it or beyond | `timers` |
//! | 8 | a NEW-VIEW is attested by the primary of its view, whoever brings it | `message` |
//! | 9 | it holds a quorum of distinct valid VIEW-CHANGEs for exactly its view | `message` |
//! | 10 | base and tip follow from them: greatest checkpoint; greatest (view, height) certificate | `rules::follows` |
//! | 11 | one NEW-VIEW a view, never of a view below the own; a second different one is evidence | `new_view` |
//! | 12 | it is in the journal before anything is signed in its view | `new_view` |
//! | 13 | nothing is signed in the view below its tip, or at or below its base, and at the tip's height nothing but the tip | `backup` |
//! | 14 | the tip is prepared again only with its body and all its ancestors executed | `backup` |
//! | 15 | after VIEW-CHANGE(w) nothing is signed for views below w | `safety_rules` |
//! | 16 | the highest prepared certificate is never pruned | `checkpoint` |
//!
//! # Deviations from the paper
//!
//! - **Only the tip is proposed again.** The paper carries a certificate for each sequence number; over a hash chain the highest
//!   prepared block brings its ancestors with it. Prepared again one by one, from below, an interrupted view change would leave a
//!   certificate (later view, low height) that outranks (earlier view, committed height): a fork without any Byzantine replica
//!   (hole P1).
//! - Quorum certificates and checkpoints are real certificates, signed by a quorum, instead of sets of messages.
//! - PREPARE for a height waits until the height below is prepared in the same view, so what is prepared in a view is one chain
//!   without gaps.
//! - The first view is 1: view 0 belongs to the genesis block.
//! - The timer of the oldest request is two timers: one for progress, and a longer one for a batch that is passed over, so that
//!   overload and hopeless transactions depose nobody (hole P9).

mod backup;
mod catch_up;
mod certificate;
mod checkpoint;
mod cost;
mod decide;
mod diagnosis;
mod early;
mod evidence;
mod fetch;
mod forensics;
mod fork;
mod host;
mod log;
mod message;
mod new_view;
mod primary;
mod record;
mod rejoin;
mod restart;
mod rules;
mod signers;
mod statement;
#[cfg(test)]
mod tests;
mod timers;
mod view_change;

pub use certificate::{CommitCertificate, CommitProof, PreparedCertificate, StableCheckpoint};
pub use message::{Certificates, FETCH_LIMIT, Message, NewView, PrePrepare, Standing, ViewChange, Vote};
pub use record::Record;
pub use statement::{Ballot, Checkpoint, Commit, NewViewStatement, PrePrepareStatement, Prepare, ViewChangeStatement};

use crate::{
    Action, Config, Event, Ignored, Pacemaker, Replica, ReplicaStatus, SafetyRules, SeenCertificates, Step, StepOf,
    block_tree::{BlockTree, Held},
    diagnosis::Diagnosis,
    election::round_robin,
    evidence::Accusations,
    ready::Ready,
    tally::{Excluded, Poll},
};
use early::Early;
use fetch::Fetcher;
use log::Log;
use quorate_crypto::{Committee, Scheme};
use quorate_types::{Block, Digest, Height, ReplicaId, View, limits};
use rejoin::Rejoin;
use rules::Window;
use std::collections::{BTreeMap, BTreeSet};
use timers::Timers;

/// The first view.
const FIRST_VIEW: View = View(1);

/// Whether the replica takes part in its view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Phase {
    /// The view has begun.
    Active,
    /// VIEW-CHANGE for the view is sent, its NEW-VIEW not here yet.
    Changing,
}

/// A replica of PBFT.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pbft<S: Scheme> {
    safety: SafetyRules<S>,
    pacemaker: Pacemaker,
    max_block_batches: usize,
    /// Heights between checkpoints.
    interval: u64,

    view: View,
    phase: Phase,
    /// How the last view that began did so; `None` in the first.
    entry: Option<NewView<S>>,
    /// Nothing below this height is voted for in the view.
    start: Height,
    log: Log<S>,
    /// Messages of views that have not begun here.
    early: Early<S>,
    excluded: Excluded,

    /// The greatest stable checkpoint: the low watermark.
    low: StableCheckpoint<S>,
    checkpoints: BTreeMap<Height, Poll<Checkpoint, S>>,
    /// Own checkpoint votes that are not stable yet.
    own_checkpoints: BTreeMap<Height, Vote<Checkpoint, S>>,

    /// The highest prepared certificate: greatest view, then height. Never pruned (hole P2).
    prepared: Option<PreparedCertificate<S>>,
    /// The highest commit certificate.
    committed: Option<CommitCertificate<S>>,
    /// What made the last committed block final, if it was a quorum's COMMITs for just that block.
    root_certificate: Option<CommitCertificate<S>>,
    tree: BlockTree<Block>,
    /// Known to be final, but not executed up to there yet.
    commit_target: Option<(Digest, CommitProof<S>)>,

    /// Each sender's VIEW-CHANGE of the greatest view.
    changes: BTreeMap<ReplicaId, ViewChange<S>>,
    last_change: Option<ViewChange<S>>,

    /// Batches to propose, in order of arrival; those in uncommitted blocks are among them.
    ready: Ready,
    /// The batches of a block that the host is making.
    building: Option<Vec<Digest>>,

    seen: SeenCertificates,
    accusations: Accusations,
    fetcher: Fetcher,
    timers: Timers,
    rejoin: Option<Rejoin>,
    /// Answers given to each peer since the last poll.
    answers: BTreeMap<ReplicaId, u8>,
    poll_next: usize,
    /// It was here before: made from a journal with something in it.
    is_back: bool,
    halted: bool,
}

type Stepped<S> = Step<Message<S>, Record<S>>;

impl<S: Scheme> Pbft<S> {
    fn new(config: Config<S>) -> Self {
        let low = StableCheckpoint::genesis(&config.genesis);
        Self {
            safety: SafetyRules::recover(config.id, config.scheme, config.secret, []),
            pacemaker: Pacemaker::new(config.timeouts),
            max_block_batches: config.max_block_batches.clamp(1, limits::BLOCK_BATCHES),
            interval: config.checkpoint_interval.max(1),
            view: FIRST_VIEW,
            phase: Phase::Active,
            entry: None,
            start: config.genesis.height.next(),
            log: Log::default(),
            early: Early::default(),
            excluded: Excluded::default(),
            low,
            checkpoints: BTreeMap::new(),
            own_checkpoints: BTreeMap::new(),
            prepared: None,
            committed: config.head_proof.as_deref().and_then(decide::commit_certificate),
            root_certificate: config.head_proof.as_deref().and_then(decide::commit_certificate),
            tree: BlockTree::new(config.head),
            commit_target: None,
            changes: BTreeMap::new(),
            last_change: None,
            ready: Ready::default(),
            building: None,
            seen: config.seen,
            accusations: Accusations::default(),
            fetcher: Fetcher::default(),
            timers: Timers::default(),
            rejoin: None,
            answers: BTreeMap::new(),
            poll_next: config.id.index(),
            is_back: false,
            halted: false,
        }
    }

    fn me(&self) -> ReplicaId {
        self.safety.id()
    }

    fn committee(&self) -> &Committee {
        self.safety.scheme().committee()
    }

    fn primary(&self, view: View) -> ReplicaId {
        round_robin(self.committee(), view)
    }

    fn is_primary(&self) -> bool {
        self.primary(self.view) == self.me()
    }

    fn is_active(&self) -> bool {
        self.phase == Phase::Active
    }

    /// The last view that has begun here.
    fn begun(&self) -> View {
        match self.phase {
            Phase::Active => self.view,
            Phase::Changing => self.entry.as_ref().map_or(FIRST_VIEW, |entry| entry.view),
        }
    }

    /// The height of the last committed block.
    fn root(&self) -> Height {
        self.tree.root().height
    }

    /// Heights between the watermarks.
    fn window(&self) -> Window {
        Window { low: self.low.checkpoint.height, size: self.window_size() }
    }

    /// PBFT's `L`: two checkpoint intervals, so that the net need not wait for a checkpoint to become stable.
    fn window_size(&self) -> u64 {
        self.interval.saturating_mul(2)
    }

    /// Whether something is pending that the view should bring forward.
    fn has_work(&self) -> bool {
        self.pacemaker.block_interval().is_some()
            || !self.ready.is_empty()
            || self.commit_target.is_some()
            || (self.is_active() && self.in_flight().any(|block| !block.payload.is_empty()))
    }

    /// Accepted blocks above the last committed one.
    fn in_flight(&self) -> impl Iterator<Item = &Block> {
        let above = self.log.all_accepted().filter(|(height, _)| *height > self.root());
        above.filter_map(|(_, digest)| self.tree.get(&digest)).map(|node| node.held.block())
    }

    fn halt(&mut self, why: String, step: &mut Stepped<S>) {
        self.halted = true;
        step.act(Action::Halt(why));
    }

    fn on_message(&mut self, from: ReplicaId, message: Message<S>, step: &mut Stepped<S>) {
        match message {
            Message::PrePrepare(pre_prepare) => self.on_pre_prepare(from, *pre_prepare, step),
            Message::Prepare(vote) => self.on_prepare(from, vote, step),
            Message::Commit(vote) => self.on_commit(from, vote, step),
            Message::Checkpoint(vote) => self.on_checkpoint(vote, step),
            Message::ViewChange(change) => self.on_view_change(from, *change, step),
            Message::NewView(new_view) => self.on_new_view(from, *new_view, step),
            Message::AskCertificates(standing) => self.on_ask_certificates(from, standing, step),
            Message::Certificates(certificates) => self.on_certificates(from, *certificates, step),
            Message::AskBlock(block) => self.on_ask_block(from, block, step),
            Message::Blocks { wanted, blocks } => self.on_blocks(from, wanted, blocks.into_inner(), step),
        }
    }

    fn on_batch(&mut self, batch: Digest, step: &mut Stepped<S>) {
        if !self.ready.add(batch) {
            return step.ignore(Ignored::Duplicate);
        }
        self.try_propose(step);
    }
}

impl<S: Scheme> Replica for Pbft<S> {
    type Message = Message<S>;
    type Record = Record<S>;

    fn id(&self) -> ReplicaId {
        self.me()
    }

    fn view(&self) -> View {
        self.view
    }

    fn handle(&mut self, event: Event<Message<S>>) -> StepOf<Self> {
        let mut step = Step::default();
        if self.halted {
            return step;
        }
        match event {
            Event::Started => self.on_started(&mut step),
            Event::Received { from, message } => self.on_message(from, message.into_inner(), &mut step),
            Event::TimedOut(timer) => self.on_timer(timer, &mut step),
            Event::BatchReady(batch) => self.on_batch(batch, &mut step),
            Event::BatchSpent(batch) => self.ready.remove(&batch),
            Event::Built(block) => self.on_built(block, &mut step),
            Event::Executed { block, outcome } => self.on_executed(block, outcome, &mut step),
            Event::Synced { head, proof, batches, recent: _ } => self.on_synced(head, &proof, &batches, &mut step),
        }
        if !self.halted {
            self.arm(&mut step);
        }
        self.excluded.tell(&mut step);
        self.accusations.keep_news(&mut step);
        step
    }

    fn snapshot(&self) -> Vec<Record<S>> {
        self.records()
    }

    fn uncommitted_batches(&self) -> BTreeSet<Digest> {
        let held = self.tree.by_height();
        let nodes = held.iter().filter_map(|digest| self.tree.get(digest));
        nodes.flat_map(|node| node.held.payload.iter().copied()).collect()
    }

    fn status(&self) -> ReplicaStatus {
        let prepared = self.prepared.as_ref().map_or(View::GENESIS, |prepared| prepared.statement.0.view);
        ReplicaStatus {
            view: self.view,
            leader: Some(self.primary(self.view)),
            high_qc: prepared,
            locked_qc: prepared,
            committed: self.root(),
            failed_views: self.pacemaker.failed_views(),
            uncommitted_blocks: self.tree.len(),
            has_work: self.has_work(),
            rejoining: self.rejoin.is_some(),
        }
    }

    fn diagnosis(&self) -> Diagnosis {
        self.diagnose()
    }
}
