//! A few replicas, one of them in an attacker's hands, on perfect links; every message is written down.

use crate::{Attacks, Byzantine, Cabal, Post, Target, find};
use quorate_consensus::{
    Action, Config, Election, Event, Executed, Journal, Keys, Kind, Protocol, Replica, Request, SeenCertificates,
    Timeouts, Timer, Verified,
};
use quorate_crypto::{Symbolic, conformance};
use quorate_types::{Block, BoundedVec, ChainId, Digest, Epoch, Header, Height, ReplicaId, View};
use std::{collections::BTreeMap, convert::Infallible, time::Duration};

pub(super) const BASE: Duration = Duration::from_millis(100);
const DELAY: Duration = Duration::from_millis(1);

struct Nothing;

impl<R> Journal<R> for Nothing {
    type Error = Infallible;
    fn persist(&mut self, _records: Vec<R>) -> Result<(), Infallible> {
        Ok(())
    }
}

enum Due<M> {
    Deliver(ReplicaId, ReplicaId, M),
    Timer(ReplicaId, Timer),
    Answer(ReplicaId, Box<Event<M>>),
}

/// One message.
pub(super) struct Sent<M> {
    pub(super) at: Duration,
    pub(super) from: ReplicaId,
    pub(super) to: ReplicaId,
    pub(super) message: M,
    /// Whether the receiver's check lets it in.
    pub(super) is_good: bool,
}

pub(super) struct World<P: Protocol<Scheme = Symbolic>> {
    pub(super) replicas: Vec<Byzantine<P>>,
    pub(super) sent: Vec<Sent<P::Message>>,
    /// What went out beside the replicas' steps.
    pub(super) posts: Vec<(ReplicaId, ReplicaId, Post)>,
    pub(super) committed: Vec<Vec<Digest>>,
    pub(super) accused: Vec<ReplicaId>,
    pub(super) blocks: BTreeMap<Digest, Block>,
    pub(super) crashed: Option<u16>,
    /// Who do not hear each other.
    pub(super) cut: Option<[usize; 2]>,
    keys: Keys<Symbolic>,
    queue: BTreeMap<(Duration, u64), Due<P::Message>>,
    now: Duration,
    sequence: u64,
}

fn genesis() -> Header {
    Header {
        chain: conformance::committee(4).chain(),
        epoch: Epoch(0),
        height: Height::GENESIS,
        view: View::GENESIS,
        parent: Digest::ZERO,
        proposer: ReplicaId(0),
        payload_root: Block::payload_root(&[]),
        state_root: Digest::ZERO,
        timestamp: 0,
    }
}

fn id(index: usize) -> ReplicaId {
    ReplicaId(u16::try_from(index).expect("few"))
}

impl<P: Attacks<Scheme = Symbolic>> World<P> {
    /// `n` replicas, of which `attacker` does what `attack` says.
    pub(super) fn new(n: usize, attacker: usize, attack: &str, target: &Target) -> Self {
        Self::conspiring(n, &[attacker], attack, target)
    }

    /// The attackers work together.
    pub(super) fn conspiring(n: usize, attackers: &[usize], attack: &str, target: &Target) -> Self {
        let scheme = Symbolic::new(conformance::committee(n), 1);
        let config = |index| Config {
            id: id(index),
            scheme: scheme.clone(),
            secret: scheme.secret(id(index)),
            election: Election::RoundRobin,
            timeouts: Timeouts { base: BASE, max: BASE * 4, block_interval: None },
            max_block_batches: 8,
            checkpoint_interval: 8,
            genesis: genesis(),
            head: genesis(),
            head_proof: None,
            recent: Vec::new(),
            seen: SeenCertificates::default(),
        };
        let mut replicas: Vec<_> = (0..n).map(|index| Byzantine::<P>::recover(config(index), [])).collect();
        let known = find::<P>(attack).expect("a known attack");
        let cabal = Cabal::default();
        let elsewhere = conformance::committee_on(ChainId(Digest([7; 32])), Epoch(1), n);
        for attacker in attackers {
            replicas[*attacker].corrupt((known.make)(target, 1), target.clone());
            replicas[*attacker].grip().equip(&cabal, Symbolic::new(elsewhere.clone(), 1));
        }
        let mut world = Self {
            keys: Keys::new(scheme, &genesis()),
            replicas,
            sent: Vec::new(),
            posts: Vec::new(),
            committed: vec![Vec::new(); n],
            accused: Vec::new(),
            blocks: BTreeMap::new(),
            crashed: None,
            cut: None,
            queue: BTreeMap::new(),
            now: Duration::ZERO,
            sequence: 0,
        };
        (0..n).for_each(|index| world.tell(id(index), Event::Started));
        world
    }

    /// Another attacker, which knows of none.
    pub(super) fn corrupt(&mut self, attacker: usize, attack: &str) {
        let known = find::<P>(attack).expect("a known attack");
        self.replicas[attacker].corrupt((known.make)(&Target::default(), 2), Target::default());
    }

    /// Gives a batch to everybody.
    pub(super) fn submit(&mut self, name: u8) {
        (0..self.replicas.len()).for_each(|index| self.tell(id(index), Event::BatchReady(Digest([name; 32]))));
    }

