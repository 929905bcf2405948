//! Batches of transactions that their senders never signed, named in blocks.

use super::Craft;
use crate::{Attack, Hands, Target};
use quorate_consensus::PoolMessage;
use quorate_types::{Batch, BoundedVec, Digest, ReplicaId, limits};
use std::{collections::BTreeMap, sync::Arc};

/// Such batches remembered, to name in blocks and to give to whoever asks. The lowest digest goes first, which is as good as any.
const REMEMBERED: usize = 4;

#[derive(Clone, Debug)]
pub(super) struct InvalidTransaction {
    target: Target,
    batches: BTreeMap<Digest, Arc<Batch>>,
}

impl InvalidTransaction {
    pub(super) fn new(target: Target) -> Self {
        Self { target, batches: BTreeMap::new() }
    }

    /// The batch with a bit of each signature changed.
    fn unsigned(&mut self, batch: &Batch) -> Arc<Batch> {
        let mut transactions = batch.transactions().to_vec();
        transactions.iter_mut().for_each(|transaction| transaction.signature[0] ^= 1);
        let unsigned = Arc::new(Batch::new(transactions).expect("as large as before"));
        if self.batches.len() >= REMEMBERED {
            self.batches.pop_first();
        }
        self.batches.insert(unsigned.digest(), unsigned.clone());
        unsigned
    }
}

impl<P: Craft> Attack<P> for InvalidTransaction {
    fn tell(&mut self, to: ReplicaId, mut message: P::Message, hands: &mut Hands<P>) {
        if let Some(block) = P::proposed(&mut message)
            && block.header.proposer == hands.me
            && self.target.hits(to)
        {
            let named = block.payload.iter().chain(self.batches.keys()).take(limits::BLOCK_BATCHES).copied();
            block.payload = BoundedVec::new(named.collect()).expect("as many as fit");
            P::reroot(&mut message);
            P::resign(&mut message, hands);
        }
        hands.tell(to, message);
    }

    fn share(&mut self, to: ReplicaId, message: PoolMessage, hands: &mut Hands<P>) {
        if let PoolMessage::Batch(batch) = &message {
            let unsigned = self.unsigned(batch);
            hands.share(to, PoolMessage::Batch(unsigned));
        }
        hands.share(to, message);
    }

    fn overhear(&mut self, from: ReplicaId, message: &PoolMessage, hands: &mut Hands<P>) {
        let PoolMessage::Ask(asked) = message else { return };
        let held = asked.iter().filter_map(|digest| self.batches.get(digest));
        held.for_each(|batch| hands.share(from, PoolMessage::Batch(batch.clone())));
    }

    fn boxed(&self) -> Box<dyn Attack<P>> {
        Box::new(self.clone())
    }
}
