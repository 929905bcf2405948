//! The parts of HotStuff's messages.

use super::Craft;
use crate::{Hands, twin::twin};
use quorate_consensus::hotstuff::{HotStuff, Message, QuorumCertificate, Timeout, TimeoutStatement};
use quorate_crypto::Scheme;
use quorate_types::{Block, BoundedVec, Digest, View};

impl<S: Scheme> Craft for HotStuff<S> {
    fn proposed(message: &mut Message<S>) -> Option<&mut Block> {
        match message {
            Message::Proposal(proposal) => Some(&mut proposal.justified.block),
            _ => None,
        }
    }

    /// Each leader equivocates beside the one branch that there is.
    fn twin_beside(block: &Block, _parent: Option<Digest>) -> Block {
        twin(block)
    }

    fn voted(message: &mut Message<S>) -> Option<(&mut View, &mut Digest)> {
        match message {
            Message::Vote(vote) => Some((&mut vote.ballot.view, &mut vote.ballot.block)),
            _ => None,
        }
    }

    fn leave(view: View, hands: &Hands<Self>) -> Message<S> {
        let high_qc = QuorumCertificate::genesis(&hands.genesis);
        let attestation = hands.attest(&TimeoutStatement { view, high_qc: high_qc.view() });
        Message::Timeout(Box::new(Timeout { view, high_qc, vote: None, replica: hands.me, attestation }))
    }

    fn empty(message: &Message<S>) -> Option<Message<S>> {
        match message {
            Message::Blocks { wanted, blocks } if !blocks.is_empty() => {
                Some(Message::Blocks { wanted: *wanted, blocks: BoundedVec::default() })
            }
            _ => None,
        }
    }
}
