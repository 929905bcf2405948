//! Leaves views that nothing is wrong with.

use super::Craft;
use crate::{Attack, Hands, Target};
use quorate_types::{ReplicaId, View};

/// Beside each message it says that it has left the view so many ahead of its own. Not to its accomplices: two of them would answer
/// each other's answers without end.
#[derive(Clone, Debug)]
pub(super) struct Leave {
    pub(super) target: Target,
    pub(super) ahead: u64,
}

impl<P: Craft> Attack<P> for Leave {
    fn tell(&mut self, to: ReplicaId, message: P::Message, hands: &mut Hands<P>) {
        if self.target.hits(to) && !hands.is_accomplice(to) {
            let view = View(hands.view.0.max(1).saturating_add(self.ahead));
            hands.tell(to, P::leave(view, hands));
        }
        hands.tell(to, message);
    }

    fn boxed(&self) -> Box<dyn Attack<P>> {
        Box::new(self.clone())
    }
}
