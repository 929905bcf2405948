//! Every scenario of a kind, once: a constructive enumeration up to symmetry.
//!
//! A scenario is written as a word: the leaders of its views, then their partitions. The permutations of [`Symmetry`] turn words
//! into words; of those that are the same but for names, the enumeration gives the least. It never makes a word to throw it away:
//!
//! - A beginning of a least word is least among its own images, so words grow letter by letter.
//! - Given a least beginning, a letter may follow if no permutation *that leaves the beginning as it is* makes it smaller. Other
//!   permutations make the beginning greater, and then no letter after it matters.
//!
//! So each beginning carries the permutations that leave it as it is, its stabiliser, and the enumeration is a tree whose leaves are the
//! scenarios. Leaders come first because a protocol may ask who leads the next view while it is in this one; all scenarios with the
//! same leaders are then runs that share their beginnings.
//!
//! How many there are follows from Burnside's lemma, which the tests use to check the tree: the mean over the permutations of
//! (settings that it leaves as they are)^views. Four replicas, one pair, two parts: 4 leaders x 16 partitions = 64 settings a view and 12
//! permutations; 25,740 scenarios of 3 views, 1,502,936 of 4. Where leaders take turns, no permutation is left to use, and
//! all 16^views scenarios are run.

use super::{
    scenario::{Partition, Round, Scenario, Shape, ShapeError},
    symmetry::Symmetry,
};
use quorate_consensus::LISTED_VIEWS;
use quorate_types::ReplicaId;

/// Who leads the views of a family's scenarios.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leading {
    /// Anybody any view.
    Anybody,
    /// Replica `v mod n` view `v`.
    RoundRobin,
}

/// All scenarios of a kind.
#[derive(Clone, Debug)]
pub struct Family {
    shape: Shape,
    views: usize,
    leading: Leading,
    partitions: Vec<Partition>,
    /// For each permutation, which partition each becomes, by number.
    partition_images: Vec<Vec<usize>>,
    /// For each permutation, where each replica goes.
    replica_images: Vec<Vec<usize>>,
}

/// The leaders that some scenarios share, and the permutations that leave them as they are.
#[derive(Clone, Debug)]
pub(super) struct Stem {
    pub(super) leaders: Vec<ReplicaId>,
    stabiliser: Vec<usize>,
}

/// What grows along the enumeration: from the leaders on, partition by partition.
pub(super) trait Grow: Sized {
    /// With one more view.
    fn grown(&self, partition: &Partition) -> Self;
    /// All views are there.
    fn finish(self, partitions: &[Partition]);
}

impl Family {
    /// Scenarios of so many views.
    pub fn new(shape: Shape, views: usize, leading: Leading) -> Result<Self, ShapeError> {
        if views == 0 || views > LISTED_VIEWS {
            return Err(ShapeError::Views(views));
        }
        let symmetries = match leading {
            Leading::Anybody => Symmetry::all(&shape),
            Leading::RoundRobin => vec![Symmetry::identity(&shape)],
        };
        let partitions = shape.partitions();
        let number = |partition| partitions.binary_search(&partition).expect("an image of a partition is one");
        let partition_images = symmetries
            .iter()
            .map(|symmetry| partitions.iter().map(|partition| number(symmetry.partition(partition))).collect());
        let replica_images =
            symmetries.iter().map(|symmetry| (0..shape.nodes()).map(|replica| symmetry.replica(replica)).collect());
        let (partition_images, replica_images) = (partition_images.collect(), replica_images.collect());
        Ok(Self { shape, views, leading, partitions, partition_images, replica_images })
    }

    /// Of what its scenarios are made.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Views of each scenario.
    pub fn views(&self) -> usize {
        self.views
    }

    /// How many scenarios there are: the leaves of the tree, counted one level from its end.
    pub fn count(&self) -> u64 {
        self.stems().iter().map(|stem| self.count_below(&stem.stabiliser, self.views)).sum()
    }

    fn count_below(&self, stabiliser: &[usize], views: usize) -> u64 {
        if views == 0 {
            return 1;
        }
        if stabiliser.len() == 1 {
            // Only the identity is left: nothing is the same as anything else any more.
            let views = u32::try_from(views).expect("few views");
            return u64::try_from(self.partitions.len()).expect("few partitions").pow(views);
        }
        let numbers = 0..self.partitions.len();
        numbers
            .filter_map(|number| self.follow(stabiliser, number))
            .map(|next| self.count_below(&next, views - 1))
            .sum()
    }

