//! Chained (pipelined) HotStuff (Yin, Malkhi, Reiter, Golan Gueta, Abraham, PODC 2019), with the pacemaker of LibraBFT.
//!
//! One proposal a view. Each view's votes certify its block and serve as a later phase of its ancestors: a block is committed
//! when it, its child and its grandchild are certified in consecutive views. Votes go to the next leader: `n-1` proposals
//! and `n-1` votes a view.
//!
//! Where to read what: `rules` says *whether* (vote, lock, commit); `lead` proposes; `follow` votes; `chain` takes
//! certificates, locks and commits; `views` enters and leaves views; `leaders` says who leads them; `fetch` brings missing blocks; `fork` stops and names the liars when there are too many; `rejoin` brings back a
//! replica that lost its journal; `tally` counts; `diagnosis` tells people how it stands.
//!
//! Deviations from the paper, and why:
//! - Views move only by certificates: a QC or a *timeout certificate* (TC) of the view before. Local clocks alone never do.
//! - Timeouts carry the vote of their view, and votes of views already left count: with votes going to the next leader and
//!   one of four crashed, the QC of the view before the crashed leader's would otherwise be lost each round, and nothing
//!   would ever commit. Whoever enters a view by a TC sends a vote that no certificate shows yet to all.
//! - A block does not contain its justify, the proposal does. The parent's view is in the parent's header, and a
//!   certificate on a child implies that honest replicas checked the one on its parent.
//! - An idle net is quiet: leaders propose when there are batches, while a non-empty block is not yet known to be
//!   committed by all, after a timeout, or at the genesis' block interval; timers run only while there is work.

mod certificate;
mod chain;
mod cost;
mod diagnosis;
mod fetch;
mod follow;
mod forensics;
mod fork;
mod host;
mod lead;
mod leaders;
mod message;
mod record;
mod rejoin;
mod rules;
mod signers;
mod statement;
mod tally;
#[cfg(test)]
mod tests;
mod views;

pub use certificate::{CommitProof, QuorumCertificate, TimeoutCertificate, TimeoutShare};
pub use message::{Certificates, FETCH_LIMIT, JustifiedBlock, Message, Proposal, Timeout, Vote};
pub use record::Record;
pub use statement::{Ballot, ProposalStatement, TimeoutStatement};

use crate::{
    Action, Config, Election, Event, Ignored, Pacemaker, Promise, Replica, ReplicaStatus, Request, SafetyRules,
    SeenCertificates, Slot, Step, StepOf, Timer,
};
use crate::{
    block_tree::{BlockTree, Held},
    diagnosis::Diagnosis,
    election::Proposers,
    evidence::Accusations,
    ready::Ready,
};
use fetch::Fetcher;
use quorate_crypto::{Committee, Scheme};
use quorate_types::{Block, Digest, Height, ReplicaId, View, decode, limits};
use rejoin::Rejoin;
use std::collections::{BTreeMap, BTreeSet};
use tally::{TimeoutTally, VoteTally};

/// A replica of chained HotStuff.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HotStuff<S: Scheme> {
    safety: SafetyRules<S>,
    election: Election,
    pacemaker: Pacemaker,
    max_block_batches: usize,

    view: View,
    /// How the view was entered, if by a timeout certificate.
    entry: Option<TimeoutCertificate<S>>,
    high_qc: QuorumCertificate<S>,
    locked_qc: QuorumCertificate<S>,
    tree: BlockTree<JustifiedBlock<S>>,
    /// Proves the root final.
    root_proof: Option<CommitProof<S>>,
    /// Of the committed chain.
    proposers: Proposers,
    /// A three-chain is there, but blocks of it are not executed yet.
    commit_target: Option<(Digest, CommitProof<S>)>,

    votes: VoteTally<S>,
    timeouts: TimeoutTally<S>,
    last_vote: Option<Vote<S>>,
    last_timeout: Option<Timeout<S>>,
    /// The proposal of this view, until it is voted for.
    pending: Option<Proposal<S>>,
    /// The batches of a block that the host is making for this view.
    building: Option<Vec<Digest>>,

    /// Batches to propose, in order of arrival; those in uncommitted blocks are among them.
    ready: Ready,
    /// Height up to which proposals have told everybody that blocks are committed.
    announced: Height,
    /// Height of the last committed block with transactions.
    last_nonempty: Height,

    seen: SeenCertificates,
    accusations: Accusations,
    fetcher: Fetcher<S>,
    rejoin: Option<Rejoin>,
    /// The view whose timer runs.
    armed: Option<View>,
    /// The view and the last committed height at the last poll.
    polled: (View, Height),
    poll_next: usize,
    halted: bool,
}

