//! Picks on whoever is behind: watches who asks for what it missed, and from then on has nothing for that one.
//!
//! All attackers that work together hunt the same one, and turn to the next as soon as that one asks.

use crate::{Attack, Hands, Target};
use quorate_consensus::{Event, Kind, PoolMessage, Protocol};
use quorate_types::ReplicaId;
use quorate_validator::sync::{SyncReply, SyncRequest};

#[derive(Clone, Debug)]
pub(super) struct Hunt(pub(super) Target);

fn is_prey<P: Protocol>(member: ReplicaId, hands: &Hands<P>) -> bool {
    hands.cabal.prey() == Some(member)
}

impl<P: Protocol> Attack<P> for Hunt {
    fn tell(&mut self, to: ReplicaId, message: P::Message, hands: &mut Hands<P>) {
        if !is_prey(to, hands) {
            hands.tell(to, message);
        }
    }

    fn see(&mut self, event: &Event<P::Message>, hands: &mut Hands<P>) {
        if let Event::Received { from, message } = event
            && message.clone().into_inner().kind().starts_with("ask_")
            && self.0.hits(*from)
        {
            hands.cabal.hunt(*from);
        }
    }

    fn share(&mut self, to: ReplicaId, message: PoolMessage, hands: &mut Hands<P>) {
        if !is_prey(to, hands) {
            hands.share(to, message);
        }
    }

    fn answer(&mut self, to: ReplicaId, _: SyncRequest, reply: SyncReply, hands: &mut Hands<P>) -> Option<SyncReply> {
        (!is_prey(to, hands)).then_some(reply)
    }

    fn boxed(&self) -> Box<dyn Attack<P>> {
        Box::new(self.clone())
    }
}
