//! Bytes that are no message: noise, messages cut short, messages with something behind them, and lengths that lie.

use crate::{Attack, Dice, Hands, Target};
use borsh::BorshDeserialize;
use quorate_consensus::Protocol;
use quorate_types::{ReplicaId, decode};
use quorate_validator::Wire;

#[derive(Clone, Debug)]
pub(super) struct Garbage {
    target: Target,
    dice: Dice,
}

impl Garbage {
    pub(super) fn new(target: Target, seed: u64) -> Self {
        Self { target, dice: Dice::new(seed) }
    }

    /// What is still a message gets something behind it.
    fn spoiled<M: BorshDeserialize>(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        let mut bytes = self.changed(bytes);
        if decode::<Wire<M>>(&bytes).is_ok() {
            bytes.push(0);
        }
        bytes
    }

    fn changed(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        match self.dice.below(4) {
            0 => {
                let length = self.dice.below(2000);
                self.dice.bytes(length)
            }
            1 => {
                bytes.truncate(self.dice.below(bytes.len()));
                bytes
            }
            2 => bytes,
            _ => {
                let at = self.dice.below(bytes.len().saturating_sub(4));
                bytes.iter_mut().skip(at).take(4).for_each(|byte| *byte = 0xff);
                bytes
            }
        }
    }
}

impl<P: Protocol> Attack<P> for Garbage {
    /// Beside each message, so that whoever stops listening misses something.
    fn tell(&mut self, to: ReplicaId, message: P::Message, hands: &mut Hands<P>) {
        if self.target.hits(to) {
            let bytes = self.spoiled::<P::Message>(Hands::<P>::bytes_of(message.clone()));
            hands.spill(to, bytes);
        }
        hands.tell(to, message);
    }

    fn boxed(&self) -> Box<dyn Attack<P>> {
        Box::new(self.clone())
    }
}
