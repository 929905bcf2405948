//! Votes that spoil the certificate which they are combined into.

use crate::{Attack, Hands, Spoil, Target};
use quorate_consensus::pbft::{Message, Pbft, PrePrepare, Prepare};
use quorate_types::ReplicaId;

#[derive(Clone, Debug)]
pub(super) struct BadPartials(pub(super) Target);

impl<S: Spoil> Attack<Pbft<S>> for BadPartials {
    fn tell(&mut self, to: ReplicaId, mut message: Message<S>, hands: &mut Hands<Pbft<S>>) {
        // A primary's PREPARE comes with its block, which others hand on.
        let primary = |pre_prepare: &mut PrePrepare<S>| {
            if hands.is_round_robin(pre_prepare.view) {
                pre_prepare.prepare = hands.spoil(&Prepare(pre_prepare.ballot()));
            }
        };
        match &mut message {
            _ if !self.0.hits(to) => {}
            Message::PrePrepare(pre_prepare) => primary(pre_prepare),
            Message::NewView(new_view) => new_view.tip.iter_mut().for_each(primary),
            Message::Prepare(vote) => vote.signature = hands.spoil(&vote.statement),
            Message::Commit(vote) => vote.signature = hands.spoil(&vote.statement),
            Message::Checkpoint(vote) => vote.signature = hands.spoil(&vote.statement),
            _ => {}
        }
        hands.tell(to, message);
    }

    fn boxed(&self) -> Box<dyn Attack<Pbft<S>>> {
        Box::new(self.clone())
    }
}
