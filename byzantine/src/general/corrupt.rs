//! Spoils signatures.

use crate::{Attack, Hands, Target};
use quorate_consensus::Protocol;
use quorate_types::{ReplicaId, decode, encode};

#[derive(Clone, Debug)]
pub(super) struct Corrupt(pub(super) Target);

impl<P: Protocol> Attack<P> for Corrupt {
    fn tell(&mut self, to: ReplicaId, message: P::Message, hands: &mut Hands<P>) {
        if !self.0.hits(to) {
            return hands.tell(to, message);
        }
        // Signed messages end in their signature. What is no message any more with that bit changed is not sent.
        let mut bytes = encode(&message);
        if let Some(last) = bytes.last_mut() {
            *last ^= 1;
        }
        if let Ok(message) = decode(&bytes) {
            hands.tell(to, message);
        }
    }

    fn boxed(&self) -> Box<dyn Attack<P>> {
        Box::new(self.clone())
    }
}
