//! Birth and restart: a process from what its disks hold, by the node's own way of recovering.

use super::{Death, Disks, Life, Out, Sight, SimKeys};
use crate::{
    SimProtocol, SimScheme,
    attackers::{Attackers, Backing},
};
use quorate_consensus::BatchLimits;
use quorate_ledger::{Binding, Durability, Entry, Genesis, Journal, JournalError, Ledger};
use quorate_types::ReplicaId;
use quorate_validator::{Input, Recovered, StepJournal, check_head, config, recover_as};
use std::sync::Arc;

/// What processes of a cluster have in common.
#[derive(Clone)]
pub(crate) struct Setup<P: SimProtocol> {
    pub(crate) genesis: Genesis,
    pub(crate) scheme: P::Scheme,
    pub(crate) keys: Arc<SimKeys<P>>,
    /// Those of each replica, where each has its own.
    pub(crate) own: Vec<Arc<SimKeys<P>>>,
    pub(crate) limits: BatchLimits,
    pub(crate) durability: Durability,
    /// The journal is rotated when it has grown to so many bytes.
    pub(crate) rotate_after: u64,
    /// The ledger is made durable every so many commits.
    pub(crate) sync_every: u64,
    /// Replicas in attackers' hands.
    pub(crate) attackers: Attackers<P>,
    /// What they are given, once there are any.
    pub(crate) backing: Option<Backing<P::Scheme>>,
    /// Whoever is further behind fetches a snapshot.
    pub(crate) snapshot_gap: u64,
}

impl<P: SimProtocol> Setup<P> {
    /// What a replica checks messages with.
    pub(crate) fn keys_of(&self, replica: ReplicaId) -> &Arc<SimKeys<P>> {
        self.own.get(replica.index()).unwrap_or(&self.keys)
    }
}

impl<P: SimProtocol> Life<P> {
    /// Makes a replica's first journal, as the making of its keys does.
    pub(crate) fn keygen(disks: &Disks) -> Result<(), Death> {
        let created = Journal::<_, P::Record>::create(disks.journal.clone());
        created.map(|_| ()).map_err(|error| Death::Disk(error.to_string()))
    }

    /// Starts a process. What it wants done first is put into `outs`.
    pub(crate) fn start(id: ReplicaId, disks: &Disks, setup: &Setup<P>, outs: &mut Vec<Out<P>>) -> Result<Self, Death> {
        disks.journal.set_deferred(false);
        let dead = |error: String| Death::Disk(error);
        let ledger = Ledger::open(disks.blocks.clone(), disks.index.clone(), &setup.genesis)
            .map_err(|error| dead(error.to_string()))?;
        let binding = Binding::of(&setup.genesis);
        let (journal, recovered) = match Journal::open(disks.journal.clone(), binding) {
            Ok((journal, entries)) => (journal, Recovered::Entries(entries)),
            Err(JournalError::Missing { .. }) => {
                // The loss stands in the new journal from its first byte, as in the node.
                let loss = vec![Entry::Record(P::silence())];
                let fresh =
                    Journal::begin(disks.journal.clone(), binding, loss).map_err(|error| dead(error.to_string()))?;
                (fresh, Recovered::Lost)
            }
            Err(error) => return Err(dead(error.to_string())),
        };
        let entries = match &recovered {
            Recovered::Entries(entries) => entries.clone(),
            Recovered::Lost => Vec::new(),
        };
        outs.push(Out::Saw(Sight::Opened { head: ledger.head().clone(), journal: entries }));
        let secret = setup.scheme.secret_of(id);
        let config = config(&setup.genesis, &ledger, id, &setup.keys_of(id).consensus, secret)
            .map_err(|error| dead(error.to_string()))?;
        check_head::<P>(&config).map_err(|error| dead(error.to_string()))?;
        let make = |config, records| {
            let replica = P::recover(config, records);
            if let (Some(corrupt), Some(backing)) = (setup.attackers.get(&id), &setup.backing) {
                corrupt(&replica, backing);
            }
            replica
        };
        let core = recover_as::<P, _, _, _>(make, config, setup.limits, recovered, &ledger);
        disks.journal.set_deferred(true);
        let journal = StepJournal::new(journal, setup.durability);
        let mut life = Self::new(id, core, journal, ledger, disks.clone(), setup);
        life.take(Input::Started, outs);
        Ok(life)
    }
}
