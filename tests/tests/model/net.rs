//! The host of the model's replicas: a ledger that finds every block valid, a journal that never fails, answers at once.
//!
//! Nothing here decides anything: what may happen is decided in `moves`.

use super::{
    liar::Liar,
    moves::Move,
    rounds::{Phase, Speech},
    world::{Letter, Node, Post, Set, Shared, World, Wrong},
};
use quorate_consensus::{
    Action, Config, Election, Event, Executed, Journal, Keys, Request, Slot, Timeouts, Timer, Verified,
};
use quorate_crypto::{Scheme, Symbolic, conformance};
use quorate_types::{Block, BoundedVec, Digest, Epoch, Header, Height, ReplicaId, View};
use std::{
    collections::{BTreeMap, VecDeque},
    convert::Infallible,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// How much of what could happen is explored.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Nobody leaves this view.
    pub views: u64,
    /// Batches to commit; a block takes one.
    pub heights: u8,
    /// Rounds that some do not hear; `None`: any.
    pub disturbances: Option<u8>,
    /// Crashes, each followed by a recovery from the journal.
    pub crashes: u8,
    /// Heights between checkpoints.
    pub checkpoint_interval: u64,
}

/// Four replicas of `P`, one of which may be a liar.
#[derive(Debug)]
pub struct SmallNet<P: Speech, L: Liar<P>> {
    pub bounds: Bounds,
    pub liar: L,
    /// Journal records that a recovery does not see: how a rule is removed from outside.
    pub forget: fn(&P::Record) -> bool,
    /// Whether recovery forgets anything: who then contradicts itself is rightly accused.
    is_forgetful: bool,
    /// What has happened before the exploration begins.
    pub past: Vec<Move<L::Lie>>,
    pub keys: Keys<Symbolic>,
    /// Every block ever made, by its name: names do not depend on states.
    blocks: Mutex<BTreeMap<Digest, Block>>,
}

/// One replica's event.
type Due<P> = (ReplicaId, Event<<P as quorate_consensus::Replica>::Message>);

pub fn batch(name: u8) -> Digest {
    Digest([name; 32])
}

