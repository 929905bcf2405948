//! Two chains for one view.

use crate::{Attack, Hands, twin::twin};
use quorate_consensus::pbft::{Ballot, Commit, Message, Pbft, PrePrepare, PrePrepareStatement, Prepare, Vote};
use quorate_crypto::Scheme;
use quorate_types::{Block, Digest, ReplicaId, View};
use std::collections::BTreeMap;

/// Blocks whose twins are remembered: more than are in flight. The lowest digest goes first, which is as good as any.
const REMEMBERED: usize = 64;

/// Those for whom `is_apart` is true see a chain of twins, each on the twin before.
#[derive(Debug)]
pub(super) struct Equivocate<S: Scheme> {
    is_apart: fn(&Hands<Pbft<S>>, ReplicaId) -> bool,
    twins: BTreeMap<Digest, Digest>,
}

/// A PRE-PREPARE as the primary signs it.
pub(super) fn pre_prepare<S: Scheme>(view: View, block: Block, hands: &Hands<Pbft<S>>) -> PrePrepare<S> {
    let ballot = Ballot::of(view, &block.header);
    let (attestation, prepare) = (hands.attest(&PrePrepareStatement(ballot)), hands.sign(&Prepare(ballot)));
    PrePrepare { view, block, attestation, prepare }
}

impl<S: Scheme> Equivocate<S> {
    pub(super) fn new(is_apart: fn(&Hands<Pbft<S>>, ReplicaId) -> bool) -> Self {
        Self { is_apart, twins: BTreeMap::new() }
    }

    fn other(&mut self, said: &PrePrepare<S>, hands: &Hands<Pbft<S>>) -> PrePrepare<S> {
        let mut block = twin(&said.block);
        if let Some(parent) = self.twins.get(&block.header.parent) {
            block.header.parent = *parent;
        }
        if self.twins.len() >= REMEMBERED {
            self.twins.pop_first();
        }
        hands.cabal.tell_twins(said.block.digest(), block.digest());
        self.twins.insert(said.block.digest(), block.digest());
        pre_prepare(said.view, block, hands)
    }

    fn other_commit(&self, vote: &Vote<Commit, S>, hands: &Hands<Pbft<S>>) -> Option<Vote<Commit, S>> {
        let block = *self.twins.get(&vote.statement.0.block)?;
        let statement = Commit(Ballot { block, ..vote.statement.0 });
        Some(Vote { statement, voter: hands.me, signature: hands.sign(&statement) })
    }
}

impl<S: Scheme> Attack<Pbft<S>> for Equivocate<S> {
    fn tell(&mut self, to: ReplicaId, message: Message<S>, hands: &mut Hands<Pbft<S>>) {
        let message = match message {
            Message::PrePrepare(said) if (self.is_apart)(hands, to) && said.block.header.proposer == hands.me => {
                Message::PrePrepare(Box::new(self.other(&said, hands)))
            }
            Message::Commit(vote) if (self.is_apart)(hands, to) => {
                Message::Commit(self.other_commit(&vote, hands).unwrap_or(vote))
            }
            message => message,
        };
        hands.tell(to, message);
    }

    fn boxed(&self) -> Box<dyn Attack<Pbft<S>>> {
        Box::new(Self { is_apart: self.is_apart, twins: self.twins.clone() })
    }
}
