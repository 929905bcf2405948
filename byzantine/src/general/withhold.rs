//! Keeps some kinds of message to itself.

use crate::{Attack, Hands, Target};
use quorate_consensus::{Kind, Protocol};
use quorate_types::ReplicaId;

#[derive(Clone, Debug)]
pub(super) struct Withhold {
    pub(super) target: Target,
    /// Which kinds.
    pub(super) kinds: fn(&str) -> bool,
}

impl<P: Protocol> Attack<P> for Withhold {
    fn tell(&mut self, to: ReplicaId, message: P::Message, hands: &mut Hands<P>) {
        if !(self.kinds)(message.kind()) || !self.target.hits(to) {
            hands.tell(to, message);
        }
    }

    fn boxed(&self) -> Box<dyn Attack<P>> {
        Box::new(self.clone())
    }
}
