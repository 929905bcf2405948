//! Votes for its leader's block, and for another one in the same place.

use super::Craft;
use crate::{Attack, Dice, Hands, Target};
use quorate_types::ReplicaId;

/// The other block does not exist, unless an attacker that it works with proposed it there ([`Cabal::twin_of`](crate::Cabal::twin_of)).
#[derive(Clone, Debug)]
pub(super) struct DoubleVote {
    target: Target,
    dice: Dice,
}

impl DoubleVote {
    pub(super) fn new(target: Target, seed: u64) -> Self {
        Self { target, dice: Dice::new(seed) }
    }
}

impl<P: Craft> Attack<P> for DoubleVote {
    fn tell(&mut self, to: ReplicaId, message: P::Message, hands: &mut Hands<P>) {
        let mut other = message.clone();
        hands.tell(to, message);
        if let Some((_, block)) = P::voted(&mut other).filter(|_| self.target.hits(to)) {
            *block = hands.cabal.twin_of(block).unwrap_or_else(|| self.dice.digest());
            P::resign(&mut other, hands);
            hands.tell(to, other);
        }
    }

    fn boxed(&self) -> Box<dyn Attack<P>> {
        Box::new(self.clone())
    }
}