impl<S: Scheme> Held for JustifiedBlock<S> {
    fn block(&self) -> &Block {
        &self.block
    }
}

type Stepped<S> = Step<Message<S>, Record<S>>;

impl<S: Scheme> HotStuff<S> {
    fn new(config: Config<S>) -> Self {
        let genesis = QuorumCertificate::genesis(&config.genesis);
        Self {
            safety: SafetyRules::recover(config.id, config.scheme, config.secret, []),
            election: config.election,
            pacemaker: Pacemaker::new(config.timeouts),
            max_block_batches: config.max_block_batches.clamp(1, limits::BLOCK_BATCHES),
            view: View::GENESIS.next(),
            entry: None,
            high_qc: genesis.clone(),
            locked_qc: genesis,
            root_proof: config.head_proof.and_then(|proof| decode(&proof).ok()),
            proposers: Proposers::up_to(&config.head, &config.recent),
            tree: BlockTree::new(config.head.clone()),
            commit_target: None,
            votes: VoteTally::new(),
            timeouts: TimeoutTally::new(),
            last_vote: None,
            last_timeout: None,
            pending: None,
            building: None,
            ready: Ready::default(),
            announced: config.head.height,
            last_nonempty: Height::GENESIS,
            seen: config.seen,
            accusations: Accusations::default(),
            fetcher: Fetcher::new(),
            rejoin: None,
            armed: None,
            polled: (View::GENESIS, Height::GENESIS),
            poll_next: config.id.index(),
            halted: false,
        }
    }

    fn replay(&mut self, records: impl IntoIterator<Item = Record<S>>) {
        let mut promises: Vec<Promise> = Vec::new();
        let mut blocks = BTreeMap::new();
        let mut is_silent = false;
        for record in records {
            match record {
                Record::Promise(promise) => {
                    is_silent &= promise.slot != Slot::Rejoined;
                    promises.push(promise);
                }
                Record::Silence => is_silent = true,
                Record::Block(justified) => {
                    let header = &justified.block.header;
                    blocks.insert((header.height, header.digest()), justified);
                }
                Record::Certificates { high_qc, locked_qc, entry } => {
                    self.high_qc = newer(&self.high_qc, high_qc);
                    self.locked_qc = newer(&self.locked_qc, locked_qc);
                    if entry.as_ref().map(|entry| entry.view) > self.entry.as_ref().map(|entry| entry.view) {
                        self.entry = entry;
                    }
                }
                Record::Vote(vote) => self.last_vote = Some(vote),
                Record::Timeout(timeout) => self.last_timeout = Some(*timeout),
            }
        }
        for ((_, digest), justified) in blocks {
            self.high_qc = newer(&self.high_qc, justified.justify.clone());
            if self.tree.insert(digest, justified)
                && let Some(node) = self.tree.get_mut(&digest)
            {
                node.recorded = true;
            }
        }
        self.safety.restore(promises);
        if is_silent {
            self.safety.silence();
            self.rejoin = Some(Rejoin::default());
        }
        self.view = self.high_qc.view().next();
        match &self.entry {
            Some(entry) if entry.view >= self.view => self.view = entry.view.next(),
            _ => self.entry = None,
        }
    }

    fn id_and_committee(&self) -> (ReplicaId, &Committee) {
        (self.safety.id(), self.committee())
    }

    fn committee(&self) -> &Committee {
        self.safety.scheme().committee()
    }

    fn on_started(&mut self, step: &mut Stepped<S>) {
        self.set_poll_timer(step);
        self.ask_for_certificates(step);
        if self.rejoin.is_some() {
            return;
        }
        self.repeat_last_words(step);
        for block in self.tree.by_height() {
            self.execute_if_possible(block, step);
        }
        self.reconsider(step);
        self.try_propose(step);
    }

    /// After a restart the same bytes go out again: the last vote, the last timeout, the proposal of this view.
    fn repeat_last_words(&mut self, step: &mut Stepped<S>) {
        match self.last_timeout.clone() {
            Some(timeout) if timeout.view >= self.view => {
                step.broadcast(Message::Timeout(Box::new(timeout.clone())));
                // A quorum by itself where there is nobody else.
                self.count_timeout(timeout, step);
            }
            _ => {}
        }
        if let Some(vote) = self.last_vote.clone() {
            self.send_vote(vote, step);
        }
        self.repeat_proposal(step);
    }

