//! Links between all pairs of replicas, and cuts across them.

use crate::Rng;
use quorate_links::{Arrivals, Lane, LinkSpec};
use quorate_types::ReplicaId;
use std::{collections::BTreeSet, time::Duration};

/// Every directed link, with what lies on it.
pub(crate) struct Network {
    size: usize,
    links: Vec<(LinkSpec, Lane)>,
    /// Directed pairs between which nothing passes.
    cut: BTreeSet<(ReplicaId, ReplicaId)>,
    rng: Rng,
}

impl Network {
    pub(crate) fn new(size: usize, spec: LinkSpec, rng: Rng) -> Self {
        Self { size, links: vec![(spec, Lane::default()); size * size], cut: BTreeSet::new(), rng }
    }

    fn link(&mut self, from: ReplicaId, to: ReplicaId) -> &mut (LinkSpec, Lane) {
        &mut self.links[from.index() * self.size + to.index()]
    }

    pub(crate) fn set_all(&mut self, spec: LinkSpec) {
        self.links.iter_mut().for_each(|(old, _)| *old = spec);
    }

    pub(crate) fn set(&mut self, from: ReplicaId, to: ReplicaId, spec: LinkSpec) {
        self.link(from, to).0 = spec;
    }

    pub(crate) fn cut(&mut self, from: ReplicaId, to: ReplicaId) {
        self.cut.insert((from, to));
    }

    /// Only members of one group hear each other. A replica in no group is alone.
    pub(crate) fn partition(&mut self, groups: &[Vec<ReplicaId>]) {
        let all = || (0..self.size).filter_map(|index| u16::try_from(index).ok()).map(ReplicaId);
        let together = |a, b| groups.iter().any(|group| group.contains(&a) && group.contains(&b));
        let pairs = all().flat_map(|a| all().map(move |b| (a, b)));
        self.cut = pairs.filter(|(a, b)| a != b && !together(*a, *b)).collect();
    }

    pub(crate) fn heal(&mut self) {
        self.cut.clear();
    }

    pub(crate) fn send(&mut self, from: ReplicaId, to: ReplicaId, now: Duration, length: usize) -> Arrivals {
        if self.cut.contains(&(from, to)) {
            return Arrivals::default();
        }
        let (spec, lane) = &mut self.links[from.index() * self.size + to.index()];
        lane.send(spec, now, length, || self.rng.next())
    }
}
