//! What a puppet of HotStuff signs.

use super::Hands;
use crate::SimScheme;
use quorate_consensus::hotstuff::{
    Ballot, HotStuff, JustifiedBlock, Proposal, ProposalStatement, QuorumCertificate, Timeout, TimeoutCertificate,
    TimeoutStatement, Vote,
};
use quorate_types::View;

impl<S: SimScheme> Hands<HotStuff<S>> {
    /// A signed vote.
    pub fn vote(&self, ballot: Ballot) -> Vote<S> {
        Vote { ballot, voter: self.me, signature: self.scheme.sign(&self.secret, &ballot) }
    }

    /// A signed timeout.
    pub fn timeout(&self, view: View, high_qc: QuorumCertificate<S>, vote: Option<Vote<S>>) -> Timeout<S> {
        let statement = TimeoutStatement { view, high_qc: high_qc.view() };
        let attestation = self.scheme.attest(&self.secret, &statement);
        Timeout { view, high_qc, vote, replica: self.me, attestation }
    }

    /// A signed proposal.
    pub fn proposal(&self, justified: JustifiedBlock<S>, entry: Option<TimeoutCertificate<S>>) -> Proposal<S> {
        let statement = ProposalStatement(Ballot::of(&justified.block.header));
        let attestation = self.scheme.attest(&self.secret, &statement);
        Proposal { justified, entry, attestation }
    }
}
