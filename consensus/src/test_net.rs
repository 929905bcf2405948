//! A small world for replicas of any protocol: a queue of messages and timers in virtual time, a ledger that finds every block
//! valid, journals in memory. The simulator proper is `quorate-sim`; this one lets a test hold each message in its hand.

use crate::{
    Action, Config, Election, Event, Executed, Journal, Keys, Kind, Protocol, Replica, Request, Timeouts, Timer,
    Verified,
};
use quorate_crypto::{Symbolic, conformance};
use quorate_types::{Block, BoundedVec, Digest, Epoch, Header, Height, ReplicaId, View};
use std::{collections::BTreeMap, convert::Infallible, time::Duration};

pub(crate) type S = Symbolic;
pub(crate) const BASE: Duration = Duration::from_millis(100);
const DELAY: Duration = Duration::from_millis(1);

#[derive(Clone, Debug)]
pub(crate) struct Memory<R>(pub(crate) Vec<R>);

impl<R> Journal<R> for Memory<R> {
    type Error = Infallible;
    fn persist(&mut self, records: Vec<R>) -> Result<(), Infallible> {
        self.0.extend(records);
        Ok(())
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Due<M> {
    Deliver { from: ReplicaId, to: ReplicaId, message: M },
    Timer(ReplicaId, Timer),
    Answer(ReplicaId, Box<Event<M>>),
}

/// What becomes of a message on its way.
pub(crate) type Filter<M> = Box<dyn FnMut(ReplicaId, ReplicaId, &M) -> bool>;

pub(crate) struct Net<P: Protocol<Scheme = S>> {
    pub(crate) scheme: S,
    pub(crate) keys: Keys<S>,
    pub(crate) genesis: Header,
    pub(crate) nodes: Vec<Option<P>>,
    pub(crate) journals: Vec<Memory<P::Record>>,
    pub(crate) committed: Vec<Vec<Digest>>,
    pub(crate) proofs: Vec<Vec<(Digest, Vec<u8>)>>,
    pub(crate) sent: BTreeMap<(View, &'static str), usize>,
    pub(crate) blocks: BTreeMap<Digest, Block>,
    pub(crate) accused: Vec<ReplicaId>,
    pub(crate) halted: Vec<String>,
    pub(crate) filter: Filter<P::Message>,
    /// Added to the view timers of each replica.
    pub(crate) slow: Vec<Duration>,
    /// Whose ledger answers no request to execute: it lacks the batches.
    pub(crate) lame: Option<usize>,
    pub(crate) checkpoint_interval: u64,
    election: Election,
    heads: Vec<Header>,
    queue: BTreeMap<(Duration, u64), Due<P::Message>>,
    now: Duration,
    sequence: u64,
}

pub(crate) fn id(index: usize) -> ReplicaId {
    ReplicaId(u16::try_from(index).expect("few"))
}

pub(crate) fn batch(name: u8) -> Digest {
    Digest([name; 32])
}

pub(crate) fn genesis(n: usize) -> Header {
    Header {
        chain: conformance::committee(n).chain(),
        epoch: Epoch(0),
        height: Height::GENESIS,
        view: View::GENESIS,
        parent: Digest::ZERO,
        proposer: id(0),
        payload_root: Block::payload_root(&[]),
        state_root: Digest::ZERO,
        timestamp: 0,
    }
}

pub(crate) fn child(parent: &Header, view: View, proposer: ReplicaId, payload: Vec<Digest>) -> Block {
    let header = Header {
        height: parent.height.next(),
        view,
        parent: parent.digest(),
        proposer,
        payload_root: Block::payload_root(&payload),
        ..parent.clone()
    };
    Block { header, payload: BoundedVec::new(payload).expect("few") }
}

impl<P: Protocol<Scheme = S>> Net<P> {
    pub(crate) fn new(n: usize) -> Self {
        Self::with(n, 64, Election::RoundRobin)
    }

    /// A checkpoint every so many heights.
    pub(crate) fn with_checkpoints(n: usize, checkpoint_interval: u64) -> Self {
        Self::with(n, checkpoint_interval, Election::RoundRobin)
    }

    /// With another election than round robin.
    pub(crate) fn with_election(n: usize, election: Election) -> Self {
        Self::with(n, 64, election)
    }

    fn with(n: usize, checkpoint_interval: u64, election: Election) -> Self {
        let scheme = Symbolic::new(conformance::committee(n), 1);
        let genesis = genesis(n);
        let mut net = Self {
            keys: Keys::new(scheme.clone(), &genesis),
            scheme,
            nodes: (0..n).map(|_| None).collect(),
            journals: vec![Memory(vec![]); n],
            committed: vec![vec![]; n],
            proofs: vec![vec![]; n],
            sent: BTreeMap::new(),
            blocks: BTreeMap::new(),
            accused: vec![],
            halted: vec![],
            filter: Box::new(|_, _, _| true),
            slow: vec![Duration::ZERO; n],
            lame: None,
            checkpoint_interval,
            election,
            heads: vec![genesis.clone(); n],
            genesis,
            queue: BTreeMap::new(),
            now: Duration::ZERO,
            sequence: 0,
        };
        (0..n).for_each(|index| net.start(index));
        net
    }

    pub(crate) fn config(&self, index: usize) -> Config<S> {
        Config {
            id: id(index),
            scheme: self.scheme.clone(),
            secret: self.scheme.secret(id(index)),
            election: self.election,
            timeouts: Timeouts { base: BASE, max: BASE * 4, block_interval: None },
            max_block_batches: 8,
            checkpoint_interval: self.checkpoint_interval,
            genesis: self.genesis.clone(),
            head: self.heads[index].clone(),
            head_proof: self.proofs[index].last().map(|(_, proof)| proof.clone()),
            recent: self.committed[index].iter().rev().map(|digest| self.header(digest)).collect(),
            seen: self.keys.seen.clone(),
        }
    }

    /// Starts, or restarts from its journal.
    pub(crate) fn start(&mut self, index: usize) {
        let node = P::recover(self.config(index), self.journals[index].0.clone());
        self.nodes[index] = Some(node);
        self.tell(index, Event::Started);
    }

    pub(crate) fn crash(&mut self, index: usize) {
        self.nodes[index] = None;
        let mine = |due: &Due<P::Message>| match due {
            Due::Deliver { .. } => false,
            Due::Timer(of, _) | Due::Answer(of, _) => *of == id(index),
        };
        self.queue.retain(|_, due| !mine(due));
    }

    /// A power failure before the ledger was synced for the first time.
    pub(crate) fn lose_ledger(&mut self, index: usize) {
        self.heads[index] = self.genesis.clone();
        self.committed[index].clear();
        self.proofs[index].clear();
    }

    pub(crate) fn node(&self, index: usize) -> &P {
        self.nodes[index].as_ref().expect("running")
    }

    /// Gives a batch to every running replica.
    pub(crate) fn submit(&mut self, name: u8) {
        for index in 0..self.nodes.len() {
            self.tell(index, Event::BatchReady(batch(name)));
        }
    }

    /// Gives a batch to one replica, unless it has committed it.
    pub(crate) fn offer(&mut self, index: usize, name: u8) {
        let is_done = self.committed[index].iter().any(|digest| self.blocks[digest].payload.contains(&batch(name)));
        if !is_done {
            self.tell(index, Event::BatchReady(batch(name)));
        }
    }

    pub(crate) fn push(&mut self, after: Duration, due: Due<P::Message>) {
        self.sequence += 1;
        self.queue.insert((self.now + after, self.sequence), due);
    }

    pub(crate) fn send(&mut self, from: ReplicaId, to: ReplicaId, message: P::Message) {
        *self
            .sent
            .entry((self.nodes[from.index()].as_ref().map_or(View(0), Replica::view), message.kind()))
            .or_default() += 1;
        if (self.filter)(from, to, &message) {
            self.push(DELAY, Due::Deliver { from, to, message });
        }
    }

    pub(crate) fn tell(&mut self, index: usize, event: Event<P::Message>) {
        let Some(node) = self.nodes[index].as_mut() else { return };
        let mut step = node.handle(event);
        for request in step.take_requests() {
            self.request(index, request);
        }
        let Ok(actions) = step.release(&mut self.journals[index]);
        for action in actions {
            self.act(index, action);
        }
    }

    fn request(&mut self, index: usize, request: Request) {
        match request {
            Request::SetTimer { timer, after } => {
                let slow = if matches!(timer, Timer::View(_) | Timer::Progress { .. }) {
                    self.slow[index]
                } else {
                    Duration::ZERO
                };
                self.push(after + slow, Due::Timer(id(index), timer));
            }
            Request::Build { parent, view, batches } => {
                let parent = self.header(&parent);
                let block = child(&parent, view, id(index), batches);
                self.blocks.insert(block.digest(), block.clone());
                self.push(Duration::ZERO, Due::Answer(id(index), Box::new(Event::Built(block))));
            }
            Request::Execute { block, .. } => {
                let answer = Event::Executed { block: block.digest(), outcome: Executed::Valid };
                self.blocks.insert(block.digest(), block);
                if self.lame != Some(index) {
                    self.push(Duration::ZERO, Due::Answer(id(index), Box::new(answer)));
                }
            }
            Request::Inspect { .. } => {}
            Request::Sync { from, .. } => self.sync(index, from.index()),
        }
    }

    /// Block sync, in one go: the other's committed chain.
    fn sync(&mut self, index: usize, from: usize) {
        let Some((last, proof)) = self.proofs[from].last().cloned() else { return };
        let head = self.header(&last);
        if head.height <= self.heads[index].height {
            return;
        }
        let upto = self.committed[from].iter().position(|digest| *digest == last).expect("committed") + 1;
        let new: Vec<_> = self.committed[from][self.committed[index].len()..upto].to_vec();
        let batches = new.iter().flat_map(|digest| self.blocks[digest].payload.iter().copied()).collect();
        let recent = new.iter().rev().map(|digest| self.header(digest)).collect();
        self.committed[index].extend(new);
        self.heads[index] = head.clone();
        self.proofs[index].push((last, proof.clone()));
        self.push(DELAY, Due::Answer(id(index), Box::new(Event::Synced { head, proof, batches, recent })));
    }

    pub(crate) fn header(&self, digest: &Digest) -> Header {
        if *digest == self.genesis.digest() { self.genesis.clone() } else { self.blocks[digest].header.clone() }
    }

    fn act(&mut self, index: usize, action: Action<P::Message>) {
        match action {
            Action::Send { to, message } => self.send(id(index), to, message),
            Action::Broadcast(message) => {
                for to in self.scheme.committee_members().filter(|to| to.index() != index) {
                    self.send(id(index), to, message.clone());
                }
            }
            Action::Commit { block, proof } => self.commit(index, block, proof),
            Action::Accuse(evidence) => {
                evidence.verify::<P>(&self.keys).expect("evidence that anybody can check");
                self.accused.push(evidence.accused);
            }
            Action::Halt(why) => self.halted.push(why),
        }
    }

    fn commit(&mut self, index: usize, block: Digest, proof: Vec<u8>) {
        if self.committed[index].contains(&block) {
            // Block sync was faster: a ledger leaves such a block alone.
            return;
        }
        let mut path = vec![];
        let mut at = block;
        while at != self.heads[index].digest() {
            path.push(at);
            assert!(self.blocks.contains_key(&at), "replica {index} commits a block that does not extend its head");
            at = self.blocks[&at].header.parent;
        }
        path.reverse();
        self.committed[index].extend(path);
        self.heads[index] = self.header(&block);
        P::verify_commit(&self.heads[index], &proof, &self.keys).expect("a valid proof");
        self.proofs[index].push((block, proof));
    }

    /// Handles everything due within `time`.
    pub(crate) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some((&(at, sequence), _)) = self.queue.first_key_value() {
            if at > end {
                break;
            }
            self.now = at;
            let due = self.queue.remove(&(at, sequence)).expect("first");
            match due {
                Due::Deliver { from, to, message } => self.deliver(from, to, message),
                Due::Timer(of, timer) => self.tell(of.index(), Event::TimedOut(timer)),
                Due::Answer(of, event) => self.tell(of.index(), *event),
            }
        }
        self.now = end;
    }

    pub(crate) fn deliver(&mut self, from: ReplicaId, to: ReplicaId, message: P::Message) {
        if let Ok(message) = Verified::check(message, from, &self.keys) {
            self.tell(to.index(), Event::Received { from, message });
        }
    }

    /// All ledgers are prefixes of the longest.
    pub(crate) fn assert_agreement(&self) {
        let longest = self.committed.iter().max_by_key(|chain| chain.len()).expect("replicas");
        for (index, chain) in self.committed.iter().enumerate() {
            assert_eq!(chain[..], longest[..chain.len()], "replica {index} forks");
        }
        assert_eq!(self.halted, Vec::<String>::new());
    }

    /// How many of the batches each replica has committed.
    pub(crate) fn count_batches(&self, index: usize) -> usize {
        self.committed[index].iter().map(|digest| self.blocks[digest].payload.len()).sum()
    }
}

trait Members {
    fn committee_members(&self) -> Box<dyn Iterator<Item = ReplicaId>>;
}

impl Members for S {
    fn committee_members(&self) -> Box<dyn Iterator<Item = ReplicaId>> {
        Box::new(quorate_crypto::Scheme::committee(self).members())
    }
}
