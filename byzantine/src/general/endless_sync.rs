//! Keeps whoever catches up busy for ever: gives one block at a time, or nothing at all.
//!
//! Each answer is good. That of one block shows the headers above it in place of the blocks that it leaves out, as an answer may.

use crate::{Attack, Hands, Target};
use quorate_consensus::Protocol;
use quorate_types::{BoundedVec, ReplicaId};
use quorate_validator::sync::{Blocks, SyncReply, SyncRequest};

/// Every so many questions stay without an answer, so that the asker waits.
const UNANSWERED: u64 = 3;

#[derive(Clone, Debug)]
pub(super) struct EndlessSync {
    target: Target,
    asked: u64,
}

impl EndlessSync {
    pub(super) fn new(target: Target) -> Self {
        Self { target, asked: 0 }
    }
}

/// The least that is still a whole answer.
fn one_block(blocks: Blocks) -> Blocks {
    let mut kept = blocks.blocks.into_inner();
    if kept.len() < 2 {
        return Blocks { blocks: BoundedVec::new(kept).expect("as before"), ..blocks };
    }
    let left_out = kept.split_off(1).into_iter().map(|whole| whole.block.header);
    let above = left_out.chain(blocks.above.into_inner()).collect();
    match BoundedVec::new(above) {
        Ok(above) => Blocks { blocks: BoundedVec::new(kept).expect("one"), above, proof: blocks.proof },
        Err(_) => Blocks::default(),
    }
}

impl<P: Protocol> Attack<P> for EndlessSync {
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
        self.asked += 1;
        if self.asked.is_multiple_of(UNANSWERED) {
            return None;
        }
        Some(match reply {
            SyncReply::Blocks(blocks) => SyncReply::Blocks(one_block(blocks)),
            SyncReply::Manifest(_) => SyncReply::Manifest(None),
            SyncReply::Chunk(_) => SyncReply::Chunk(None),
        })
    }

    fn boxed(&self) -> Box<dyn Attack<P>> {
        Box::new(self.clone())
    }
}
