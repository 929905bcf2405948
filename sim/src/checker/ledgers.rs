//! What the replicas hold when all is over: each ledger, read back block by block, is the chain that was committed, and its state
//! is what a far simpler ledger makes of it.

use super::{Chain, Rule, Violation};
use crate::{disk::SimDisk, index::SimIndex};
use quorate_ledger::{Ledger, StoredBlock};
use quorate_types::{Digest, Height, ReplicaId, encode, merkle};
use std::collections::BTreeMap;

/// Looks at one ledger after the other.
#[derive(Default)]
pub(crate) struct Ledgers {
    /// What the first ledger that holds a height has there besides the block.
    results: BTreeMap<Height, (Digest, Vec<(Digest, quorate_ledger::Outcome)>)>,
}

impl Ledgers {
    /// Compares a replica's ledger with the chain and with the ledgers before it.
    pub(crate) fn look(
        &mut self,
        who: ReplicaId,
        ledger: &Ledger<SimDisk, SimIndex>,
        chain: &Chain,
    ) -> Result<(), Violation> {
        let wrong =
            |height: Height, what: &str| Violation::new(Rule::Ledger, format!("{who}'s ledger at {height}: {what}"));
        for height in (1..=ledger.head().height.0).map(Height) {
            if ledger.held(height).is_err() {
                continue;
            }
            let stored = ledger.block(height).map_err(|error| wrong(height, &error.to_string()))?;
            let stored = stored.ok_or_else(|| wrong(height, "no block"))?;
            self.compare(height, &stored, chain).map_err(|what| wrong(height, &what))?;
        }
        let (head, nonces) = (ledger.head().height, chain.nonces());
        if head == chain.height() {
            let differs = nonces.iter().find(|(account, next)| ledger.account(account).nonce != **next);
            if let Some((account, next)) = differs {
                return Err(wrong(head, &format!("{account:?} is not at nonce {next}")));
            }
        }
        match ledger.history() {
            Ok(history) if history.root() != history_root(chain, head) => Err(wrong(head, "another history")),
            _ => Ok(()),
        }
    }

    fn compare(&mut self, height: Height, stored: &StoredBlock, chain: &Chain) -> Result<(), String> {
        let committed = chain.header(height).ok_or("nobody committed so much")?;
        if stored.block.header != *committed {
            return Err(format!("{:?} where {:?} was committed", stored.block.digest(), committed.digest()));
        }
        let batches: Vec<_> = stored.batches.iter().map(|batch| batch_root(batch)).collect();
        if batches != stored.block.payload.to_vec() || payload_root(&batches) != committed.payload_root {
            return Err("its batches are not those that its header names".to_owned());
        }
        let result = (stored.app_root, stored.outcomes.clone());
        let first = self.results.entry(height).or_insert_with(|| result.clone());
        if *first == result { Ok(()) } else { Err("another state, or other outcomes, than elsewhere".to_owned()) }
    }
}

/// A batch's name, from its transactions.
fn batch_root(batch: &quorate_types::Batch) -> Digest {
    let leaves: Vec<_> =
        batch.transactions().iter().map(|transaction| merkle::leaf_hash(&encode(transaction))).collect();
    merkle::root(&leaves)
}

fn payload_root(batches: &[Digest]) -> Digest {
    let leaves: Vec<_> = batches.iter().map(|batch| merkle::leaf_hash(&batch.0)).collect();
    merkle::root(&leaves)
}

fn history_root(chain: &Chain, head: Height) -> Digest {
    let blocks = (0..=head.0).filter_map(|height| chain.header(Height(height)));
    let leaves: Vec<_> = blocks.map(|header| merkle::leaf_hash(&header.digest().0)).collect();
    merkle::root(&leaves)
}
