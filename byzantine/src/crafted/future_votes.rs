//! Votes for what nobody has proposed yet.

use super::Craft;
use crate::{Attack, Dice, Hands, Target};
use quorate_types::{ReplicaId, View};

/// Votes for later views beside each.
const VOTES: usize = 4;

#[derive(Clone, Debug)]
pub(super) struct FutureVotes {
    target: Target,
    dice: Dice,
}

impl FutureVotes {
    pub(super) fn new(target: Target, seed: u64) -> Self {
        Self { target, dice: Dice::new(seed) }
    }

    /// Beside a vote the same for a view that is far away: from the next one to the last that there is.
    fn later<P: Craft>(&mut self, vote: &P::Message, hands: &Hands<P>) -> Option<P::Message> {
        let mut later = vote.clone();
        let (view, block) = P::voted(&mut later)?;
        let distance = 1u64 << self.dice.below(64);
        (*view, *block) = (View(view.0.saturating_add(distance)), self.dice.digest());
        P::resign(&mut later, hands);
        Some(later)
    }
}

impl<P: Craft> Attack<P> for FutureVotes {
    fn tell(&mut self, to: ReplicaId, message: P::Message, hands: &mut Hands<P>) {
        let votes = if self.target.hits(to) { VOTES } else { 0 };
        (0..votes).filter_map(|_| self.later(&message, hands)).collect::<Vec<_>>().into_iter().for_each(|later| {
            hands.tell(to, later);
        });
        hands.tell(to, message);
    }

    fn boxed(&self) -> Box<dyn Attack<P>> {
        Box::new(self.clone())
    }
}