    fn on_batch(&mut self, batch: Digest, step: &mut Stepped<S>) {
        if !self.ready.add(batch) {
            return step.ignore(Ignored::Duplicate);
        }
        self.try_propose(step);
    }

    fn on_message(&mut self, from: ReplicaId, message: Message<S>, step: &mut Stepped<S>) {
        match message {
            Message::Proposal(proposal) => self.on_proposal(from, *proposal, step),
            Message::Vote(vote) => self.on_vote(vote, step),
            Message::Timeout(timeout) => self.on_timeout(from, *timeout, step),
            Message::Certificates(certificates) => self.on_certificates(from, *certificates, step),
            Message::AskCertificates(view) => self.on_ask_certificates(from, view, step),
            Message::AskBlock(block) => self.on_ask_block(from, block, step),
            Message::Blocks { wanted, blocks } => self.on_blocks(from, wanted, blocks.into_inner(), step),
        }
    }

    fn on_timer(&mut self, timer: Timer, step: &mut Stepped<S>) {
        match timer {
            Timer::View(view) => self.on_view_timer(view, step),
            Timer::Pace(view) => self.on_pace_timer(view, step),
            Timer::Fetch => self.on_fetch_timer(step),
            Timer::Poll => self.on_poll_timer(step),
            Timer::Progress { .. } | Timer::Censorship(_) | Timer::Retransmit(_) => step.ignore(Ignored::StaleTimer),
        }
    }

    /// Keeps the view's timer running while there is something that the view should bring forward.
    fn arm(&mut self, step: &mut Stepped<S>) {
        if self.armed == Some(self.view) || self.rejoin.is_some() || !self.has_work() {
            return;
        }
        self.armed = Some(self.view);
        let after =
            if self.has_left(self.view) { self.pacemaker.retransmission() } else { self.pacemaker.view_duration() };
        step.request(Request::SetTimer { timer: Timer::View(self.view), after });
    }

    fn has_work(&self) -> bool {
        self.pacemaker.block_interval().is_some()
            || !self.ready.is_empty()
            || self.commit_target.is_some()
            || self.is_chain_nonempty()
    }

    fn halt(&mut self, why: String, step: &mut Stepped<S>) {
        self.halted = true;
        step.act(Action::Halt(why));
    }
}

fn newer<S: Scheme>(known: &QuorumCertificate<S>, offered: QuorumCertificate<S>) -> QuorumCertificate<S> {
    if offered.view() > known.view() { offered } else { known.clone() }
}

impl<S: Scheme> Replica for HotStuff<S> {
    type Message = Message<S>;
    type Record = Record<S>;

    fn id(&self) -> ReplicaId {
        self.safety.id()
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
            Event::Synced { head, proof, batches, recent } => {
                self.on_synced(head, &proof, &batches, &recent, &mut step);
            }
        }
        self.arm(&mut step);
        self.votes.excluded.tell(&mut step);
        self.accusations.keep_news(&mut step);
        step
    }

    fn snapshot(&self) -> Vec<Record<S>> {
        let mut records: Vec<_> = self.safety.promises().map(Record::Promise).collect();
        records.push(self.certificates_record());
        records.extend(self.last_vote.clone().map(Record::Vote));
        records.extend(self.last_timeout.clone().map(|timeout| Record::Timeout(Box::new(timeout))));
        let recorded = self.tree.by_height().into_iter().filter_map(|digest| self.tree.get(&digest));
        records.extend(recorded.filter(|node| node.recorded).map(|node| Record::Block(node.held.clone())));
        records.extend(self.safety.is_silent().then_some(Record::Silence));
        records
    }

    fn uncommitted_batches(&self) -> BTreeSet<Digest> {
        let held = self.tree.by_height();
        let nodes = held.iter().filter_map(|digest| self.tree.get(digest));
        nodes.flat_map(|node| node.held.block.payload.iter().copied()).collect()
    }

    fn status(&self) -> ReplicaStatus {
        ReplicaStatus {
            view: self.view,
            leader: self.leader_now(),
            high_qc: self.high_qc.view(),
            locked_qc: self.locked_qc.view(),
            committed: self.tree.root().height,
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

impl<S: Scheme> HotStuff<S> {
    fn certificates_record(&self) -> Record<S> {
        Record::Certificates {
            high_qc: self.high_qc.clone(),
            locked_qc: self.locked_qc.clone(),
            entry: self.entry.clone(),
        }
    }

    /// Whether this replica has promised to do nothing more in `view`.
    fn has_left(&self, view: View) -> bool {
        view < self.safety.open()
    }
}
