//! Crashes, lost disks, cuts.

use super::Cluster;
use crate::{
    SimProtocol, Violation,
    attackers::{Backing, Corrupter},
    checker::Rule,
    disk::DiskFault,
    node::{Death, Life},
    puppet::Hands,
    trace::{Turn, What},
};
use quorate_links::LinkSpec;
use quorate_types::ReplicaId;
use std::time::Duration;

/// One of a replica's disks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskOf {
    /// The vote journal's.
    Journal,
    /// The block log's.
    Blocks,
}

impl<P: SimProtocol> Cluster<P> {
    /// Power fails at a replica: its process ends, what was not durable is gone. A flush in progress may have happened,
    /// half happened, or not.
    pub fn crash(&mut self, replica: impl Into<Which>) {
        let id = replica.into().0;
        let node = &mut self.nodes[id.index()];
        node.fuse = None;
        if node.life.take().is_none() && node.death.is_none() {
            return;
        }
        node.death = None;
        node.disks.crash(&mut node.rng);
        self.paused.remove(&id);
        self.turn(id, Turn::Crashes, String::new());
    }

    /// Power fails at a replica when it has done so many more things: sent messages, set timers, begun flushes. The first copies of a
    /// broadcast may be on their way then, and the others not.
    pub fn crash_after(&mut self, replica: impl Into<Which>, actions: u32) {
        self.nodes[replica.into().0.index()].fuse = Some(actions);
    }

    /// Does this to a replica, now if it runs, and each time it starts. It is dishonest from then on, whatever becomes of it.
    pub(crate) fn put_into_hands(&mut self, id: ReplicaId, corrupt: Corrupter<P>, what: &str) {
        let (scheme, seed) = (&self.setup.scheme, self.seed);
        let backing = self.setup.backing.get_or_insert_with(|| Backing::new(scheme, seed));
        if let Some(life) = &self.nodes[id.index()].life {
            corrupt(life.core.replica(), backing);
        }
        self.setup.attackers.insert(id, corrupt);
        self.checkers.dishonest.insert(id);
        self.note(What::Note(format!("{id} {what}")));
    }

    /// Power fails everywhere at once.
    pub fn crash_all(&mut self) {
        (0..self.nodes.len()).for_each(|index| self.crash(self.nodes[index].id));
    }

    /// Starts a replica that is down, from its disks. One whose process ended by itself loses what was not durable first.
    pub fn restart(&mut self, replica: impl Into<Which>) {
        let id = replica.into().0;
        if self.puppets.contains_key(&id) || self.nodes[id.index()].life.is_some() {
            return;
        }
        let node = &mut self.nodes[id.index()];
        node.disks.repair();
        if node.death.take().is_some() {
            node.disks.crash(&mut node.rng);
        }
        self.start(id);
    }

    /// Starts everybody who is down.
    pub fn restart_all(&mut self) {
        (0..self.nodes.len()).for_each(|index| self.restart(self.nodes[index].id));
    }

    pub(super) fn start(&mut self, id: ReplicaId) {
        self.turn(id, Turn::Starts, String::new());
        let now = self.queue.now();
        let node = &mut self.nodes[id.index()];
        node.lives += 1;
        node.ledger_free_at = now;
        let mut outs = Vec::new();
        match Life::start(id, &node.disks, &self.setup, &mut outs) {
            Ok(life) => {
                node.life = Some(life);
                self.perform(id, outs);
            }
            Err(death) => {
                node.death = Some(death.clone());
                self.turn(id, Turn::CannotStart, format!("{death:?}"));
                if !self.nodes[id.index()].disks.are_faulty() && !self.checkers.is_faulty(id) {
                    let what = format!("{id} cannot start from its disks: {death:?}");
                    self.violated(Violation::new(Rule::Honesty, what));
                }
            }
        }
    }

    /// Gives a replica that cannot start because its disk lied a new one, as its operator would, and starts it.
    pub fn replace_bad_disks(&mut self) {
        for index in 0..self.nodes.len() {
            let id = self.nodes[index].id;
            if self.nodes[index].death.is_some() && self.checkers.damaged.contains(&id) {
                self.wipe(id);
                self.restart(id);
            }
        }
    }

    /// No disk is slow any more.
    pub(crate) fn quicken_disks(&mut self) {
        for node in &self.nodes {
            for disk in [&node.disks.journal, &node.disks.blocks] {
                disk.inject(DiskFault::Slow(Duration::ZERO));
            }
        }
    }

