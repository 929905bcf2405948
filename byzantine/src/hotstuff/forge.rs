//! Shows certificates that no quorum made: of its block, and of having left the view.

use crate::{Attack, Hands, Spoil, Target, forged::Forgery};
use quorate_consensus::hotstuff::{
    Ballot, Certificates, HotStuff, Message, QuorumCertificate, TimeoutCertificate, TimeoutShare, TimeoutStatement,
};
use quorate_types::{BoundedVec, ReplicaId, View};

#[derive(Clone, Debug)]
pub(super) struct Forge {
    pub(super) target: Target,
    pub(super) forgery: Forgery,
}

impl Forge {
    /// Beside a proposal or a vote: as if all had voted for that already, and left the view, too.
    fn certificates<S: Spoil>(&self, ballot: Ballot, hands: &Hands<HotStuff<S>>) -> Option<Certificates<S>> {
        let high_qc = QuorumCertificate { ballot, proof: Some(self.forgery.proof(&ballot, hands)?) };
        Some(Certificates { high_qc, entry: Some(self.entry(ballot.view, hands)), is_whole: false })
    }

    fn entry<S: Spoil>(&self, view: View, hands: &Hands<HotStuff<S>>) -> TimeoutCertificate<S> {
        let genesis = QuorumCertificate::genesis(&hands.genesis);
        let high_qc = genesis.view();
        let attestation = hands.attest(&TimeoutStatement { view, high_qc });
        let signers = self.forgery.signers(hands).into_iter();
        let share = |signer| {
            let replica = if self.forgery == Forgery::Duplicate { hands.me } else { signer };
            TimeoutShare { replica, high_qc, attestation: attestation.clone() }
        };
        let shares = BoundedVec::new(signers.map(share).collect()).expect("no more than a committee");
        TimeoutCertificate { view, high_qc: genesis, shares }
    }
}

impl<S: Spoil> Attack<HotStuff<S>> for Forge {
    fn tell(&mut self, to: ReplicaId, message: Message<S>, hands: &mut Hands<HotStuff<S>>) {
        let ballot = match &message {
            Message::Proposal(proposal) => Some(Ballot::of(&proposal.justified.block.header)),
            Message::Vote(vote) => Some(vote.ballot),
            _ => None,
        };
        let forged = ballot.filter(|_| self.target.hits(to)).and_then(|ballot| self.certificates(ballot, hands));
        hands.tell(to, message);
        forged.into_iter().for_each(|forged| hands.tell(to, Message::Certificates(Box::new(forged))));
    }

    fn boxed(&self) -> Box<dyn Attack<HotStuff<S>>> {
        Box::new(self.clone())
    }
}
