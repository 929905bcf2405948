//! More than `f` liars: what became of the honest, and who is to blame.

use super::Cluster;
use crate::{SimProtocol, checker::Violation, disk::SimDisk, index::SimIndex, node::Death};
use quorate_consensus::forensics::{Past, culprits};
use quorate_ledger::{Binding, Entry, Journal, Ledger};
use quorate_types::{Height, ReplicaId};
use std::collections::BTreeSet;

impl<P: SimProtocol> Cluster<P> {
    /// Where honest replicas committed different blocks, if the run went on then ([`Builder::let_it_fork`](crate::Builder::let_it_fork)).
    pub fn fork(&self) -> Option<&Violation> {
        self.checkers.fork.as_ref()
    }

    /// The lowest height at which two of them did.
    pub(crate) fn forked_at(&self) -> Option<u64> {
        let mut first = std::collections::BTreeMap::new();
        let commits = self.honest().flat_map(|id| &self.commits[id.index()]);
        let differ = commits.filter(|commit| *first.entry(commit.height).or_insert(commit.block) != commit.block);
        differ.map(|commit| commit.height.0).min()
    }

    fn honest(&self) -> impl Iterator<Item = ReplicaId> + '_ {
        self.nodes.iter().map(|node| node.id).filter(|id| !self.checkers.dishonest.contains(id))
    }

    /// Whether every honest replica has stopped by itself over a fork; who, or who has not.
    pub(crate) fn all_honest_halted(&self) -> Result<String, String> {
        let has_halted = |id: &ReplicaId| matches!(self.death(*id), Some(Death::Halted(_)));
        let (halted, others): (Vec<_>, Vec<_>) = self.honest().partition(has_halted);
        let names = |ids: &[ReplicaId]| ids.iter().map(|id| id.0.to_string()).collect::<Vec<_>>().join(", ");
        match others.is_empty() {
            true => Ok(format!("stopped by themselves: {}", names(&halted))),
            false => Err(format!("not stopped: {}", names(&others))),
        }
    }

    /// Whom the disks of the honest convict, compared with each other.
    pub(crate) fn convicted(&self) -> BTreeSet<ReplicaId> {
        let pasts: Vec<_> = self.honest().filter_map(|id| self.past(id)).collect();
        let mut convicted: BTreeSet<_> = self.accusations().map(|(_, evidence)| evidence.accused).collect();
        for (index, one) in pasts.iter().enumerate() {
            for other in &pasts[index + 1..] {
                let evidence = culprits::<P>(one, other, &self.setup.keys.consensus);
                convicted.extend(evidence.into_iter().map(|piece| piece.accused));
            }
        }
        convicted
    }

    /// What a replica has on its disks, from the first block that it holds on.
    fn past(&self, id: ReplicaId) -> Option<Past<P::Record>> {
        let disks = &self.nodes[id.index()].disks;
        let ledger: Ledger<SimDisk, SimIndex> =
            Ledger::open(disks.blocks.clone(), disks.index.clone(), &self.setup.genesis).ok()?;
        let heights = (1..=ledger.head().height.0).map(Height).filter(|height| ledger.held(*height).is_ok());
        let stored = heights.filter_map(|height| ledger.block(height).ok().flatten());
        let committed = stored.map(|stored| (stored.block, stored.proof)).collect();
        let entries = Journal::read(disks.journal.clone(), Binding::of(&self.setup.genesis)).unwrap_or_default();
        let record = |entry| match entry {
            Entry::Record(record) => Some(record),
            Entry::Birth | Entry::Batch(_) | Entry::Bound(_) => None,
        };
        Some(Past { committed, records: entries.into_iter().filter_map(record).collect() })
    }
}