    /// A replica loses its disks, running or not. Start it with [`Cluster::restart`].
    pub fn wipe(&mut self, replica: impl Into<Which>) {
        let id = replica.into().0;
        let node = &mut self.nodes[id.index()];
        node.life = None;
        node.death = None;
        node.disks.wipe();
        self.paused.remove(&id);
        self.turn(id, Turn::LosesDisks, String::new());
    }

    /// Makes a disk fail. Until the replica is restarted its process may end by itself.
    pub fn fail_disk(&mut self, replica: impl Into<Which>, disk: DiskOf, fault: DiskFault) {
        let id = replica.into().0;
        let disks = &self.nodes[id.index()].disks;
        match disk {
            DiskOf::Journal => disks.journal.inject(fault),
            DiskOf::Blocks => disks.blocks.inject(fault),
        }
        if disks.journal.has_bad_sectors() || disks.blocks.has_bad_sectors() {
            self.checkers.damaged.insert(id);
        }
        self.turn(id, Turn::DiskFails, format!("{disk:?} {fault:?}"));
    }

    /// A handle to a disk, to look into it or to damage it. Whoever damages one expects its replica to refuse it: see
    /// [`Cluster::distrust`].
    pub fn disk(&self, replica: impl Into<Which>, disk: DiskOf) -> crate::disk::SimDisk {
        let disks = &self.nodes[replica.into().0.index()].disks;
        match disk {
            DiskOf::Journal => disks.journal.clone(),
            DiskOf::Blocks => disks.blocks.clone(),
        }
    }

    /// From now on a replica may fail to start or end by itself without that being a violation.
    pub fn distrust(&mut self, replica: impl Into<Which>) {
        let index = replica.into().0.index();
        self.nodes[index].disks.distrust();
    }

    /// Why a replica's process ended by itself or could not start.
    pub fn death(&self, replica: impl Into<Which>) -> Option<&Death> {
        self.nodes[replica.into().0.index()].death.as_ref()
    }

    /// From now on a test speaks in this replica's name too, with these: it is dishonest.
    pub fn hands_of(&mut self, replica: impl Into<Which>) -> Hands<P> {
        let id = replica.into().0;
        self.checkers.dishonest.insert(id);
        Hands::new(id, self.queue.now(), self.setup.scheme.clone())
    }

    /// Only members of one group hear each other.
    pub fn partition<const N: usize>(&mut self, groups: [&[u16]; N]) {
        let groups: Vec<Vec<_>> = groups.iter().map(|group| group.iter().copied().map(ReplicaId).collect()).collect();
        self.partition_into(&groups);
    }

    pub(crate) fn partition_into(&mut self, groups: &[Vec<ReplicaId>]) {
        self.note(What::Note(format!("partition {groups:?}")));
        self.network.partition(groups);
    }

    /// Nothing from `from` reaches `to` any more; the other way is open.
    pub fn one_way(&mut self, from: u16, to: u16) {
        self.note(What::Note(format!("nothing passes from {from} to {to}")));
        self.network.cut(ReplicaId(from), ReplicaId(to));
    }

    /// All cuts are mended. Links stay as they are specified.
    pub fn heal(&mut self) {
        self.note(What::Note("the network is whole".to_owned()));
        self.network.heal();
    }

    /// All links behave like this from now on.
    pub fn links(&mut self, spec: LinkSpec) {
        self.note(What::Note(format!("{spec:?}")));
        self.network.set_all(spec);
    }

    /// One direction of one link behaves like this from now on.
    pub fn link(&mut self, from: u16, to: u16, spec: LinkSpec) {
        self.note(What::Note(format!("{from} to {to}: {spec:?}")));
        self.network.set(ReplicaId(from), ReplicaId(to), spec);
    }

    /// A machine's clock is wrong by so many milliseconds.
    pub fn skew_clock(&mut self, replica: impl Into<Which>, milliseconds: i64) {
        self.nodes[replica.into().0.index()].skew = milliseconds;
    }
}

/// A replica, by number or by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Which(pub(crate) ReplicaId);

impl From<u16> for Which {
    fn from(index: u16) -> Self {
        Self(ReplicaId(index))
    }
}

/// Plain number literals are `i32`.
impl From<i32> for Which {
    fn from(index: i32) -> Self {
        Self(ReplicaId(u16::try_from(index).expect("a replica's number")))
    }
}

impl From<ReplicaId> for Which {
    fn from(id: ReplicaId) -> Self {
        Self(id)
    }
}
