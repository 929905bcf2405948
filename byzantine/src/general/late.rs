//! Says everything half a view too late.

use crate::{Attack, Hands, Target};
use quorate_consensus::Protocol;
use quorate_types::ReplicaId;

#[derive(Clone, Debug)]
pub(super) struct Late(pub(super) Target);

impl<P: Protocol> Attack<P> for Late {
    fn tell(&mut self, to: ReplicaId, message: P::Message, hands: &mut Hands<P>) {
        if self.0.hits(to) {
            hands.tell_later(hands.timeouts.base / 2, to, message);
        } else {
            hands.tell(to, message);
        }
    }

    fn boxed(&self) -> Box<dyn Attack<P>> {
        Box::new(self.clone())
    }
}
