//! Birth and restart: a process from what its disks hold, by the node's own way of recovering.

use super::{Death, Disks, Life, Out, Sight, SimKeys};
use crate::SimScheme;
use quorate_consensus::{BatchLimits, hotstuff::Record};
use quorate_ledger::{Durability, Entry, Genesis, Journal, JournalError, Ledger};
use quorate_types::ReplicaId;
use quorate_validator::{Input, Recovered, StepJournal, hotstuff_config, recover};
use std::sync::Arc;

/// What processes of a cluster have in common.
#[derive(Clone)]
pub(crate) struct Setup<S: SimScheme> {
    pub(crate) genesis: Genesis,
    pub(crate) scheme: S,
    pub(crate) keys: Arc<SimKeys<S>>,
    pub(crate) limits: BatchLimits,
    pub(crate) durability: Durability,
    /// The journal is rotated when it has grown to so many bytes.
    pub(crate) rotate_after: u64,
    /// The ledger is made durable every so many commits.
    pub(crate) sync_every: u64,
}

impl<S: SimScheme> Life<S> {
    /// Makes a replica's first journal, as the making of its keys does.
    pub(crate) fn keygen(disks: &Disks) -> Result<(), Death> {
        let created = Journal::<_, Record<S>>::create(disks.journal.clone());
        created.map(|_| ()).map_err(|error| Death::Disk(error.to_string()))
    }

    /// Starts a process. What it wants done first is put into `outs`.
    pub(crate) fn start(id: ReplicaId, disks: &Disks, setup: &Setup<S>, outs: &mut Vec<Out<S>>) -> Result<Self, Death> {
        disks.journal.set_deferred(false);
        let dead = |error: String| Death::Disk(error);
        let ledger = Ledger::open(disks.blocks.clone(), disks.index.clone(), &setup.genesis)
            .map_err(|error| dead(error.to_string()))?;
        let (journal, recovered) = match Journal::open(disks.journal.clone()) {
            Ok((journal, entries)) => (journal, Recovered::Entries(entries)),
            Err(JournalError::Missing { .. }) => {
                // The loss stands in the new journal from its first byte, as in the node.
                let loss = vec![Entry::Record(Record::Silence)];
                let fresh = Journal::begin(disks.journal.clone(), loss).map_err(|error| dead(error.to_string()))?;
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
        let config = hotstuff_config(&setup.genesis, &ledger, id, setup.scheme.clone(), secret);
        let core = recover(config, setup.limits, recovered, &ledger);
        disks.journal.set_deferred(true);
        let journal = StepJournal::new(journal, setup.durability);
        let mut life = Self::new(id, core, journal, ledger, disks.clone(), setup);
        life.take(Input::Started, outs);
        Ok(life)
    }
}