    /// Submits a batch every few milliseconds.
    pub(super) fn busy(&mut self, names: std::ops::Range<u8>) {
        for name in names {
            self.submit(name);
            self.run(BASE / 10);
        }
    }

    pub(super) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(entry) = self.queue.first_entry().filter(|entry| entry.key().0 <= end) {
            let ((at, _), due) = entry.remove_entry();
            self.now = at;
            match due {
                Due::Deliver(from, to, message) => {
                    if let Ok(message) = Verified::check(message, from, &self.keys) {
                        self.tell(to, Event::Received { from, message });
                    }
                }
                Due::Timer(of, timer) => self.tell(of, Event::TimedOut(timer)),
                Due::Answer(of, event) => self.tell(of, *event),
            }
        }
        self.now = end;
    }

    /// One says something to another, as if it had meant to.
    pub(super) fn deliver(&mut self, from: ReplicaId, to: ReplicaId, message: P::Message) {
        self.push(DELAY, Due::Deliver(from, to, message));
    }

    /// What the attacker or anybody said, by kind.
    pub(super) fn said(&self, from: usize, kind: &str) -> Vec<&Sent<P::Message>> {
        self.sent.iter().filter(|sent| sent.from == id(from) && sent.message.kind() == kind).collect()
    }

    /// Ledgers are prefixes of the longest; how long it is.
    pub(super) fn agreed(&self) -> usize {
        let longest = self.committed.iter().max_by_key(|chain| chain.len()).expect("replicas");
        self.committed.iter().for_each(|chain| assert_eq!(chain[..], longest[..chain.len()], "a fork"));
        longest.len()
    }

    /// Whether any receiver's check lets a message in.
    pub(super) fn lets_in(&self, from: ReplicaId, message: &P::Message) -> bool {
        Verified::check(message.clone(), from, &self.keys).is_ok()
    }

    fn push(&mut self, after: Duration, due: Due<P::Message>) {
        self.sequence += 1;
        self.queue.insert((self.now + after, self.sequence), due);
    }

    fn tell(&mut self, to: ReplicaId, event: Event<P::Message>) {
        if self.crashed == Some(to.0) {
            return;
        }
        let mut step = self.replicas[to.index()].handle(event);
        let posted = self.replicas[to.index()].grip().posted();
        self.posts.extend(posted.into_iter().map(|(receiver, post)| (to, receiver, post)));
        step.take_requests().into_iter().for_each(|request| self.ask(to, request));
        let Ok(actions) = step.release(&mut Nothing);
        actions.into_iter().for_each(|action| self.act(to, action));
    }

    fn ask(&mut self, who: ReplicaId, request: Request) {
        match request {
            Request::SetTimer { timer, after } => self.push(after, Due::Timer(who, timer)),
            Request::Build { parent, view, batches } => {
                let block = self.child(&parent, view, who, batches);
                self.push(Duration::ZERO, Due::Answer(who, Box::new(Event::Built(block))));
            }
            Request::Execute { block, .. } => {
                let executed = Event::Executed { block: block.digest(), outcome: Executed::Valid };
                self.blocks.insert(block.digest(), block);
                self.push(Duration::ZERO, Due::Answer(who, Box::new(executed)));
            }
            Request::Inspect { .. } | Request::Sync { .. } => {}
        }
    }

    fn child(&mut self, parent: &Digest, view: View, proposer: ReplicaId, payload: Vec<Digest>) -> Block {
        let parent = self.blocks.get(parent).map_or_else(genesis, |block| block.header.clone());
        let header = Header {
            height: parent.height.next(),
            view,
            parent: parent.digest(),
            proposer,
            payload_root: Block::payload_root(&payload),
            ..parent
        };
        let block = Block { header, payload: BoundedVec::new(payload).expect("few") };
        self.blocks.insert(block.digest(), block.clone());
        block
    }

    fn act(&mut self, who: ReplicaId, action: Action<P::Message>) {
        match action {
            Action::Send { to, message } => self.send(who, to, message),
            Action::Broadcast(message) => {
                for to in (0..self.replicas.len()).map(id).filter(|to| *to != who) {
                    self.send(who, to, message.clone());
                }
            }
            Action::Commit { block, .. } => self.commit(who, block),
            Action::Accuse(evidence) => {
                evidence.verify::<P>(&self.keys).expect("evidence that anybody can check");
                self.accused.push(evidence.accused);
            }
            Action::Halt(why) => panic!("{who} halts: {why}"),
        }
    }

    fn send(&mut self, from: ReplicaId, to: ReplicaId, message: P::Message) {
        let is_good = self.lets_in(from, &message);
        self.sent.push(Sent { at: self.now, from, to, message: message.clone(), is_good });
        if self.cut.is_none_or(|cut| !(cut.contains(&from.index()) && cut.contains(&to.index()))) {
            self.push(DELAY, Due::Deliver(from, to, message));
        }
    }

    fn commit(&mut self, who: ReplicaId, block: Digest) {
        let chain = &mut self.committed[who.index()];
        let mut path = Vec::new();
        let mut at = block;
        while chain.last() != Some(&at) && at != genesis().digest() {
            path.push(at);
            at = self.blocks[&at].header.parent;
        }
        chain.extend(path.into_iter().rev());
    }
}
