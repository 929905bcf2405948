//! The small world at random: loss, duplicates, any order, crashes of some and of all, partitions in one direction, slow clocks,
//! journals rotated, ledgers lost, and up to f Byzantine replicas. Ledgers agree at all times, nobody honest is accused, and once
//! the net is whole again everything offered is committed in bounded time.

use super::{
    adversary::Adversary,
    net::{BASE, Msg, Net, id},
    rng::Rng,
};
use crate::{Kind, Replica};
use quorate_types::{Digest, ReplicaId};
use std::{cell::RefCell, collections::BTreeSet, rc::Rc, time::Duration};

/// Seeds of a normal run, for each size. A campaign by hand raises it.
const SEEDS: u64 = 300;
/// Time after which everything is committed everywhere, from when the net is whole again.
const BOUND: Duration = Duration::from_millis(12_000);
/// Messages sent within it are given their delays together.
const SLICE: Duration = Duration::from_millis(1);

/// What a net may be short of.
const KINDS: [&str; 7] = ["pre_prepare", "prepare", "commit", "checkpoint", "view_change", "new_view", "certificates"];

type Letters = Rc<RefCell<Vec<(ReplicaId, ReplicaId, Msg)>>>;

struct World {
    net: Net,
    rng: Rng,
    letters: Letters,
    adversary: Option<Adversary>,
    honest: Vec<usize>,
    offered: BTreeSet<u8>,
    /// Whether a message from one to another is lost for certain.
    cut: Vec<Vec<bool>>,
    loss: usize,
    /// Kinds of which most messages are lost.
    scarce: Vec<&'static str>,
    duplicates: usize,
    jitter: Duration,
    /// Rotated journals rest on durable ledgers: a world has either rotations or lost ledgers.
    rotates: bool,
    /// How busy the adversary is, in percent of slices.
    mischief: usize,
}

impl World {
    fn new(seed: u64, n: usize) -> Self {
        let mut rng = Rng::new(seed);
        let interval = *rng.pick(&[1, 2, 4, 64]).expect("four");
        let mut net = Net::with_checkpoints(n, interval);
        let letters = Letters::default();
        let copy = letters.clone();
        net.filter = Box::new(move |from, to, message| {
            copy.borrow_mut().push((from, to, message.clone()));
            false
        });
        let mut members: Vec<_> = (0..n).collect();
        let mut who = vec![];
        if rng.percent(60) {
            for _ in 0..(n - 1) / 3 {
                who.push(id(members.remove(rng.below(members.len()))));
            }
        }
        who.iter().for_each(|who| net.crash(who.index()));
        for index in 0..n {
            net.slow[index] = *rng.pick(&[Duration::ZERO, BASE / 10, BASE / 2]).expect("three");
        }
        let adversary = (!who.is_empty()).then(|| Adversary::new(who, net.scheme.clone(), &net.genesis));
        let mut world = Self {
            net,
            letters,
            adversary,
            honest: members,
            offered: BTreeSet::new(),
            cut: vec![vec![false; n]; n],
            loss: 0,
            scarce: vec![],
            duplicates: 0,
            jitter: SLICE,
            rotates: rng.percent(50),
            mischief: 0,
            rng,
        };
        world.weather();
        world
    }

    fn pass(&mut self, time: Duration) {
        let slices = time.as_micros() / SLICE.as_micros();
        for _ in 0..slices {
            self.net.run(SLICE);
            let letters = std::mem::take(&mut *self.letters.borrow_mut());
            for (from, to, message) in letters {
                self.post(from, to, message);
            }
            if self.rng.percent(self.mischief) {
                self.act();
            }
        }
    }

    fn post(&mut self, from: ReplicaId, to: ReplicaId, message: Msg) {
        if let Some(adversary) = self.adversary.as_mut().filter(|adversary| adversary.who.contains(&to)) {
            return adversary.hear(&message);
        }
        if self.cut[from.index()][to.index()] || self.rng.percent(self.loss) {
            return;
        }
        if self.scarce.contains(&message.kind()) && self.rng.percent(85) {
            return;
        }
        let copies = if self.rng.percent(self.duplicates) { 2 } else { 1 };
        for _ in 0..copies {
            let delay = self.delay();
            self.net.push(delay, crate::test_net::Due::Deliver { from, to, message: message.clone() });
        }
    }

    fn delay(&mut self) -> Duration {
        let micros = usize::try_from(self.jitter.as_micros()).expect("short");
        Duration::from_micros(u64::try_from(self.rng.below(micros)).expect("short"))
    }

    fn act(&mut self) {
        let Some(adversary) = &mut self.adversary else { return };
        for (from, listeners, message) in adversary.act(&mut self.rng) {
            for to in listeners {
                self.post(from, to, message.clone());
            }
        }
    }

