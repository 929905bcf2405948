//! Proposes another block where one was decided.

use super::equivocate::pre_prepare;
use crate::{Attack, Hands, twin::twin};
use quorate_consensus::{
    Event,
    pbft::{Message, Pbft},
};
use quorate_crypto::Scheme;
use quorate_types::{Block, Height, ReplicaId};
use std::collections::BTreeMap;

/// Blocks remembered. When full, the lowest goes.
const REMEMBERED: usize = 4;

/// In place of each block, the lowest that it remembers, with another time.
#[derive(Clone, Debug, Default)]
pub(super) struct Fork {
    seen: BTreeMap<Height, Block>,
}

impl Fork {
    fn learn(&mut self, block: &Block) {
        self.seen.insert(block.header.height, block.clone());
        while self.seen.len() > REMEMBERED {
            self.seen.pop_first();
        }
    }
}

impl<S: Scheme> Attack<Pbft<S>> for Fork {
    fn tell(&mut self, to: ReplicaId, message: Message<S>, hands: &mut Hands<Pbft<S>>) {
        let Message::PrePrepare(own) = message else { return hands.tell(to, message) };
        self.learn(&own.block);
        let decided = self.seen.values().next().filter(|block| block.header.height < own.block.header.height);
        let fork = decided.map(|decided| {
            let mut fork = twin(decided);
            (fork.header.view, fork.header.proposer) = (own.view, hands.me);
            Box::new(pre_prepare(own.view, fork, hands))
        });
        hands.tell(to, Message::PrePrepare(fork.unwrap_or(own)));
    }

    fn see(&mut self, event: &Event<Message<S>>, _hands: &mut Hands<Pbft<S>>) {
        if let Event::Received { message, .. } = event
            && let Message::PrePrepare(said) = message.clone().into_inner()
        {
            self.learn(&said.block);
        }
    }

    fn boxed(&self) -> Box<dyn Attack<Pbft<S>>> {
        Box::new(self.clone())
    }
}
