//! What each message is for, and the signatures in it.

use super::{Message, QuorumCertificate, TimeoutCertificate};
use crate::{
    Keys,
    cost::{Cost, Phase},
};
use quorate_crypto::Scheme;
use quorate_types::{ReplicaId, View};

fn in_quorum<S: Scheme>(qc: &QuorumCertificate<S>, scheme: &S) -> usize {
    qc.proof.as_ref().map_or(0, |proof| scheme.authenticators(proof))
}

fn in_timeouts<S: Scheme>(tc: Option<&TimeoutCertificate<S>>, scheme: &S) -> usize {
    tc.map_or(0, |tc| tc.shares.len() + in_quorum(&tc.high_qc, scheme))
}

fn in_vote<S: Scheme>(scheme: &S) -> usize {
    usize::try_from(scheme.price().sign.made).unwrap_or(usize::MAX)
}

impl<S: Scheme> Cost for Message<S> {
    fn phase(&self) -> Phase {
        match self {
            Self::Proposal(_) => Phase::Propose,
            Self::Vote(_) => Phase::Vote,
            Self::Timeout(_) => Phase::ViewChange,
            Self::Certificates(known) if known.entry.is_some() => Phase::ViewChange,
            Self::Certificates(_) | Self::AskCertificates(_) | Self::AskBlock(_) | Self::Blocks { .. } => Phase::Fetch,
        }
    }

    fn of_view(&self) -> Option<View> {
        match self {
            Self::Proposal(proposal) => Some(proposal.justified.block.header.view),
            Self::Vote(vote) => Some(vote.ballot.view),
            Self::Timeout(timeout) => Some(timeout.view),
            Self::Certificates(known) => known.entry.as_ref().map(|entry| entry.view),
            Self::AskCertificates(_) | Self::AskBlock(_) | Self::Blocks { .. } => None,
        }
    }

    fn leader(&self, _from: ReplicaId) -> Option<ReplicaId> {
        match self {
            Self::Proposal(proposal) => Some(proposal.justified.block.header.proposer),
            Self::Vote(_)
            | Self::Timeout(_)
            | Self::Certificates(_)
            | Self::AskCertificates(_)
            | Self::AskBlock(_)
            | Self::Blocks { .. } => None,
        }
    }

    fn authenticators(&self, keys: &Keys<S>) -> usize {
        let scheme = &keys.scheme;
        match self {
            Self::Proposal(proposal) => {
                1 + in_quorum(&proposal.justified.justify, scheme) + in_timeouts(proposal.entry.as_ref(), scheme)
            }
            Self::Vote(_) => in_vote(scheme),
            Self::Timeout(timeout) => {
                let vote = if timeout.vote.is_some() { in_vote(scheme) } else { 0 };
                1 + in_quorum(&timeout.high_qc, scheme) + vote
            }
            Self::Certificates(known) => in_quorum(&known.high_qc, scheme) + in_timeouts(known.entry.as_ref(), scheme),
            Self::Blocks { blocks, .. } => blocks.iter().map(|block| in_quorum(&block.justify, scheme)).sum(),
            Self::AskCertificates(_) | Self::AskBlock(_) => 0,
        }
    }
}
