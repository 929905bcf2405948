//! Votes for its leader's block, and for another one in the same place.

use super::Craft;
use crate::{Attack, Dice, Hands, Target};
use quorate_consensus::Event;
use quorate_types::ReplicaId;

/// Everybody hears of both; where it is against some, they hear of the other alone, and the rest of the first alone. The other block does
/// not exist, unless an attacker that it works with proposed it there ([`Cabal::twin_of`](crate::Cabal::twin_of)). One that knows of no
/// other attacker guesses what an equivocating leader would have shown to others: attackers in different processes cannot talk, and need not.
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
    fn see(&mut self, event: &Event<P::Message>, hands: &mut Hands<P>) {
        if let Event::Received { message, .. } = event
            && hands.cabal.members() == [hands.me]
            && let Some(block) = P::proposed(&mut message.clone().into_inner())
        {
            let twin = P::twin_beside(block, hands.cabal.twin_of(&block.header.parent));
            hands.cabal.tell_twins(block.digest(), twin.digest());
        }
    }

    fn tell(&mut self, to: ReplicaId, message: P::Message, hands: &mut Hands<P>) {
        let mut other = message.clone();
        let Some((_, block)) = P::voted(&mut other).filter(|_| self.target.hits(to)) else {
            return hands.tell(to, message);
        };
        *block = hands.cabal.twin_of(block).unwrap_or_else(|| self.dice.digest());
        P::resign(&mut other, hands);
        if self.target.against.is_empty() {
            hands.tell(to, message);
        }
        hands.tell(to, other);
    }

    fn boxed(&self) -> Box<dyn Attack<P>> {
        Box::new(self.clone())
    }
}
