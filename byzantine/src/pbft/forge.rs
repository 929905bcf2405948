//! Shows certificates that no quorum made: that its block is committed, and that it is a checkpoint.

use crate::{Attack, Hands, Spoil, Target, forged::Forgery};
use quorate_consensus::pbft::{Ballot, Certificates, Checkpoint, Commit, Message, Pbft, StableCheckpoint};
use quorate_crypto::Certificate;
use quorate_types::{BoundedVec, ReplicaId};

#[derive(Clone, Debug)]
pub(super) struct Forge {
    pub(super) target: Target,
    pub(super) forgery: Forgery,
}

impl Forge {
    fn certificates<S: Spoil>(&self, ballot: Ballot, hands: &Hands<Pbft<S>>) -> Option<Certificates<S>> {
        let statement = Commit(ballot);
        let committed = Certificate { statement, proof: self.forgery.proof(&statement, hands)? };
        let checkpoint =
            Checkpoint { height: ballot.height, block: ballot.block, state_root: hands.genesis.state_root };
        let stable = StableCheckpoint { checkpoint, proof: Some(self.forgery.proof(&checkpoint, hands)?) };
        Some(Certificates {
            new_view: None,
            committed: Some(committed),
            checkpoint: Some(stable),
            is_whole: false,
            changes: BoundedVec::default(),
        })
    }
}

impl<S: Spoil> Attack<Pbft<S>> for Forge {
    /// Beside a proposal or a PREPARE: as if all had committed that already.
    fn tell(&mut self, to: ReplicaId, message: Message<S>, hands: &mut Hands<Pbft<S>>) {
        let ballot = match &message {
            Message::PrePrepare(said) => Some(said.ballot()),
            Message::Prepare(vote) => Some(vote.statement.0),
            _ => None,
        };
        let forged = ballot.filter(|_| self.target.hits(to)).and_then(|ballot| self.certificates(ballot, hands));
        hands.tell(to, message);
        forged.into_iter().for_each(|forged| hands.tell(to, Message::Certificates(Box::new(forged))));
    }

    fn boxed(&self) -> Box<dyn Attack<Pbft<S>>> {
        Box::new(self.clone())
    }
}
