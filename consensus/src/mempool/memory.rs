//! What a mempool remembers of what is over.

use quorate_types::{Account, Digest};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Batches remembered after they were committed or discarded.
const FINISHED: usize = 4096;
/// Senders whose committed nonces are remembered, in each of two generations.
const SETTLED: usize = 32 * 1024;

/// Batches that were committed or discarded of late. Who is behind still offers them; taken again, they would keep an idle
/// net busy. When full, the oldest is forgotten.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Finished {
    set: BTreeSet<Digest>,
    order: VecDeque<Digest>,
}

impl Finished {
    pub(super) fn contains(&self, batch: &Digest) -> bool {
        self.set.contains(batch)
    }

    pub(super) fn add(&mut self, batch: Digest) {
        if self.set.insert(batch) {
            self.order.push_back(batch);
            if self.order.len() > FINISHED {
                self.order.pop_front().map(|oldest| self.set.remove(&oldest));
            }
        }
    }
}

/// The next nonces of senders with commits of late. A transaction comes with the nonce that its sender's account had when it was
/// checked; were the commits since then forgotten, it would wait for a turn that has passed. Two generations; when the
/// younger is full, the older is forgotten.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Settled {
    young: BTreeMap<Account, u64>,
    old: BTreeMap<Account, u64>,
}

impl Settled {
    pub(super) fn learn(&mut self, sender: Account, next: u64) {
        self.young.insert(sender, next);
        if self.young.len() >= SETTLED {
            self.old = std::mem::take(&mut self.young);
        }
    }

    pub(super) fn next(&self, sender: &Account) -> u64 {
        self.young.get(sender).or_else(|| self.old.get(sender)).copied().unwrap_or_default()
    }
}
