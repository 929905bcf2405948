//! A ledger on disk, read without a node: every block checked, certificates included.

mod investigate;
mod read_only;

pub(crate) use investigate::{Findings, investigate};

use crate::{
    exit::{Exit, Failure},
    home::{Home, file_failure},
    lock::DataLock,
};
use quorate_consensus::{Protocol, forensics::Past};
use quorate_ledger::{Binding, Entry, FileDisk, Genesis, Journal, JournalError, Ledger, MemoryIndex, StoredBlock};
use quorate_types::{Digest, Header, Height, Transaction};
use quorate_validator::Finality;
use read_only::{ReadOnlyDisk, Torn};
use serde_json::{Value, json};
use std::{collections::BTreeMap, path::PathBuf, sync::PoisonError};

/// A ledger opened for reading: nothing on the disk changes. Holds the lock on the data directory.
pub(crate) struct OfflineLedger {
    ledger: Ledger<ReadOnlyDisk, MemoryIndex>,
    torn: Torn,
    genesis: Genesis,
    journal: PathBuf,
    evidence: PathBuf,
    finality: Finality,
    _lock: DataLock,
}

/// One block of it.
#[derive(Debug)]
pub(crate) struct OfflineBlock {
    /// Its height.
    pub(crate) height: Height,
    /// Its name.
    pub(crate) digest: Digest,
    /// How many transactions it holds.
    pub(crate) transactions: usize,
    stored: StoredBlock,
    is_attributable: bool,
}

impl OfflineLedger {
    /// Opens the ledger of a home. Opening checks every frame, digest and link, and executes every block again; the index
    /// file is neither used nor changed.
    pub(crate) fn open(home: &Home, genesis: Genesis) -> Result<Self, Failure> {
        let lock = DataLock::take(home)?;
        let blocks = home.blocks();
        if !blocks.is_dir() {
            return Err(file_failure("read", &blocks, &std::io::ErrorKind::NotFound.into()));
        }
        let disk = FileDisk::open(blocks.clone()).map_err(|error| file_failure("open", &blocks, &error))?;
        let torn = Torn::default();
        let disk = ReadOnlyDisk::new(disk, Torn::clone(&torn));
        let ledger = Ledger::open(disk, MemoryIndex::default(), &genesis)
            .map_err(|error| Failure::failed(format!("the ledger in {} is not sound: {error}", blocks.display())))?;
        let finality = Finality::new(&genesis).map_err(|error| Failure::failed(error.to_string()))?;
        let (journal, evidence) = (home.journal(), home.evidence());
        Ok(Self { ledger, torn, genesis, journal, evidence, finality, _lock: lock })
    }