    /// Something happens.
    fn disturb(&mut self) {
        let (n, victim) = (self.net.nodes.len(), *self.rng.pick(&self.honest).expect("most are honest"));
        match self.rng.below(20) {
            0..=3 => self.offer_new(1),
            4 | 5 => self.offer_new(5),
            6 => self.net.crash(victim),
            7 | 8 => self.crash_and_restart(victim),
            9 | 10 => self.start_all(),
            11 => self.crash_all(),
            12 => self.cut = (0..n).map(|_| (0..n).map(|_| self.rng.percent(20)).collect()).collect(),
            13 => {
                let sides: Vec<_> = (0..n).map(|_| self.rng.below(2)).collect();
                self.cut = sides.iter().map(|from| sides.iter().map(|to| from != to).collect()).collect();
            }
            14 | 15 => self.cut = vec![vec![false; n]; n],
            16 => self.rotate(victim),
            _ => self.weather(),
        }
        let time = BASE * u32::try_from(self.rng.below(25)).expect("small") / 10;
        self.pass(time);
        self.net.assert_agreement();
    }

    /// Batches that come one after another make blocks in flight at the same time.
    fn offer_new(&mut self, count: usize) {
        for _ in 0..count {
            let name = u8::try_from(self.offered.len() + 1).expect("few");
            self.offered.insert(name);
            for index in self.honest.clone() {
                if self.rng.percent(90) {
                    self.net.offer(index, name);
                }
            }
            self.pass(SLICE);
        }
    }

    fn weather(&mut self) {
        self.loss = *self.rng.pick(&[0, 0, 2, 10, 50]).expect("five");
        self.scarce = (0..self.rng.below(3)).filter_map(|_| self.rng.pick(&KINDS).copied()).collect();
        self.duplicates = self.rng.below(20);
        self.jitter = *self.rng.pick(&[SLICE, SLICE * 2, BASE / 10, BASE / 2, BASE * 2]).expect("five");
        self.mischief = *self.rng.pick(&[1, 5, 30]).expect("three");
    }

    fn offer_again(&mut self, index: usize) {
        for name in self.offered.clone() {
            self.net.offer(index, name);
        }
    }

    fn crash_and_restart(&mut self, index: usize) {
        self.net.crash(index);
        let time = SLICE * u32::try_from(self.rng.below(20)).expect("small");
        self.pass(time);
        self.net.start(index);
        self.offer_again(index);
    }

    fn start_all(&mut self) {
        for index in self.honest.clone() {
            if self.net.nodes[index].is_none() {
                self.net.start(index);
                self.offer_again(index);
            }
        }
    }

    fn crash_all(&mut self) {
        for index in self.honest.clone() {
            self.net.crash(index);
            if !self.rotates && self.rng.percent(30) {
                self.net.lose_ledger(index);
            }
        }
        self.start_all();
    }

    fn rotate(&mut self, index: usize) {
        if let Some(node) = self.net.nodes[index].as_ref().filter(|_| self.rotates) {
            self.net.journals[index].0 = node.snapshot();
        }
    }

    fn heal(&mut self) {
        let n = self.net.nodes.len();
        self.cut = vec![vec![false; n]; n];
        self.loss = 0;
        self.scarce.clear();
        self.jitter = SLICE * 2;
        self.mischief = *self.rng.pick(&[0, self.mischief]).expect("two");
        self.start_all();
        self.honest.clone().into_iter().for_each(|index| self.offer_again(index));
    }

    fn is_done(&self) -> bool {
        self.honest.iter().all(|index| {
            let committed = self.net.committed[*index].iter();
            let batches: BTreeSet<Digest> =
                committed.flat_map(|digest| self.net.blocks[digest].payload.iter().copied()).collect();
            self.offered.iter().all(|name| batches.contains(&super::net::batch(*name)))
        })
    }

    /// How long it takes until all is committed.
    fn finish(&mut self) -> Option<Duration> {
        let mut passed = Duration::ZERO;
        while !self.is_done() {
            if passed > BOUND {
                return None;
            }
            self.pass(BASE / 4);
            passed += BASE / 4;
        }
        Some(passed)
    }

    fn report(&self) -> Vec<String> {
        let of = |index: &usize| {
            let node = self.net.node(*index);
            let (view, phase, root, low) = (node.view(), node.phase, node.root(), node.low.checkpoint.height);
            format!("{index}: view {view} {phase:?} root {root} low {low} batches {}", self.net.count_batches(*index))
        };
        self.honest.iter().map(of).collect()
    }
}

fn explore(seed: u64, n: usize) -> Duration {
    let mut world = World::new(seed, n);
    for _ in 0..10 + world.rng.below(30) {
        world.disturb();
    }
    world.heal();
    let took = world.finish();
    world.net.assert_agreement();
    let byzantine = world.adversary.as_ref().map(|adversary| adversary.who.clone()).unwrap_or_default();
    assert!(world.net.accused.iter().all(|accused| byzantine.contains(accused)), "{:?} accused", world.net.accused);
    took.unwrap_or_else(|| panic!("stuck: {:#?}, Byzantine {byzantine:?}", world.report()))
}

fn explore_all(n: usize) {
    for seed in 0..SEEDS {
        let run = std::panic::AssertUnwindSafe(|| explore(seed, n));
        assert!(std::panic::catch_unwind(run).is_ok(), "seed {seed} of n = {n} fails");
    }
}

#[test]
fn four_at_random() {
    explore_all(4);
}

#[test]
fn five_at_random() {
    explore_all(5);
}

#[test]
fn seven_at_random() {
    explore_all(7);
}
