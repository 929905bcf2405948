//! Forgets which certificates it knows.

use crate::{Attack, Hands, mutate::hotstuff::retime};
use quorate_consensus::hotstuff::{HotStuff, Message, QuorumCertificate};
use quorate_crypto::Scheme;
use quorate_types::ReplicaId;

/// Nothing in such a timeout is wrong, so it counts. Were the next leader to rest on it alone, a committed block could be lost.
#[derive(Clone, Debug)]
pub(super) struct Conceal;

impl<S: Scheme> Attack<HotStuff<S>> for Conceal {
    fn tell(&mut self, to: ReplicaId, mut message: Message<S>, hands: &mut Hands<HotStuff<S>>) {
        if let Message::Timeout(timeout) = &mut message {
            (timeout.high_qc, timeout.vote) = (QuorumCertificate::genesis(&hands.genesis), None);
            retime(timeout, hands);
        }
        hands.tell(to, message);
    }

    fn boxed(&self) -> Box<dyn Attack<HotStuff<S>>> {
        Box::new(self.clone())
    }
}
