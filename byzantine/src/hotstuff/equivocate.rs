//! Two blocks for one view.

use crate::{Attack, Hands, twin::twin};
use quorate_consensus::hotstuff::{Ballot, HotStuff, Message, Proposal, ProposalStatement, Vote};
use quorate_crypto::Scheme;
use quorate_types::{Digest, ReplicaId};
use std::marker::PhantomData;

#[derive(Debug)]
pub(super) struct Equivocate<S> {
    /// The ballots of the last block that it proposed twice.
    last: Option<[Ballot; 2]>,
    scheme: PhantomData<fn() -> S>,
}

impl<S> Default for Equivocate<S> {
    fn default() -> Self {
        Self { last: None, scheme: PhantomData }
    }
}

impl<S: Scheme> Equivocate<S> {
    fn other(&mut self, proposal: &Proposal<S>, hands: &Hands<HotStuff<S>>) -> Proposal<S> {
        let mut other = proposal.clone();
        other.justified.block = twin(&proposal.justified.block);
        let ballots = [proposal, &other].map(|proposal| Ballot::of(&proposal.justified.block.header));
        other.attestation = hands.attest(&ProposalStatement(ballots[1]));
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
            Message::Proposal(proposal) if hands.is_first_half(to) => {
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
        Box::new(Self { last: self.last, scheme: PhantomData })
    }
}
