//! Forgets what it prepared.

use crate::{Attack, Hands};
use quorate_consensus::pbft::{Message, Pbft};
use quorate_crypto::Scheme;
use quorate_types::ReplicaId;

/// Nothing in such a VIEW-CHANGE is wrong, so it counts. Were a quorum to rest on it alone, a committed block would be lost.
#[derive(Clone, Debug)]
pub(super) struct Conceal;

impl<S: Scheme> Attack<Pbft<S>> for Conceal {
    fn tell(&mut self, to: ReplicaId, message: Message<S>, hands: &mut Hands<Pbft<S>>) {
        match message {
            Message::ViewChange(mut change) => {
                change.prepared = None;
                change.attestation = hands.attest(&change.statement());
                hands.tell(to, Message::ViewChange(change));
            }
            message => hands.tell(to, message),
        }
    }

    fn boxed(&self) -> Box<dyn Attack<Pbft<S>>> {
        Box::new(self.clone())
    }
}
