//! Two blocks for one view.

use crate::{Attack, Hands, twin::twin};
use quorate_consensus::hotstuff::{Ballot, HotStuff, Message, Proposal, ProposalStatement, Vote};
use quorate_crypto::Scheme;
use quorate_types::{Digest, ReplicaId};

/// Those for whom `is_apart` is true get another block than the rest.
#[derive(Debug)]
pub(super) struct Equivocate<S: Scheme> {
    is_apart: fn(&Hands<HotStuff<S>>, ReplicaId) -> bool,
    /// The ballots of the last block that it proposed twice.
    last: Option<[Ballot; 2]>,
}

impl<S: Scheme> Equivocate<S> {
    pub(super) fn new(is_apart: fn(&Hands<HotStuff<S>>, ReplicaId) -> bool) -> Self {
        Self { is_apart, last: None }
    }

    fn other(&mut self, proposal: &Proposal<S>, hands: &Hands<HotStuff<S>>) -> Proposal<S> {
        let mut other = proposal.clone();
        other.justified.block = twin(&proposal.justified.block);
        let ballots = [proposal, &other].map(|proposal| Ballot::of(&proposal.justified.block.header));
        other.attestation = hands.attest(&ProposalStatement(ballots[1]));
        hands.cabal.tell_twins(ballots[0].block, ballots[1].block);
        self.last = Some(ballots);
        other
    }

    fn other_ballot(&self, block: Digest) -> Option<Ballot> {
        self.last.filter(|ballots| ballots[0].block == block).map(|ballots| ballots[1])
    }
}

impl<S: Scheme> Attack<HotStuff<S>> for Equivocate<S> {
    fn tell(&mut self, to: ReplicaId, message: Message<S>, hands: &mut Hands<HotStuff<S>>) {
        match message {
            Message::Proposal(proposal) if (self.is_apart)(hands, to) => {
                let other = self.other(&proposal, hands);
                hands.tell(to, Message::Proposal(Box::new(other)));
            }
            Message::Vote(vote) => {
                if let Some(ballot) = self.other_ballot(vote.ballot.block) {
                    let signature = hands.sign(&ballot);
                    hands.tell(to, Message::Vote(Vote { ballot, voter: hands.me, signature }));
                }
                hands.tell(to, Message::Vote(vote));
            }
            message => hands.tell(to, message),
        }
    }

    fn boxed(&self) -> Box<dyn Attack<HotStuff<S>>> {
        Box::new(Self { is_apart: self.is_apart, last: self.last })
    }
}
