//! Proposes blocks that are wrong in themselves, under a good signature.

use super::Craft;
use crate::{Attack, Dice, Hands, Target};
use quorate_types::{Block, BoundedVec, ReplicaId, limits};

/// Something wrong with each block that it proposes.
#[derive(Clone, Debug)]
pub(super) struct WrongBlock {
    pub(super) target: Target,
    pub(super) dice: Dice,
    pub(super) spoil: fn(&mut Block, &mut Dice),
}

/// A state that its transactions do not lead to. Whether, only executing it shows.
pub(super) fn another_state(block: &mut Block, dice: &mut Dice) {
    block.header.state_root = dice.digest();
}

/// As many batches as fit, most of which nobody has.
pub(super) fn unknown_batches(block: &mut Block, dice: &mut Dice) {
    let mut batches = block.payload.to_vec();
    batches.resize_with(limits::BLOCK_BATCHES, || dice.digest());
    block.payload = BoundedVec::new(batches).expect("as many as fit");
}

impl<P: Craft> Attack<P> for WrongBlock {
    fn tell(&mut self, to: ReplicaId, mut message: P::Message, hands: &mut Hands<P>) {
        if let Some(block) = P::proposed(&mut message)
            && block.header.proposer == hands.me
            && self.target.hits(to)
        {
            // The same for all: this breaks a block, not agreement on it.
            let mut dice = self.dice.clone();
            (self.spoil)(block, &mut dice);
            P::reroot(&mut message);
            P::resign(&mut message, hands);
        }
        hands.tell(to, message);
    }

    fn boxed(&self) -> Box<dyn Attack<P>> {
        Box::new(self.clone())
    }
}
