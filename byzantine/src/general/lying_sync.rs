//! Lies to whoever catches up: blocks, proofs, states that are not the chain's.

use crate::{Attack, Dice, Hands, Target};
use quorate_consensus::Protocol;
use quorate_ledger::Chunk;
use quorate_types::{BoundedVec, ReplicaId};
use quorate_validator::sync::{Blocks, SyncReply, SyncRequest};

#[derive(Clone, Debug)]
pub(super) struct LyingSync {
    target: Target,
    dice: Dice,
}

impl LyingSync {
    pub(super) fn new(target: Target, seed: u64) -> Self {
        Self { target, dice: Dice::new(seed) }
    }

    fn blocks(&mut self, blocks: Blocks) -> Blocks {
        let Blocks { blocks, above, proof } = blocks;
        let (mut whole, mut above, mut proof) = (blocks.into_inner(), above.into_inner(), proof.into_inner());
        match self.dice.below(5) {
            0 => whole.iter_mut().for_each(|whole| whole.block.header.timestamp ^= 1),
            1 => whole.reverse(),
            2 => proof.iter_mut().last().into_iter().for_each(|byte| *byte ^= 1),
            3 => {
                whole.pop();
                above.clear();
            }
            _ => whole.iter_mut().for_each(|whole| whole.batches = BoundedVec::default()),
        }
        let fewer = "no more than there were";
        Blocks {
            blocks: BoundedVec::new(whole).expect(fewer),
            above: BoundedVec::new(above).expect(fewer),
            proof: BoundedVec::new(proof).expect(fewer),
        }
    }
}

impl<P: Protocol> Attack<P> for LyingSync {
    fn answer(
        &mut self,
        to: ReplicaId,
        _request: SyncRequest,
        reply: SyncReply,
        _hands: &mut Hands<P>,
    ) -> Option<SyncReply> {
        if !self.target.hits(to) {
            return Some(reply);
        }
        Some(match reply {
            SyncReply::Blocks(blocks) => SyncReply::Blocks(self.blocks(blocks)),
            SyncReply::Manifest(Some(mut manifest)) => {
                manifest.header.state_root = self.dice.digest();
                SyncReply::Manifest(Some(manifest))
            }
            SyncReply::Chunk(Some(Chunk { items })) => {
                let mut items = items.into_inner();
                items.rotate_left(1);
                items.pop();
                SyncReply::Chunk(BoundedVec::new(items).ok().map(|items| Chunk { items }))
            }
            nothing @ (SyncReply::Manifest(None) | SyncReply::Chunk(None)) => nothing,
        })
    }

    fn boxed(&self) -> Box<dyn Attack<P>> {
        Box::new(self.clone())
    }
}
