//! Says nothing: to all, or to some.

use crate::{Attack, Hands, Target};
use quorate_consensus::Protocol;
use quorate_types::ReplicaId;

#[derive(Clone, Debug)]
pub(super) struct Silent(pub(super) Target);

impl<P: Protocol> Attack<P> for Silent {
    fn tell(&mut self, to: ReplicaId, message: P::Message, hands: &mut Hands<P>) {
        if !self.0.hits(to) {
            hands.tell(to, message);
        }
    }

    fn boxed(&self) -> Box<dyn Attack<P>> {
        Box::new(self.clone())
    }
}
