//! Steps into the journal: batches and records in one frame, one flush.

use borsh::{BorshDeserialize, BorshSerialize};
use quorate_consensus::{Action, Journal as Persist, Step};
use quorate_ledger::{Disk, Durability, Entry, Journal};
use quorate_types::Batch;
use std::{io, sync::Arc};

/// The vote journal of a validator. What is pushed first is durable first: a vote never lies on the disk without the batches
/// that came before it.
#[derive(Debug)]
pub struct StepJournal<D, R> {
    journal: Journal<D, R>,
    durability: Durability,
}

impl<D: Disk, R: BorshSerialize + BorshDeserialize> StepJournal<D, R> {
    /// Writes to `journal` as durably as `durability` says.
    pub fn new(journal: Journal<D, R>, durability: Durability) -> Self {
        Self { journal, durability }
    }

    /// Puts a batch before all later steps, without flushing.
    pub fn keep(&mut self, batch: Arc<Batch>) {
        self.journal.push(Entry::Batch(batch));
    }

    /// Makes the steps durable with one flush, and hands out their actions in order.
    pub fn release<M>(&mut self, steps: Vec<Step<M, R>>) -> io::Result<Vec<Action<M>>> {
        steps.into_iter().reduce(Step::then).unwrap_or_default().release(self)
    }

    /// Writes what was kept or pushed and not yet flushed, durably.
    pub fn flush(&mut self) -> io::Result<()> {
        self.journal.flush(self.durability)
    }

    /// Bytes written since the last rotation.
    pub fn bytes(&self) -> u64 {
        self.journal.bytes()
    }

    /// How often the disk was asked to make it durable, since it was opened.
    pub fn syncs(&self) -> u64 {
        self.journal.syncs()
    }

    /// Begins a new journal with `live` entries.
    pub fn rotate(&mut self, live: Vec<Entry<R>>) -> io::Result<()> {
        self.journal.rotate(live)
    }
}

impl<D: Disk, R: BorshSerialize + BorshDeserialize> Persist<R> for StepJournal<D, R> {
    type Error = io::Error;

    fn persist(&mut self, records: Vec<R>) -> io::Result<()> {
        for record in records {
            self.journal.push(Entry::Record(record));
        }
        self.journal.flush(self.durability)
    }
}
