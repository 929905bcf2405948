//! Everything many times, and questions without end: whoever answers each drowns.

use crate::{Attack, Dice, Hands, Target};
use quorate_consensus::{PoolMessage, Protocol};
use quorate_types::{BoundedVec, Digest, ReplicaId};

/// How often each message is said.
const TIMES: usize = 8;
/// Digests in each offer and question about batches: as many as fit.
const DIGESTS: usize = 64;

#[derive(Clone, Debug)]
pub(super) struct Flood {
    target: Target,
    dice: Dice,
}

impl Flood {
    pub(super) fn new(target: Target, seed: u64) -> Self {
        Self { target, dice: Dice::new(seed) }
    }

    fn unknown(&mut self) -> BoundedVec<Digest, DIGESTS> {
        BoundedVec::new((0..DIGESTS).map(|_| self.dice.digest()).collect()).expect("as many as fit")
    }
}

impl<P: Protocol> Attack<P> for Flood {
    fn tell(&mut self, to: ReplicaId, message: P::Message, hands: &mut Hands<P>) {
        if !self.target.hits(to) {
            return hands.tell(to, message);
        }
        (0..TIMES).for_each(|_| hands.tell(to, message.clone()));
        let (offered, asked) = (self.unknown(), self.unknown());
        hands.share(to, PoolMessage::Offer(offered));
        hands.share(to, PoolMessage::Ask(asked));
    }

    fn share(&mut self, to: ReplicaId, message: PoolMessage, hands: &mut Hands<P>) {
        let times = if self.target.hits(to) { TIMES } else { 1 };
        (0..times).for_each(|_| hands.share(to, message.clone()));
    }

    fn boxed(&self) -> Box<dyn Attack<P>> {
        Box::new(self.clone())
    }
}