/// The block that `proposer` makes on `parent` in `view`.
pub fn child(parent: &Header, view: View, proposer: ReplicaId, payload: Vec<Digest>) -> Block {
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

struct Pages<R>(Vec<R>);

impl<R> Journal<R> for Pages<R> {
    type Error = Infallible;
    fn persist(&mut self, records: Vec<R>) -> Result<(), Infallible> {
        self.0.extend(records);
        Ok(())
    }
}

impl<P: Speech, L: Liar<P>> SmallNet<P, L> {
    pub fn new(bounds: Bounds, liar: L) -> Self {
        let scheme = Symbolic::new(conformance::committee(4), 1);
        let genesis = Header {
            chain: scheme.committee().chain(),
            epoch: Epoch(0),
            height: Height::GENESIS,
            view: View::GENESIS,
            parent: Digest::ZERO,
            proposer: ReplicaId(0),
            payload_root: Block::payload_root(&[]),
            state_root: Digest::ZERO,
            timestamp: 0,
        };
        let keys = Keys::new(scheme, &genesis);
        Self { bounds, liar, forget: |_| false, is_forgetful: false, past: Vec::new(), keys, blocks: Mutex::default() }
    }

    /// Explores what can happen after `past` only.
    pub fn after(mut self, past: Vec<Move<L::Lie>>) -> Self {
        self.past = past;
        self
    }

    pub fn forgetting(mut self, forget: fn(&P::Record) -> bool) -> Self {
        self.forget = forget;
        self.is_forgetful = true;
        self
    }

    /// Everybody has started and holds the batches.
    pub fn beginning(&self) -> World<P, L::Notes> {
        let members: Vec<_> = self.keys.committee().members().collect();
        let mut world = World {
            nodes: members.iter().map(|_| None).collect(),
            wire: Post::default(),
            cut_off: Set::default(),
            archive: Post::default(),
            disturbances: self.bounds.disturbances,
            crashes: self.bounds.crashes,
            notes: L::Notes::default(),
        };
        for id in members.iter().copied().filter(|id| Some(*id) != self.liar.id()) {
            world.nodes[id.index()] = Some(Shared::new(self.boot(id)));
        }
        for id in &members {
            self.tell(&mut world, *id, Event::Started);
        }
        for name in 1..=self.bounds.heights {
            for id in &members {
                self.tell(&mut world, *id, Event::BatchReady(batch(name)));
            }
        }
        world
    }

    fn boot(&self, id: ReplicaId) -> Node<P> {
        Node {
            replica: P::recover(self.config(id, self.keys.genesis.clone(), None), []),
            journal: (self.bounds.crashes > 0).then(Vec::new),
            ledger: Vec::new(),
            head: self.keys.genesis.clone(),
            proof: None,
            timers: [].into(),
            promises: [].into(),
            wrong: None,
        }
    }

    fn config(&self, id: ReplicaId, head: Header, head_proof: Option<Vec<u8>>) -> Config<Symbolic> {
        let base = Duration::from_millis(100);
        Config {
            id,
            scheme: self.keys.scheme.clone(),
            secret: self.keys.scheme.secret(id),
            election: Election::RoundRobin,
            timeouts: Timeouts { base, max: base * 4, block_interval: None },
            max_block_batches: 1,
            checkpoint_interval: self.bounds.checkpoint_interval,
            genesis: self.keys.genesis.clone(),
            head,
            head_proof,
            recent: Vec::new(),
            seen: self.keys.seen.clone(),
        }
    }

    /// Dies and comes back with what its journal and ledger hold.
    ///
    /// If it is `cut_off`, nobody's answers reach it any more. What was said to it before arrives again, except that a liar may
    /// now choose other words.
    pub fn crash(&self, world: &mut World<P, L::Notes>, id: ReplicaId, cut_off: bool) {
        world.crashes -= 1;
        let is_last = world.crashes == 0;
        let Some(node) = world.nodes[id.index()].as_mut().map(Shared::change) else { return };
        let records = node.journal.clone().unwrap_or_default().into_iter().filter(|record| !(self.forget)(record));
        node.replica = P::recover(self.config(id, node.head.clone(), node.proof.clone()), records);
        node.timers.clear();
        let view = node.replica.view();
        let held: Vec<_> = node.ledger.iter().flat_map(|block| self.block(block).payload.into_inner()).collect();
        world.cut_off = Set::of(cut_off.then_some(id));
        self.tell(world, id, Event::Started);
        for batch in (1..=self.bounds.heights).map(batch).filter(|batch| !held.contains(batch)) {
            self.tell(world, id, Event::BatchReady(batch));
        }
        self.liar.forget(&mut world.notes, id);
        for (round, letter) in world.archive.addressed_to(id).into_iter().filter(|(round, _)| round.view >= view) {
            if Some(letter.from) == self.liar.id() && matches!(round.phase, Phase::Begin | Phase::Propose) {
                continue;
            }
            world.wire.add(round, Letter { to: Set::of([id]), ..letter });
        }
        if is_last {
            world.archive = Post::default();
            world.nodes.iter_mut().flatten().for_each(|node| node.change().journal = None);
        }
    }

    /// Gives an event to an honest replica, then whatever follows from it at once. Whether anything did follow: something
    /// said, written or asked.
    pub fn tell(&self, world: &mut World<P, L::Notes>, id: ReplicaId, event: Event<P::Message>) -> bool {
        let mut due: VecDeque<Due<P>> = [(id, event)].into();
        let mut has_followed = false;
        while let Some((id, event)) = due.pop_front() {
            let Some(node) = world.nodes[id.index()].as_mut().map(Shared::change) else { continue };
            let mut step = node.replica.handle(event);
            let requests = step.take_requests();
            has_followed |= !(step.is_empty() && requests.is_empty());
            let mut pages = Pages(Vec::new());
            let Ok(actions) = step.release(&mut pages);
            node.write(pages.0);
            for request in requests {
                self.ask(world, id, request, &mut due);
            }
            for action in actions {
                self.act(world, id, action, &mut due);
            }
        }
        has_followed
    }

    fn ask(&self, world: &mut World<P, L::Notes>, id: ReplicaId, request: Request, due: &mut VecDeque<Due<P>>) {
        match request {
            Request::SetTimer { timer: timer @ (Timer::View(_) | Timer::Progress { .. }), .. } => {
                let Some(node) = world.nodes[id.index()].as_mut().map(Shared::change) else { return };
                // Of each kind only the last one set can mean anything.
                let kind = std::mem::discriminant(&timer);
                node.timers.retain(|old| std::mem::discriminant(old) != kind);
                node.timers.insert(timer);
            }
            Request::SetTimer { .. } | Request::Inspect { .. } => {}
            Request::Build { parent, view, batches } => {
                let block = child(&self.header(&parent), view, id, batches);
                self.file(block.clone());
                due.push_back((id, Event::Built(block)));
            }
            Request::Execute { block, .. } => {
                let digest = block.digest();
                self.file(block);
                due.push_back((id, Event::Executed { block: digest, outcome: Executed::Valid }));
            }
            Request::Sync { from, height } => due.extend(self.sync(world, id, from, height).map(|event| (id, event))),
        }
    }

    /// Block sync: the other's ledger, at once. From a liar nothing comes.
    fn sync(
        &self,
        world: &mut World<P, L::Notes>,
        id: ReplicaId,
        from: ReplicaId,
        height: Height,
    ) -> Option<Event<P::Message>> {
        let other = world.node(from).filter(|other| other.head.height >= height)?;
        let (ledger, head, proof) = (other.ledger.clone(), other.head.clone(), other.proof.clone()?);
        let node = world.nodes[id.index()].as_mut().map(Shared::change)?;
        let new = ledger.get(node.ledger.len()..)?.iter();
        let batches = new.flat_map(|block| self.block(block).payload.into_inner()).collect();
        (node.ledger, node.head, node.proof) = (ledger, head.clone(), Some(proof.clone()));
        Some(Event::Synced { head, proof, batches, recent: Vec::new() })
    }

    fn act(
        &self,
        world: &mut World<P, L::Notes>,
        id: ReplicaId,
        action: Action<P::Message>,
        due: &mut VecDeque<Due<P>>,
    ) {
        match action {
            Action::Send { to, message } => self.post(world, id, Set::of([to]), message, due),
            Action::Broadcast(message) => {
                let others = Set::of(self.keys.committee().others(id));
                self.post(world, id, others, message, due);
            }
            Action::Commit { block, proof } => self.commit(world, id, block, proof),
            Action::Accuse(evidence) if self.is_forgetful || Some(evidence.accused) == self.liar.id() => {}
            Action::Accuse(evidence) => Self::complain(world, id, Wrong::Slander(evidence.accused)),
            Action::Halt(why) => Self::complain(world, id, Wrong::Halted(why)),
        }
    }

    fn complain(world: &mut World<P, L::Notes>, id: ReplicaId, wrong: Wrong) {
        if let Some(node) = world.nodes[id.index()].as_mut().map(Shared::change) {
            node.wrong.get_or_insert(wrong);
        }
    }

    /// Puts a message on the wire. Everybody checks it alike, so it is checked here.
    pub fn post(
        &self,
        world: &mut World<P, L::Notes>,
        from: ReplicaId,
        to: Set,
        message: P::Message,
        due: &mut VecDeque<Due<P>>,
    ) {
        let is_liar = Some(from) == self.liar.id();
        if !is_liar && let Some(wrong) = self.is_unwritten(world, from, &message) {
            Self::complain(world, from, wrong);
        }
        let verified = match Verified::check(message.clone(), from, &self.keys) {
            Ok(verified) => verified,
            Err(why) if is_liar => unreachable!("the liar says what nobody believes: {why}"),
            Err(why) => return Self::complain(world, from, Wrong::Rejected(why.to_string())),
        };
        let liar = Set::of(self.liar.id());
        let to = to.without(liar);
        match P::round(&message) {
            Some(round) => {
                let letter = Letter { from, to, message: Shared::new(verified) };
                if world.crashes > 0 {
                    world.archive.add(round, letter.clone());
                }
                if !to.is_empty() {
                    world.wire.add(round, letter);
                }
            }
            None => {
                let said = |to| (to, Event::Received { from, message: verified.clone() });
                due.extend(to.without(world.cut_off).members().map(said));
            }
        }
        if !is_liar {
            self.overheard(world, from, &message, due);
        }
    }

    /// The liar hears everything, and may have something to say to it at once.
    fn overheard(
        &self,
        world: &mut World<P, L::Notes>,
        from: ReplicaId,
        message: &P::Message,
        due: &mut VecDeque<Due<P>>,
    ) {
        let Some(liar) = self.liar.id() else { return };
        for (to, message) in self.liar.overhears(&mut world.notes, self, from, message) {
            self.post(world, liar, to, message, due);
        }
    }

    /// A promise that leaves before it is in the journal, or is not the one in the journal.
    fn is_unwritten(&self, world: &World<P, L::Notes>, id: ReplicaId, message: &P::Message) -> Option<Wrong> {
        let node = world.node(id)?;
        let own = P::promises_in(message, self.keys.committee()).into_iter().filter(|(signer, _)| *signer == id);
        let mut unwritten = own.map(|(_, promise)| promise).filter(|promise| {
            node.promises.get(&(promise.slot, promise.view, promise.height)) != Some(&promise.statement)
        });
        unwritten.next().map(|promise| Wrong::NotWritten(format!("{promise:?}")))
    }

    fn commit(&self, world: &mut World<P, L::Notes>, id: ReplicaId, block: Digest, proof: Vec<u8>) {
        let Some(node) = world.nodes[id.index()].as_mut().map(Shared::change) else { return };
        let head = self.header(&block);
        let mut path = vec![];
        let mut at = head.clone();
        while at.height > node.head.height {
            path.push(at.digest());
            at = self.header(&at.parent);
        }
        if at != node.head || P::verify_commit(&head, &proof, &self.keys).is_err() {
            node.wrong.get_or_insert(Wrong::BadCommit(block));
        }
        node.ledger.extend(path.into_iter().rev());
        (node.head, node.proof) = (head, Some(proof));
    }

    pub fn file(&self, block: Block) {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner).entry(block.digest()).or_insert(block);
    }

    pub fn find(&self, digest: &Digest) -> Option<Block> {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner).get(digest).cloned()
    }

    pub fn block(&self, digest: &Digest) -> Block {
        self.find(digest).expect("blocks are filed when they are made")
    }

    pub fn header(&self, digest: &Digest) -> Header {
        if *digest == self.keys.genesis_digest { self.keys.genesis.clone() } else { self.block(digest).header }
    }
}

impl<P: Speech> Node<P> {
    fn write(&mut self, records: Vec<P::Record>) {
        for promise in records.iter().filter_map(P::promise_in).filter(|promise| promise.slot != Slot::Rejoined) {
            let said = self.promises.entry((promise.slot, promise.view, promise.height)).or_insert(promise.statement);
            if *said != promise.statement {
                self.wrong.get_or_insert(Wrong::TwoPromises(format!("{promise:?}")));
            }
        }
        if let Some(journal) = &mut self.journal {
            journal.extend(records);
        }
    }
}
