//! What is wanted of each validator and of each link, and what has to be done to have it.
//!
//! Plain values: nothing here knows a process or a socket. [`Wanted::change`] takes the actions of scenario files, whoever they come
//! from, and means by them what the simulator means.

use crate::lab::{DiskFaults, NodeDisks, NodeFaults};
use quorate_links::LinkSpec;
use quorate_scenario::{Action, Attacker, DiskFault, DiskOf, Who};
use quorate_types::ReplicaId;
use std::collections::{BTreeMap, BTreeSet};

/// One direction of a link.
pub(super) type Direction = (ReplicaId, ReplicaId);

/// What is wanted of the whole testnet.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wanted {
    pub(super) nodes: Vec<NodeWanted>,
    /// Nothing passes here.
    pub(super) cuts: BTreeSet<Direction>,
    /// Links that are not perfect.
    pub(super) links: BTreeMap<Direction, LinkSpec>,
}

/// What is wanted of one validator.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct NodeWanted {
    pub(super) process: Process,
    /// It began with new disks and has not taken part since.
    pub(super) rejoins: bool,
    pub(super) attack: Option<Attacker>,
    /// It lied in this run: what it signed then stays signed.
    pub(super) has_lied: bool,
    pub(super) disks: NodeDisks,
    pub(super) skew_ms: i64,
}

/// What became of a validator's process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Process {
    /// It runs.
    #[default]
    Runs,
    /// It stands still.
    Paused,
    /// We killed it.
    Killed,
    /// We killed it and threw its data away.
    Wiped,
    /// It ended by itself.
    Ended,
}

/// Something that has to be done to a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    Kill(ReplicaId),
    /// Kill it after so many more messages.
    KillAfter(ReplicaId, u32),
    Start(ReplicaId),
    Wipe(ReplicaId),
    Pause(ReplicaId),
    Resume(ReplicaId),
}

impl Process {
    /// In a word.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Runs => "runs",
            Self::Paused => "paused",
            Self::Killed => "killed",
            Self::Wiped => "wiped",
            Self::Ended => "ended",
        }
    }

    /// Whether there is one, standing still or not.
    pub(super) fn is_there(self) -> bool {
        matches!(self, Self::Runs | Self::Paused)
    }
}

impl Wanted {
    /// So many validators, and nothing wrong.
    pub(super) fn new(nodes: usize) -> Self {
        Self { nodes: vec![NodeWanted::default(); nodes], cuts: BTreeSet::new(), links: BTreeMap::new() }
    }

    pub(super) fn members(&self) -> impl Iterator<Item = ReplicaId> + use<> {
        (0..self.nodes.len()).filter_map(|index| u16::try_from(index).ok()).map(ReplicaId)
    }

    pub(super) fn node(&self, id: ReplicaId) -> &NodeWanted {
        &self.nodes[id.index()]
    }

    pub(super) fn node_mut(&mut self, id: ReplicaId) -> &mut NodeWanted {
        &mut self.nodes[id.index()]
    }

    /// All that is wrong with one validator, as it is told.
    pub(super) fn faults(&self, id: ReplicaId) -> NodeFaults {
        let node = self.node(id);
        let link = |to: ReplicaId| {
            let spec = self.links.get(&(id, to)).copied().unwrap_or_default();
            (to, LinkSpec { cut: spec.cut || self.cuts.contains(&(id, to)), ..spec })
        };
        let others = self.members().filter(|to| *to != id);
        let links = others.map(link).filter(|(_, spec)| *spec != LinkSpec::default()).collect();
        NodeFaults { links, attack: node.attack.clone(), disks: node.disks, skew_ms: node.skew_ms }
    }

    /// Wants something else from now on, and says what has to be done to processes for it, in order.
    pub(super) fn change(&mut self, action: &Action) -> Result<Vec<Deed>, String> {
        self.check(action)?;
        match action {
            Action::Crash(who) => Ok(self.each(who, Self::kill)),
            Action::CrashAfter(id, messages) => Ok(vec![Deed::KillAfter(*id, *messages)]),
            Action::Restart(who) => Ok(self.each(who, Self::start)),
            Action::Wipe(who) => Ok(self.each(who, Self::wipe)),
            Action::ReplaceDisks(who) => {
                let mut deeds = self.each(who, Self::wipe);
                deeds.extend(self.each(who, Self::start));
                Ok(deeds)
            }
            Action::Pause(who) => Ok(self.each(who, Self::pause)),
            Action::Resume(who) => Ok(self.each(who, Self::resume)),
            Action::Disk(id, of, fault) => self.disk(*id, *of, *fault),
            Action::Partition(groups) => Ok(self.partition(groups)),
            Action::OneWay(from, to) => {
                self.cuts.insert((*from, *to));
                Ok(Vec::new())
            }
            Action::Heal => {
                self.cuts.clear();
                Ok(Vec::new())
            }
            Action::Links(spec) => {
                let pairs: Vec<_> = self.pairs().collect();
                pairs.into_iter().for_each(|pair| self.link(pair, *spec));
                Ok(Vec::new())
            }
            Action::Wan(wan) => {
                let size = u16::try_from(self.nodes.len()).unwrap_or(u16::MAX);
                wan.links(size).into_iter().for_each(|(from, to, spec)| self.link((from, to), spec));
                Ok(Vec::new())
            }
            Action::Link(from, to, spec) => {
                self.link((*from, *to), *spec);
                Ok(Vec::new())
            }
            Action::Skew(id, milliseconds) => {
                self.node_mut(*id).skew_ms = *milliseconds;
                Ok(Vec::new())
            }
            Action::Attack(attacker) => {
                let node = self.node_mut(attacker.replica);
                (node.attack, node.has_lied) = (Some(attacker.clone()), true);
                Ok(Vec::new())
            }
            Action::StopAttack(id) => {
                self.node_mut(*id).attack = None;
                Ok(Vec::new())
            }
        }
    }

