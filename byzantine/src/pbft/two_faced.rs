//! Votes to each for what that one votes for.

use crate::{Attack, Hands};
use quorate_consensus::{
    Event, Promised,
    pbft::{Ballot, Message, Pbft, Prepare, Vote},
};
use quorate_crypto::Scheme;
use quorate_types::ReplicaId;

/// Votes of its own it has none: whoever votes hears it say the same, and a primary hears it vote for its block. Nor does it show anybody
/// what it was proposed. So it needs to know of no accomplice: where a primary shows two chains to two who do not hear each other, it
/// makes up a quorum with each.
#[derive(Clone, Copy, Debug)]
pub(super) struct TwoFaced;

fn same<T: Promised, S: Scheme>(statement: T, hands: &Hands<Pbft<S>>) -> Vote<T, S> {
    Vote { signature: hands.sign(&statement), statement, voter: hands.me }
}

impl<S: Scheme> Attack<Pbft<S>> for TwoFaced {
    fn tell(&mut self, to: ReplicaId, message: Message<S>, hands: &mut Hands<Pbft<S>>) {
        let is_kept_back = match &message {
            Message::Prepare(_) | Message::Commit(_) => true,
            Message::PrePrepare(said) => said.block.header.proposer != hands.me,
            _ => false,
        };
        if !is_kept_back {
            hands.tell(to, message);
        }
    }

    fn see(&mut self, event: &Event<Message<S>>, hands: &mut Hands<Pbft<S>>) {
        let Event::Received { from, message } = event else { return };
        let said = match message.clone().into_inner() {
            Message::PrePrepare(said) if said.block.header.proposer == *from => {
                Message::Prepare(same(Prepare(Ballot::of(said.view, &said.block.header)), hands))
            }
            Message::Prepare(vote) if vote.voter == *from => Message::Prepare(same(vote.statement, hands)),
            Message::Commit(vote) if vote.voter == *from => Message::Commit(same(vote.statement, hands)),
            _ => return,
        };
        hands.tell(*from, said);
    }

    fn boxed(&self) -> Box<dyn Attack<Pbft<S>>> {
        Box::new(*self)
    }
}
