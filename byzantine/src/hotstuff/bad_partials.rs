//! Votes that spoil the certificate which they are combined into.

use crate::{Attack, Hands, Spoil, Target};
use quorate_consensus::hotstuff::{HotStuff, Message, Vote};
use quorate_types::ReplicaId;

#[derive(Clone, Debug)]
pub(super) struct BadPartials(pub(super) Target);

impl<S: Spoil> Attack<HotStuff<S>> for BadPartials {
    fn tell(&mut self, to: ReplicaId, mut message: Message<S>, hands: &mut Hands<HotStuff<S>>) {
        let spoil = |vote: &mut Vote<S>| vote.signature = hands.spoil(&vote.ballot);
        match &mut message {
            _ if !self.0.hits(to) => {}
            Message::Vote(vote) => spoil(vote),
            Message::Timeout(timeout) => timeout.vote.iter_mut().for_each(spoil),
            _ => {}
        }
        hands.tell(to, message);
    }

    fn boxed(&self) -> Box<dyn Attack<HotStuff<S>>> {
        Box::new(self.clone())
    }
}
