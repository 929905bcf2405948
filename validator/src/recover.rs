//! Putting a validator together from what its disks kept.

use crate::{Core, Docket, ledger_work::is_spent};
use quorate_consensus::{BatchLimits, Config, Keys, Mempool, Protocol, Rejection, Replica, Timeouts};
use quorate_crypto::Scheme;
use quorate_ledger::{Disk, Entry, Genesis, Index, Ledger, LedgerError};
use quorate_types::{Digest, Header, Height, ReplicaId};
use std::{collections::BTreeSet, time::Duration};

/// What the journal had to say.
#[derive(Debug)]
pub enum Recovered<R> {
    /// Its entries, in order.
    Entries(Vec<Entry<R>>),
    /// There is no journal: this disk lost it, and with it the replica's promises.
    Lost,
}

/// A replica's configuration as the genesis and the ledger's head give it.
pub fn config<S: Scheme, D: Disk, I: Index>(
    genesis: &Genesis,
    ledger: &Ledger<D, I>,
    id: ReplicaId,
    keys: &Keys<S>,
    secret: S::Secret,
) -> Result<Config<S>, LedgerError> {
    let ms = Duration::from_millis;
    let scheme = keys.scheme.clone();
    let (election, head) = (election(genesis.election), ledger.head().clone());
    let head_proof = ledger.head_proof()?;
    let recent = recent(ledger, election.memory(scheme.committee()))?;
    Ok(Config {
        id,
        scheme,
        secret,
        election,
        timeouts: Timeouts {
            base: ms(genesis.params.timeout_base_ms),
            max: ms(genesis.params.timeout_max_ms),
            block_interval: genesis.params.block_interval_ms.map(ms),
        },
        max_block_batches: usize::from(genesis.params.max_block_batches),
        checkpoint_interval: genesis.params.checkpoint_interval,
        genesis: keys.genesis.clone(),
        head,
        head_proof,
        recent,
        seen: keys.seen.clone(),
    })
}

/// Headers of the last blocks, newest first, for so many views.
fn recent<D: Disk, I: Index>(ledger: &Ledger<D, I>, views: u64) -> Result<Vec<Header>, LedgerError> {
    let head = ledger.head();
    let mut recent = vec![head.clone()];
    for height in (1..head.height.0).rev().map(Height) {
        let is_enough = |lowest: &Header| lowest.view.0.saturating_add(views) <= head.view.0;
        if recent.last().is_some_and(is_enough) {
            break;
        }
        let Some(header) = ledger.header(height)? else { break };
        recent.push(header);
    }
    Ok(recent)
}

/// A ledger whose last block nobody made final.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the ledger's head at {height} is not proven final: {why}. The ledger was changed from outside; restore it from a copy, \
     or remove this validator's data and let it join again"
)]
pub struct HeadNotFinal {
    /// Where it is.
    pub height: Height,
    /// What is wrong with its proof.
    pub why: Rejection,
}

/// Checks that the ledger's head is final, before a replica builds on it.
pub fn check_head<P: Protocol>(config: &Config<P::Scheme>) -> Result<(), HeadNotFinal> {
    if config.head == config.genesis {
        return Ok(());
    }
    let (height, proof) = (config.head.height, config.head_proof.as_deref().unwrap_or_default());
    let keys = Keys { seen: config.seen.clone(), ..Keys::new(config.scheme.clone(), &config.genesis) };
    P::verify_commit(&config.head, proof, &keys).map_err(|why| HeadNotFinal { height, why })
}

/// The rule that a genesis names, as the replicas know it.
fn election(named: quorate_ledger::Election) -> quorate_consensus::Election {
    match named {
        quorate_ledger::Election::RoundRobin => quorate_consensus::Election::RoundRobin,
        quorate_ledger::Election::Stable => quorate_consensus::Election::Stable,
        quorate_ledger::Election::Reputation => quorate_consensus::Election::Reputation,
    }
}

/// The validator as it was before the crash, ready for [`Input::Started`](crate::Input::Started).
pub fn recover<P: Protocol, D: Disk, I: Index>(
    config: Config<P::Scheme>,
    limits: BatchLimits,
    recovered: Recovered<P::Record>,
    ledger: &Ledger<D, I>,
) -> Core<P> {
    recover_as::<P, _, _, _>(P::recover, config, limits, recovered, ledger)
}

/// The same with a replica that `make` makes from its configuration and records.
pub fn recover_as<P: Protocol, R: Replica<Record = P::Record>, D: Disk, I: Index>(
    make: impl FnOnce(Config<P::Scheme>, Vec<P::Record>) -> R,
    config: Config<P::Scheme>,
    limits: BatchLimits,
    recovered: Recovered<P::Record>,
    ledger: &Ledger<D, I>,
) -> Core<R> {
    let mut pool = Mempool::new(config.id, config.scheme.committee().clone(), limits);
    let me = config.id;
    let keys = Keys { seen: config.seen.clone(), ..Keys::new(config.scheme.clone(), &config.genesis) };
    let mut records = Vec::new();
    match recovered {
        Recovered::Lost => records.push(P::silence()),
        Recovered::Entries(entries) => {
            // A block that was voted for may contain a spent batch. Were all to drop it in a common crash, nobody could
            // ever execute that block again.
            let needed = batches_of_uncommitted_blocks::<P>(&entries, config.head.height);
            for entry in entries {
                match entry {
                    Entry::Birth | Entry::Bound(_) => {}
                    Entry::Record(record) => records.push(record),
                    Entry::Batch(batch) if !needed.contains(&batch.digest()) && is_spent(ledger, &batch) => {}
                    Entry::Batch(batch) => pool.restore(batch, me),
                }
            }
        }
    }
    Core::new(make(config, records), pool, Docket::new::<P>(me, keys))
}

fn batches_of_uncommitted_blocks<P: Protocol>(entries: &[Entry<P::Record>], head: Height) -> BTreeSet<Digest> {
    let blocks = entries.iter().filter_map(|entry| match entry {
        Entry::Record(record) => P::block_in(record),
        Entry::Birth | Entry::Bound(_) | Entry::Batch(_) => None,
    });
    blocks.filter(|block| block.header.height > head).flat_map(|block| block.payload.iter().copied()).collect()
}
