//! Replicas, and what is on its way between them.

use super::{
    scenario::{Partition, Shape},
    subject::Subject,
    verdict::Breach,
};
use quorate_consensus::{Config, Event, Journal, Keys, SeenCertificates, Timeouts, Timer, Verified};
use quorate_crypto::{Scheme, Symbolic, conformance};
use quorate_types::{Block, Digest, Epoch, Header, Height, ReplicaId, View};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    convert::Infallible,
    sync::Arc,
    time::Duration,
};

/// Events of one run at most; those that end have a few thousand.
const EVENTS: usize = 50_000;

/// What does not change in a run, and is shared by runs with the same leaders.
pub(super) struct Setting {
    pub(super) shape: Shape,
    /// The view of each round.
    pub(super) views: Vec<View>,
    pub(super) keys: Keys<Symbolic>,
}

/// One running instance of a replica.
#[derive(Clone)]
pub(super) struct Process<P: Subject> {
    pub(super) replica: P,
    pub(super) timers: BTreeSet<Timer>,
    /// Committed blocks, and what proves the last one final.
    pub(super) chain: Vec<Digest>,
    pub(super) head: Header,
    pub(super) proof: Vec<u8>,
    /// The last view that it proposed an unasked block in: one a view is enough.
    pub(super) paced: View,
}

/// Something said, before it is known who hears it.
#[derive(Clone)]
pub(super) struct Said<M> {
    pub(super) from: usize,
    /// The view that its sender was in.
    pub(super) view: View,
    pub(super) to: Option<ReplicaId>,
    pub(super) is_of_next_round: bool,
    pub(super) passes_over: bool,
    pub(super) message: Verified<M>,
}

/// Who hears whom at present.
#[derive(Clone, Copy)]
pub(super) struct Slot {
    /// What is said in later views waits.
    pub(super) view: View,
    /// `None` in a view that is passed over.
    pub(super) partition: Option<Partition>,
}

impl Slot {
    /// Everybody hears everybody, in any view.
    pub(super) const TAIL: Self = Self { view: View(u64::MAX), partition: Some(Partition::WHOLE) };

    pub(super) fn is_tail(&self) -> bool {
        self.view == Self::TAIL.view
    }
}

/// All processes and the network.
#[derive(Clone)]
pub(super) struct World<P: Subject> {
    pub(super) setting: Arc<Setting>,
    pub(super) processes: Vec<Process<P>>,
    pub(super) slot: Slot,
    pub(super) headers: BTreeMap<Digest, Header>,
    pub(super) due: VecDeque<(usize, Event<P::Message>)>,
    held: Vec<Said<P::Message>>,
    pub(super) accused: BTreeSet<ReplicaId>,
    pub(super) breaches: Vec<Breach>,
    /// How many blocks each process must commit for the run to end; nobody any, until the tail begins.
    pub(super) goal: Option<Vec<usize>>,
    events: usize,
}

/// Nobody restarts.
pub(super) struct NoJournal;

impl<R> Journal<R> for NoJournal {
    type Error = Infallible;
    fn persist(&mut self, _: Vec<R>) -> Result<(), Infallible> {
        Ok(())
    }
}

pub(super) fn id(index: usize) -> ReplicaId {
    ReplicaId(u16::try_from(index).expect("few replicas"))
}

