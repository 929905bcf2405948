//! A block of one batch more than fits, which only bytes can be.

use super::Craft;
use crate::{Attack, Dice, Hands, Target};
use quorate_types::{Block, BoundedVec, Digest, ReplicaId, encode, limits};

#[derive(Clone, Debug)]
pub(super) struct Oversized {
    target: Target,
    dice: Dice,
}

impl Oversized {
    pub(super) fn new(target: Target, seed: u64) -> Self {
        Self { target, dice: Dice::new(seed) }
    }

    /// The bytes of a proposal whose block names so many batches, signed.
    fn bytes<P: Craft>(&self, mut message: P::Message, hands: &Hands<P>) -> Option<Vec<u8>> {
        let mut dice = self.dice.clone();
        let batches: Vec<_> = (0..=limits::BLOCK_BATCHES).map(|_| dice.digest()).collect();
        let block = P::proposed(&mut message).filter(|block| block.header.proposer == hands.me)?;
        block.header.payload_root = Block::payload_root(&batches);
        block.payload = BoundedVec::new(batches[1..].to_vec()).expect("as many as fit");
        P::resign(&mut message, hands);
        Some(with_one_more(&Hands::<P>::bytes_of(message), &batches))
    }
}

/// The bytes with the list of all `batches` where there is one without the first.
fn with_one_more(bytes: &[u8], batches: &[Digest]) -> Vec<u8> {
    let (short, long) = (encode(&batches[1..].to_vec()), encode(&batches.to_vec()));
    let at = bytes.windows(short.len()).position(|window| window == short).expect("its payload stands in it");
    [&bytes[..at], &long, &bytes[at + short.len()..]].concat()
}

impl<P: Craft> Attack<P> for Oversized {
    fn tell(&mut self, to: ReplicaId, message: P::Message, hands: &mut Hands<P>) {
        let bytes = if self.target.hits(to) { self.bytes(message.clone(), hands) } else { None };
        match bytes {
            Some(bytes) => hands.spill(to, bytes),
            None => hands.tell(to, message),
        }
    }

    fn boxed(&self) -> Box<dyn Attack<P>> {
        Box::new(self.clone())
    }
}
