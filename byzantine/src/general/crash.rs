//! Crashes in the middle of a broadcast: some have heard it, the others never will, and nothing comes after it.

use crate::{Attack, Dice, Hands};
use quorate_consensus::{Kind, PoolMessage, Protocol};
use quorate_types::ReplicaId;
use quorate_validator::sync::{SyncReply, SyncRequest};

/// It crashes at one of its first so many broadcasts of a block.
const SOON: usize = 3;

#[derive(Clone, Debug)]
pub(super) struct Crash {
    dice: Dice,
    /// Large messages still said, once it has begun.
    left: Option<usize>,
}

impl Crash {
    pub(super) fn new(seed: u64) -> Self {
        Self { dice: Dice::new(seed), left: None }
    }

    /// A few whole broadcasts, and a part of one.
    fn draw(&mut self, others: usize) -> usize {
        self.dice.below(SOON) * others + 1 + self.dice.below(others.saturating_sub(1))
    }

    fn is_over(&self) -> bool {
        self.left == Some(0)
    }
}

impl<P: Protocol> Attack<P> for Crash {
    fn tell(&mut self, to: ReplicaId, message: P::Message, hands: &mut Hands<P>) {
        if self.is_over() {
            return;
        }
        let left = self.left.unwrap_or_else(|| self.draw(hands.others().len()));
        self.left = Some(left - usize::from(message.is_large()));
        hands.tell(to, message);
    }

    fn share(&mut self, to: ReplicaId, message: PoolMessage, hands: &mut Hands<P>) {
        if !self.is_over() {
            hands.share(to, message);
        }
    }

    fn answer(
        &mut self,
        _to: ReplicaId,
        _request: SyncRequest,
        reply: SyncReply,
        _hands: &mut Hands<P>,
    ) -> Option<SyncReply> {
        (!self.is_over()).then_some(reply)
    }

    fn boxed(&self) -> Box<dyn Attack<P>> {
        Box::new(self.clone())
    }
}
