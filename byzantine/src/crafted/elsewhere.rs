//! Says here what it signed for another chain, in another epoch, where it has the same key.

use super::Craft;
use crate::{Attack, Hands, Target};
use quorate_types::ReplicaId;

#[derive(Clone, Debug)]
pub(super) struct Elsewhere(pub(super) Target);

impl<P: Craft> Attack<P> for Elsewhere {
    /// Beside the message itself: were it let in, it would count twice, or contradict.
    fn tell(&mut self, to: ReplicaId, message: P::Message, hands: &mut Hands<P>) {
        if let Some(there) = hands.elsewhere().filter(|_| self.0.hits(to)) {
            let mut other = message.clone();
            if let Some(block) = P::proposed(&mut other) {
                (block.header.chain, block.header.epoch) = (there.committee().chain(), there.committee().epoch());
            }
            P::resign(&mut other, &there);
            hands.tell(to, other);
        }
        hands.tell(to, message);
    }

    fn boxed(&self) -> Box<dyn Attack<P>> {
        Box::new(self.clone())
    }
}
