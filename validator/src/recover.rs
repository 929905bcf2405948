//! Putting a validator together from what its disks kept.

use crate::{Core, ledger_work::is_spent};
use quorate_consensus::{
    BatchLimits, Mempool, RoundRobin, Timeouts,
    hotstuff::{Config, HotStuff, Record},
};
use quorate_crypto::Scheme;
use quorate_ledger::{Disk, Entry, Genesis, Index, Ledger};
use quorate_types::{Digest, Height, ReplicaId};
use std::{collections::BTreeSet, time::Duration};

/// What the journal had to say.
#[derive(Debug)]
pub enum Recovered<R> {
    /// Its entries, in order.
    Entries(Vec<Entry<R>>),
    /// There is no journal: this disk lost it, and with it the replica's promises.
    Lost,
}

/// A HotStuff replica's configuration as the genesis and the ledger's head give it.
pub fn hotstuff_config<S: Scheme, D: Disk, I: Index>(
    genesis: &Genesis,
    ledger: &Ledger<D, I>,
    id: ReplicaId,
    scheme: S,
    secret: S::Secret,
) -> Config<S> {
    let ms = Duration::from_millis;
    Config {
        id,
        scheme,
        secret,
        election: RoundRobin,
        timeouts: Timeouts {
            base: ms(genesis.params.timeout_base_ms),
            max: ms(genesis.params.timeout_max_ms),
            block_interval: genesis.params.block_interval_ms.map(ms),
        },
        max_block_batches: usize::from(genesis.params.max_block_batches),
        genesis: genesis.block().header,
        head: ledger.head().clone(),
    }
}

/// The validator as it was before the crash, ready for [`Input::Started`](crate::Input::Started).
pub fn recover<S: Scheme, D: Disk, I: Index>(
    config: Config<S>,
    limits: BatchLimits,
    recovered: Recovered<Record<S>>,
    ledger: &Ledger<D, I>,
) -> Core<HotStuff<S>> {
    let mut pool = Mempool::new(config.id, config.scheme.committee().clone(), limits);
    let me = config.id;
    let replica = match recovered {
        Recovered::Lost => HotStuff::rejoin(config),
        Recovered::Entries(entries) => {
            let mut records = Vec::new();
            // A block that was voted for may contain a spent batch. Were all to drop it in a common crash, nobody could
            // ever execute that block again.
            let needed = batches_of_uncommitted_blocks(&entries, config.head.height);
            for entry in entries {
                match entry {
                    Entry::Birth => {}
                    Entry::Record(record) => records.push(record),
                    Entry::Batch(batch) if !needed.contains(&batch.digest()) && is_spent(ledger, &batch) => {}
                    Entry::Batch(batch) => pool.restore(batch, me),
                }
            }
            HotStuff::recover(config, records)
        }
    };
    Core::new(replica, pool)
}

fn batches_of_uncommitted_blocks<S: Scheme>(entries: &[Entry<Record<S>>], head: Height) -> BTreeSet<Digest> {
    let blocks = entries.iter().filter_map(|entry| match entry {
        Entry::Record(Record::Block(justified)) => Some(&justified.block),
        Entry::Birth | Entry::Batch(_) | Entry::Record(_) => None,
    });
    blocks.filter(|block| block.header.height > head).flat_map(|block| block.payload.iter().copied()).collect()
}
