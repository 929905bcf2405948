//! Claims a certificate that nobody made.

use crate::{Attack, Hands};
use quorate_consensus::pbft::{Message, Pbft};
use quorate_crypto::Scheme;
use quorate_types::{Digest, ReplicaId};

/// Its highest certificate, made out to another block one height up: it would outrank what the others have.
#[derive(Clone, Debug)]
pub(super) struct ForgeClaim;

impl<S: Scheme> Attack<Pbft<S>> for ForgeClaim {
    fn tell(&mut self, to: ReplicaId, message: Message<S>, hands: &mut Hands<Pbft<S>>) {
        match message {
            Message::ViewChange(mut change) => {
                if let Some(prepared) = &mut change.prepared {
                    let ballot = &mut prepared.statement.0;
                    ballot.height = ballot.height.next();
                    ballot.block = Digest(ballot.block.0.map(|byte| !byte));
                }
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