    /// The chain.
    pub(crate) fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// Files that end in an interrupted write, with the bytes that the validator will cut when it starts. No harm: nothing
    /// that was ever durable is among them.
    pub(crate) fn torn(&self) -> BTreeMap<String, u64> {
        self.torn.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The block whose state the ledger began from, if it did not begin from genesis, checked to be final by its certificate.
    /// The state was checked against it when the ledger was opened.
    pub(crate) fn base(&self) -> Result<Option<(Height, Digest)>, Failure> {
        let Some(base) = self.ledger.base() else { return Ok(None) };
        let height = base.header.height;
        self.finality
            .check(&base.header, &base.proof)
            .map_err(|error| Failure::new(Exit::Failure, format!("the snapshot at {height} is not sound: {error}")))?;
        Ok(Some((height, base.header.digest())))
    }

    /// The last height.
    pub(crate) fn height(&self) -> Height {
        self.ledger.head().height
    }

    /// The header at a height, unless it is above the last or below the snapshot that the ledger began from.
    pub(crate) fn header(&self, height: Height) -> Result<Option<Header>, Failure> {
        if height > self.height() || self.ledger.held(height).is_err() {
            return Ok(None);
        }
        self.ledger.header(height).map_err(|error| Failure::failed(error.to_string()))
    }

    /// What this validator left behind of the heights from `first` up, and all that its journal holds. Each block is checked to be
    /// final.
    pub(crate) fn past<P: Protocol>(&self, first: Height) -> Result<Past<P::Record>, Failure> {
        let heights = (first.0..=self.height().0).map(Height);
        let blocks = heights.map(|height| self.block(height).map(|block| (block.stored.block, block.stored.proof)));
        Ok(Past { committed: blocks.collect::<Result<_, _>>()?, records: self.records::<P>()? })
    }

    /// The vote journal's records; none if it is lost.
    fn records<P: Protocol>(&self) -> Result<Vec<P::Record>, Failure> {
        if !self.journal.is_dir() {
            return Ok(Vec::new());
        }
        let disk = FileDisk::open(self.journal.clone()).map_err(|error| file_failure("open", &self.journal, &error))?;
        match Journal::read(ReadOnlyDisk::new(disk, Torn::default()), Binding::of(&self.genesis)) {
            Ok(entries) => Ok(entries.into_iter().filter_map(record_of).collect()),
            Err(JournalError::Missing { .. }) => Ok(Vec::new()),
            Err(error) => Err(Failure::failed(error.to_string())),
        }
    }

    /// The files of evidence that this validator kept.
    pub(crate) fn evidence_files(&self) -> Vec<PathBuf> {
        // A validator makes the directory when it starts.
        crate::evidence::files(&self.evidence).unwrap_or_default()
    }

    /// Every block held, from height 0 up, each checked to follow the one before and to be final by its certificate.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = Result<OfflineBlock, Failure>> {
        let heights = (0..=self.ledger.head().height.0).map(Height);
        heights.filter(|height| self.ledger.held(*height).is_ok()).map(|height| self.block(height))
    }

    fn block(&self, height: Height) -> Result<OfflineBlock, Failure> {
        let unsound = |why: String| Failure::new(Exit::Failure, format!("the block at {height} is not sound: {why}"));
        let stored = self.ledger.block(height).map_err(|error| unsound(error.to_string()))?;
        let stored = stored.ok_or_else(|| unsound("it is missing".into()))?;
        if let Some(proof) = &stored.proof {
            self.finality.check(&stored.block.header, proof).map_err(|error| unsound(error.to_string()))?;
        }
        let transactions = stored.batches.iter().map(|batch| batch.transactions().len()).sum();
        let is_attributable = self.genesis.scheme.is_attributable();
        Ok(OfflineBlock { height, digest: stored.block.digest(), transactions, stored, is_attributable })
    }
}

fn record_of<R>(entry: Entry<R>) -> Option<R> {
    match entry {
        Entry::Record(record) => Some(record),
        Entry::Birth | Entry::Batch(_) | Entry::Bound(_) => None,
    }
}

impl OfflineBlock {
    /// The names of its transactions, made of what it holds.
    pub(crate) fn transactions(&self) -> impl Iterator<Item = Digest> {
        self.stored.batches.iter().flat_map(|batch| batch.transactions()).map(Transaction::digest)
    }

    /// The whole block as JSON, payloads in hexadecimal.
    pub(crate) fn json(&self) -> Value {
        let batches: Vec<_> = self
            .stored
            .batches
            .iter()
            .map(|batch| {
                let transactions: Vec<_> = batch.transactions().iter().map(|transaction| json!({
                "digest": transaction.digest(), "sender": transaction.body.sender, "nonce": transaction.body.nonce,
                "payload": hex::encode(&transaction.body.payload[..]), "signature": hex::encode(transaction.signature),
            })).collect();
                json!({ "digest": batch.digest(), "transactions": transactions })
            })
            .collect();
        json!({
            "height": self.height, "digest": self.digest, "header": self.stored.block.header, "batches": batches,
            "proof": self.stored.proof.as_ref().map(hex::encode),
            "attributable": self.stored.proof.as_ref().map(|_| self.is_attributable),
        })
    }
}
