//! What a validator's disks give when it starts.

use super::around::{Around, Shelf};
use crate::handle::{NodeConfig, NodeLedger, StartError};
use quorate_consensus::Protocol;
use quorate_ledger::{Binding, Disk, Entry, FileDisk, Journal, JournalError, Ledger, RedbIndex};
use quorate_validator::Recovered;

pub(super) struct Disks<P: Protocol> {
    pub(super) ledger: NodeLedger,
    pub(super) journal: Journal<Box<dyn Disk>, P::Record>,
    pub(super) recovered: Recovered<P::Record>,
}

pub(super) fn environment(error: impl std::fmt::Display) -> StartError {
    StartError::Environment(error.to_string())
}

pub(super) fn damaged(error: impl std::fmt::Display) -> StartError {
    StartError::Damaged(error.to_string())
}

impl<P: Protocol> Disks<P> {
    /// Opens both, the journal first: a home that was made for another chain is best told so by its promises.
    pub(super) fn open(config: &NodeConfig, around: &dyn Around<P>) -> Result<Self, StartError> {
        let (journal, recovered) = open_journal::<P>(config, around)?;
        let blocks = FileDisk::open(config.data_dir.join("blocks")).map_err(environment)?;
        let (index, note) = RedbIndex::open_or_recreate(&config.data_dir.join("index.redb")).map_err(environment)?;
        if let Some(note) = note {
            tracing::warn!(%note, "the index is rebuilt from the block log");
        }
        let blocks = around.disk(Shelf::Blocks, blocks);
        let ledger = Ledger::open(blocks, index, &config.genesis).map_err(damaged)?;
        Ok(Self { ledger, journal, recovered })
    }
}

type Opened<P> = (
    Journal<Box<dyn Disk>, <P as quorate_consensus::Replica>::Record>,
    Recovered<<P as quorate_consensus::Replica>::Record>,
);

fn open_journal<P: Protocol>(config: &NodeConfig, around: &dyn Around<P>) -> Result<Opened<P>, StartError> {
    let disk = || match FileDisk::open(config.data_dir.join("journal")) {
        Ok(files) => Ok(around.disk(Shelf::Journal, files)),
        Err(error) => Err(environment(error)),
    };
    let binding = Binding::of(&config.genesis);
    match Journal::open(disk()?, binding) {
        Ok((journal, entries)) => Ok((journal, Recovered::Entries(entries))),
        Err(JournalError::Missing { .. }) => {
            tracing::error!(
                "the vote journal is lost: this validator has forgotten what it promised, and stays silent until the \
                 others have provably moved on"
            );
            // The loss stands in the new journal from its first byte: a crash before this validator speaks again must not pass it
            // off as one that never spoke.
            let loss = vec![Entry::Record(P::silence())];
            Ok((Journal::begin(disk()?, binding, loss).map_err(environment)?, Recovered::Lost))
        }
        Err(error) => Err(damaged(error)),
    }
}
