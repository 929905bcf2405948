//! The parts of PBFT's messages.

use super::Craft;
use crate::{Hands, twin::twin};
use quorate_consensus::pbft::{Message, Pbft, StableCheckpoint, ViewChange, ViewChangeStatement};
use quorate_crypto::Scheme;
use quorate_types::{Block, BoundedVec, Digest, View};

impl<S: Scheme> Craft for Pbft<S> {
    fn proposed(message: &mut Message<S>) -> Option<&mut Block> {
        match message {
            Message::PrePrepare(said) => Some(&mut said.block),
            _ => None,
        }
    }

    fn twin_beside(block: &Block, parent: Option<Digest>) -> Block {
        let mut twin = twin(block);
        twin.header.parent = parent.unwrap_or(twin.header.parent);
        twin
    }

    fn voted(message: &mut Message<S>) -> Option<(&mut View, &mut Digest)> {
        match message {
            Message::Prepare(vote) => Some((&mut vote.statement.0.view, &mut vote.statement.0.block)),
            Message::Commit(vote) => Some((&mut vote.statement.0.view, &mut vote.statement.0.block)),
            _ => None,
        }
    }

    fn leave(view: View, hands: &Hands<Self>) -> Message<S> {
        let checkpoint = StableCheckpoint::genesis(&hands.genesis);
        let view = view.next();
        let statement = ViewChangeStatement { view, checkpoint: checkpoint.checkpoint, prepared: None };
        let attestation = hands.attest(&statement);
        Message::ViewChange(Box::new(ViewChange { view, checkpoint, prepared: None, replica: hands.me, attestation }))
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