    /// Every scenario, in order.
    pub fn scenarios(&self) -> Vec<Scenario> {
        let mut scenarios = Vec::new();
        for stem in self.stems() {
            let found = std::cell::RefCell::new(&mut scenarios);
            for first in self.first(&stem) {
                self.grow(&stem, first, Collect { leaders: &stem.leaders, into: &found });
            }
        }
        scenarios
    }

    /// The leaders of all scenarios, each list once.
    pub(super) fn stems(&self) -> Vec<Stem> {
        let everything = (0..self.replica_images.len()).collect();
        let mut stems = vec![Stem { leaders: Vec::new(), stabiliser: everything }];
        for view in 1..=self.views {
            stems = stems.iter().flat_map(|stem| self.led_on(stem, view)).collect();
        }
        stems
    }

    fn led_on(&self, stem: &Stem, view: usize) -> Vec<Stem> {
        let candidates = match self.leading {
            Leading::Anybody => 0..self.shape.nodes(),
            Leading::RoundRobin => view % self.shape.nodes()..view % self.shape.nodes() + 1,
        };
        let follow = |leader: usize| {
            let stabiliser = least(&stem.stabiliser, leader, &self.replica_images)?;
            let leader = ReplicaId(u16::try_from(leader).expect("few replicas"));
            Some(Stem { leaders: [&stem.leaders[..], &[leader]].concat(), stabiliser })
        };
        candidates.filter_map(follow).collect()
    }

    /// Whether the partition of this number may come next, and the stabiliser then.
    fn follow(&self, stabiliser: &[usize], number: usize) -> Option<Vec<usize>> {
        least(stabiliser, number, &self.partition_images)
    }

    /// The partitions, by number, that scenarios with these leaders begin with.
    pub(super) fn first(&self, stem: &Stem) -> impl Iterator<Item = usize> + use<'_> {
        let stabiliser = stem.stabiliser.clone();
        (0..self.partitions.len()).filter(move |number| self.follow(&stabiliser, *number).is_some())
    }

    /// Walks all scenarios with these leaders and this first partition.
    pub(super) fn grow(&self, stem: &Stem, first: usize, from: impl Grow) {
        self.grow_into(&from, &stem.stabiliser, first, &mut Vec::new());
    }

    fn grow_into<G: Grow>(&self, from: &G, stabiliser: &[usize], number: usize, path: &mut Vec<Partition>) {
        let Some(stabiliser) = self.follow(stabiliser, number) else { return };
        let partition = self.partitions[number];
        let grown = from.grown(&partition);
        path.push(partition);
        if path.len() == self.views {
            grown.finish(path);
        } else {
            (0..self.partitions.len()).for_each(|next| self.grow_into(&grown, &stabiliser, next, path));
        }
        path.pop();
    }
}

/// Those of `stabiliser` that leave `letter` as it is, if none of them makes it smaller.
fn least(stabiliser: &[usize], letter: usize, images: &[Vec<usize>]) -> Option<Vec<usize>> {
    let mut same = Vec::new();
    for &symmetry in stabiliser {
        match images[symmetry][letter].cmp(&letter) {
            std::cmp::Ordering::Less => return None,
            std::cmp::Ordering::Equal => same.push(symmetry),
            std::cmp::Ordering::Greater => {}
        }
    }
    Some(same)
}

struct Collect<'a, 'b> {
    leaders: &'a [ReplicaId],
    into: &'a std::cell::RefCell<&'b mut Vec<Scenario>>,
}

impl Grow for Collect<'_, '_> {
    fn grown(&self, _: &Partition) -> Self {
        Self { leaders: self.leaders, into: self.into }
    }

    fn finish(self, partitions: &[Partition]) {
        let round = |(leader, partition): (&ReplicaId, &Partition)| Round { leader: *leader, partition: *partition };
        let rounds = self.leaders.iter().zip(partitions).map(round).collect();
        self.into.borrow_mut().push(Scenario(rounds));
    }
}