fn genesis(scheme: &Symbolic) -> Header {
    Header {
        chain: scheme.committee().chain(),
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

impl<P: Subject> World<P> {
    /// Everybody before the first view, with these leaders to come.
    pub(super) fn new(shape: &Shape, leaders: &[ReplicaId]) -> Self {
        let scheme = Symbolic::new(conformance::committee(shape.nodes()), 1);
        let genesis = genesis(&scheme);
        let process = |index: usize| {
            let config = Self::config(&scheme, &genesis, id(shape.replica(index)), leaders);
            Process {
                replica: P::recover(config, []),
                timers: BTreeSet::new(),
                chain: Vec::new(),
                head: genesis.clone(),
                proof: Vec::new(),
                paced: View::GENESIS,
            }
        };
        let processes: Vec<_> = (0..shape.processes()).map(process).collect();
        let keys = Keys::new(scheme.clone(), &genesis);
        let views = P::views(leaders, shape.nodes());
        Self {
            due: (0..processes.len()).map(|process| (process, Event::Started)).collect(),
            processes,
            headers: BTreeMap::from([(genesis.digest(), genesis)]),
            setting: Arc::new(Setting { shape: *shape, views, keys }),
            slot: Slot { view: View::GENESIS, partition: None },
            held: Vec::new(),
            accused: BTreeSet::new(),
            breaches: Vec::new(),
            goal: None,
            events: 0,
        }
    }

    fn config(scheme: &Symbolic, genesis: &Header, id: ReplicaId, leaders: &[ReplicaId]) -> Config<Symbolic> {
        let length = Duration::from_millis(100);
        Config {
            id,
            scheme: scheme.clone(),
            secret: scheme.secret(id),
            election: P::election(leaders),
            // How long is never asked; that there are empty blocks keeps leaders proposing.
            timeouts: Timeouts { base: length, max: length, block_interval: Some(length) },
            max_block_batches: 1,
            checkpoint_interval: 2,
            genesis: genesis.clone(),
            head: genesis.clone(),
            head_proof: None,
            recent: Vec::new(),
            // Its own: what it has combined is still checked when the others are told.
            seen: SeenCertificates::default(),
        }
    }

    /// Whether a process is the only one of its replica.
    pub(super) fn is_honest(&self, process: usize) -> bool {
        let shape = &self.setting.shape;
        !shape.is_twinned(shape.replica(process))
    }

    pub(super) fn honest(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.processes.len()).filter(|process| self.is_honest(*process))
    }

    /// Blocks that honest processes have yet to commit.
    pub(super) fn lacking(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let goals = self.goal.iter().flatten().zip(&self.processes).enumerate();
        let lacks = goals.map(|(process, (goal, known))| (process, goal.saturating_sub(known.chain.len())));
        lacks.filter(|(_, lacks)| *lacks > 0)
    }

    /// All have committed enough, or those who have not never will: a quorum can go on for ever without them.
    pub(super) fn is_over(&self) -> bool {
        self.events > EVENTS || (self.goal.is_some() && self.lacking().next().is_none())
    }

    pub(super) fn breach(&mut self, process: usize, breach: Breach) {
        if self.is_honest(process) {
            self.breaches.push(breach);
        }
    }

    /// From now on this is who hears whom. What has waited is said.
    pub(super) fn begin(&mut self, slot: Slot) {
        self.slot = slot;
        for mut said in std::mem::take(&mut self.held) {
            if slot.partition.is_some() {
                said.is_of_next_round = false;
            }
            self.say(said);
        }
    }

    pub(super) fn say(&mut self, said: Said<P::Message>) {
        if said.view > self.slot.view || said.is_of_next_round {
            return self.held.push(said);
        }
        let shape = self.setting.shape;
        for process in (0..shape.processes()).filter(|process| *process != said.from) {
            let is_meant = said.to.is_none_or(|to| to.index() == shape.replica(process));
            let is_heard =
                self.slot.partition.map_or(said.passes_over, |partition| partition.connects(said.from, process));
            if is_meant && is_heard {
                let (from, message) = (id(shape.replica(said.from)), said.message.clone());
                self.due.push_back((process, Event::Received { from, message }));
            }
        }
    }

    /// Handles everything on its way, and what comes of it, as long as the run goes on.
    pub(super) fn settle(&mut self) {
        while !self.is_over()
            && let Some((process, event)) = self.due.pop_front()
        {
            self.events += 1;
            self.tell(process, event);
        }
    }

    pub(super) fn fire(&mut self, process: usize, timer: Timer) {
        self.processes[process].timers.remove(&timer);
        self.due.push_back((process, Event::TimedOut(timer)));
    }
}
