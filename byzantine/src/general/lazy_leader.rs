//! Proposes just before the others' patience ends (Clement et al., *Aardvark*, NSDI 2009).

use crate::{Attack, Hands, Target};
use quorate_consensus::{Kind, Protocol};
use quorate_types::ReplicaId;

/// Kinds of message that carry a leader's proposal.
const PROPOSALS: [&str; 2] = ["proposal", "pre_prepare"];

#[derive(Clone, Debug)]
pub(super) struct LazyLeader(pub(super) Target);

impl<P: Protocol> Attack<P> for LazyLeader {
    fn tell(&mut self, to: ReplicaId, message: P::Message, hands: &mut Hands<P>) {
        if PROPOSALS.contains(&message.kind()) && self.0.hits(to) {
            hands.tell_later(hands.timeouts.base * 9 / 10, to, message);
        } else {
            hands.tell(to, message);
        }
    }

    fn boxed(&self) -> Box<dyn Attack<P>> {
        Box::new(self.clone())
    }
}
