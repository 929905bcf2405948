//! Leaves heights out (Castro & Liskov 1999, section 4.2: why there is a high watermark).

use super::equivocate::pre_prepare;
use crate::{Attack, Hands};
use quorate_consensus::pbft::{Message, Pbft};
use quorate_crypto::Scheme;
use quorate_types::{Height, ReplicaId};

/// Each block is proposed where a window that begins below it ends.
#[derive(Clone, Debug)]
pub(super) struct Jump;

impl<S: Scheme> Attack<Pbft<S>> for Jump {
    fn tell(&mut self, to: ReplicaId, message: Message<S>, hands: &mut Hands<Pbft<S>>) {
        match message {
            Message::PrePrepare(said) => {
                let mut block = said.block;
                let window = hands.checkpoint_interval.saturating_mul(2);
                block.header.height = Height(block.header.height.0.saturating_add(window).saturating_sub(1));
                let jumped = pre_prepare(said.view, block, hands);
                hands.tell(to, Message::PrePrepare(Box::new(jumped)));
            }
            message => hands.tell(to, message),
        }
    }

    fn boxed(&self) -> Box<dyn Attack<Pbft<S>>> {
        Box::new(self.clone())
    }
}