    /// Everything is in order again, as far as that can be: nobody lies, all cuts and links are mended, everybody runs.
    pub(super) fn reset(&mut self) -> Vec<Deed> {
        for node in &mut self.nodes {
            (node.attack, node.skew_ms) = (None, 0);
        }
        self.mend()
    }

    /// The same, but liars lie on and clocks stay wrong.
    pub(super) fn mend(&mut self) -> Vec<Deed> {
        (self.cuts, self.links) = (BTreeSet::new(), BTreeMap::new());
        self.nodes.iter_mut().for_each(|node| node.disks = NodeDisks::default());
        let mut deeds = self.each(&Who::All, Self::resume);
        deeds.extend(self.each(&Who::All, Self::start));
        deeds
    }

    /// Wants of links, disks and clocks what was wanted before, and nobody to lie who did not. What became of processes is done.
    pub(super) fn go_back_to(&mut self, before: Self) {
        (self.cuts, self.links) = (before.cuts, before.links);
        for (node, before) in self.nodes.iter_mut().zip(before.nodes) {
            *node = NodeWanted { process: node.process, rejoins: node.rejoins, ..before };
        }
    }

    /// Refuses validators that there are not, and a link to oneself.
    fn check(&self, action: &Action) -> Result<(), String> {
        let size = u16::try_from(self.nodes.len()).unwrap_or(u16::MAX);
        action.check(size)?;
        match action {
            Action::OneWay(from, to) | Action::Link(from, to, _) if from == to => {
                Err(format!("there is no link from {} to itself", from.0))
            }
            Action::Links(spec) | Action::Link(_, _, spec) => spec.check().map_err(|why| why.to_string()),
            _ => Ok(()),
        }
    }

    fn pairs(&self) -> impl Iterator<Item = Direction> + use<> {
        let members: Vec<_> = self.members().collect();
        members
            .clone()
            .into_iter()
            .flat_map(move |from| members.clone().into_iter().filter(move |to| *to != from).map(move |to| (from, to)))
    }

    fn each(&mut self, who: &Who, one: fn(&mut Self, ReplicaId) -> Option<Deed>) -> Vec<Deed> {
        let size = u16::try_from(self.nodes.len()).unwrap_or(u16::MAX);
        who.of(size).into_iter().filter_map(|id| one(self, id)).collect()
    }

    fn kill(&mut self, id: ReplicaId) -> Option<Deed> {
        let node = self.node_mut(id);
        let was_there = node.process.is_there();
        if was_there {
            node.process = Process::Killed;
        }
        was_there.then_some(Deed::Kill(id))
    }

    /// Whoever starts it repairs its disks first, as its operator would.
    fn start(&mut self, id: ReplicaId) -> Option<Deed> {
        let node = self.node_mut(id);
        if node.process.is_there() {
            return None;
        }
        node.rejoins |= node.process == Process::Wiped;
        (node.process, node.disks) = (Process::Runs, NodeDisks::default());
        Some(Deed::Start(id))
    }

    fn wipe(&mut self, id: ReplicaId) -> Option<Deed> {
        let node = self.node_mut(id);
        (node.process, node.disks) = (Process::Wiped, NodeDisks::default());
        Some(Deed::Wipe(id))
    }

    fn pause(&mut self, id: ReplicaId) -> Option<Deed> {
        let node = self.node_mut(id);
        if node.process != Process::Runs {
            return None;
        }
        node.process = Process::Paused;
        Some(Deed::Pause(id))
    }

    fn resume(&mut self, id: ReplicaId) -> Option<Deed> {
        let node = self.node_mut(id);
        if node.process != Process::Paused {
            return None;
        }
        node.process = Process::Runs;
        Some(Deed::Resume(id))
    }

    fn link(&mut self, pair: Direction, spec: LinkSpec) {
        match spec == LinkSpec::default() {
            true => self.links.remove(&pair),
            false => self.links.insert(pair, spec),
        };
    }

    /// Whoever is in no group is alone.
    fn partition(&mut self, groups: &[Vec<ReplicaId>]) -> Vec<Deed> {
        let together = |(a, b): &Direction| groups.iter().any(|group| group.contains(a) && group.contains(b));
        self.cuts = self.pairs().filter(|pair| !together(pair)).collect();
        Vec::new()
    }

