//! Gives blocks to some who ask for them, and has nothing for the others.

use super::Craft;
use crate::{Attack, Hands, Target};
use quorate_types::ReplicaId;

/// Nothing for those it is against; for everybody: nothing for the first half of the others.
#[derive(Clone, Debug)]
pub(super) struct SelectiveFetch(pub(super) Target);

impl<P: Craft> Attack<P> for SelectiveFetch {
    fn tell(&mut self, to: ReplicaId, message: P::Message, hands: &mut Hands<P>) {
        let is_chosen = if self.0.against.is_empty() { hands.is_first_half(to) } else { self.0.hits(to) };
        let nothing = if is_chosen { P::empty(&message) } else { None };
        hands.tell(to, nothing.unwrap_or(message));
    }

    fn boxed(&self) -> Box<dyn Attack<P>> {
        Box::new(self.clone())
    }
}