    fn disk(&mut self, id: ReplicaId, of: DiskOf, fault: DiskFault) -> Result<Vec<Deed>, String> {
        let disks = &mut self.node_mut(id).disks;
        let disk: &mut DiskFaults = match of {
            DiskOf::Journal => &mut disks.journal,
            DiskOf::Blocks => &mut disks.blocks,
        };
        match fault {
            DiskFault::SyncFails => disk.sync_fails = true,
            DiskFault::FullAfter(bytes) => disk.full_after = Some(bytes),
            DiskFault::Slow(by) => disk.delay_ms = u64::try_from(by.as_millis()).unwrap_or(u64::MAX),
            DiskFault::PowerFailsBefore(_) | DiskFault::StaleSector(_) | DiskFault::MisdirectedSector(..) => {
                return Err(
                    "power that fails between two writes, and sectors that lie, are the simulator's to show: the \
                    disks of processes are this machine's"
                        .to_owned(),
                );
            }
        }
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const ONE: ReplicaId = ReplicaId(1);

    fn ids(ids: &[u16]) -> Vec<ReplicaId> {
        ids.iter().copied().map(ReplicaId).collect()
    }

    fn after(actions: &[Action]) -> (Wanted, Vec<Deed>) {
        let mut wanted = Wanted::new(4);
        let deeds = actions.iter().flat_map(|action| wanted.change(action).expect("it makes sense")).collect();
        (wanted, deeds)
    }

    #[test]
    fn a_partition_cuts_between_groups_and_heal_leaves_links_as_they_are() {
        let slow = LinkSpec::delay(Duration::from_millis(40));
        let (mut wanted, _) = after(&[
            Action::Link(ReplicaId(0), ONE, slow),
            Action::Partition(vec![ids(&[0, 1]), ids(&[2, 3])]),
            Action::OneWay(ReplicaId(0), ONE),
        ]);
        let cut = |wanted: &Wanted, id: u16| {
            let faults = wanted.faults(ReplicaId(id));
            faults.links.into_iter().filter(|(_, spec)| spec.cut).map(|(to, _)| to.0).collect::<Vec<_>>()
        };
        assert_eq!((cut(&wanted, 0), cut(&wanted, 1), cut(&wanted, 3)), (vec![1, 2, 3], vec![2, 3], vec![0, 1]));
        wanted.change(&Action::Heal).expect("it makes sense");
        assert_eq!(wanted.faults(ReplicaId(0)).links, [(ONE, slow)].into());
        wanted.change(&Action::Links(LinkSpec::default())).expect("it makes sense");
        assert_eq!(wanted, Wanted::new(4));
    }

    #[test]
    fn processes_are_killed_once_started_once_and_a_paused_one_can_be_killed() {
        let one = || Who::one(ONE);
        let (wanted, deeds) = after(&[
            Action::Crash(one()),
            Action::Crash(one()),
            Action::Pause(one()),
            Action::Restart(one()),
            Action::Restart(one()),
            Action::Pause(one()),
            Action::Crash(one()),
            Action::Resume(one()),
        ]);
        assert_eq!(deeds, [Deed::Kill(ONE), Deed::Start(ONE), Deed::Pause(ONE), Deed::Kill(ONE)]);
        assert_eq!(wanted.node(ONE).process, Process::Killed);
        let (wanted, deeds) = after(&[Action::ReplaceDisks(one())]);
        assert_eq!(deeds, [Deed::Wipe(ONE), Deed::Start(ONE)]);
        assert!(wanted.node(ONE).rejoins && wanted.node(ONE).process == Process::Runs);
    }

    #[test]
    fn starting_again_repairs_disks_and_stops_no_attack() {
        let attacker = Attacker {
            replica: ONE,
            attack: "silent".into(),
            from_view: 0,
            until_view: None,
            against: BTreeSet::new(),
        };
        let full = Action::Disk(ONE, DiskOf::Journal, DiskFault::FullAfter(7));
        let (mut wanted, _) = after(&[full, Action::Attack(attacker.clone()), Action::Crash(Who::All)]);
        assert_eq!(wanted.faults(ONE).disks.journal.full_after, Some(7));
        wanted.change(&Action::Restart(Who::All)).expect("it makes sense");
        assert_eq!(wanted.faults(ONE), NodeFaults { attack: Some(attacker), ..NodeFaults::default() });
        assert_eq!(wanted.reset(), []);
        assert!(wanted.faults(ONE).is_none() && wanted.node(ONE).has_lied);
    }

    #[test]
    fn what_makes_no_sense_changes_nothing() {
        let mut wanted = Wanted::new(4);
        for nonsense in [
            Action::Crash(Who::one(ReplicaId(4))),
            Action::OneWay(ONE, ONE),
            Action::Link(ReplicaId(0), ONE, LinkSpec { loss: 2.0, ..LinkSpec::default() }),
            Action::Disk(ONE, DiskOf::Blocks, DiskFault::StaleSector(1)),
        ] {
            assert!(wanted.change(&nonsense).is_err(), "{nonsense:?}");
        }
        assert_eq!(wanted, Wanted::new(4));
    }
}
