//! The fields of HotStuff's messages, and which of its signatures a replica can make again.

use super::{
    Resign,
    fields::{Fields, fields},
    resign::rooted,
    walker::Walker,
};
use crate::Hands;
use quorate_consensus::hotstuff::{
    Ballot, Certificates, HotStuff, JustifiedBlock, Message, Proposal, ProposalStatement, QuorumCertificate, Timeout,
    TimeoutCertificate, TimeoutShare, TimeoutStatement, Vote,
};
use quorate_crypto::Scheme;
use quorate_types::{BoundedVec, Digest, View};

fields!(Ballot { view, height, block });
fields!(Vote<S> where [S: Scheme] { ballot, voter } sealed { signature });
fields!(JustifiedBlock<S> where [S: Scheme] { block, justify });
fields!(Proposal<S> where [S: Scheme] { justified, entry } sealed { attestation });
fields!(Timeout<S> where [S: Scheme] { view, high_qc, vote, replica } sealed { attestation });
fields!(TimeoutShare<S> where [S: Scheme] { replica, high_qc } sealed { attestation });
fields!(TimeoutCertificate<S> where [S: Scheme] { view, high_qc, shares });
fields!(Certificates<S> where [S: Scheme] { high_qc, entry, is_whole });

impl<S: Scheme> Fields for QuorumCertificate<S> {
    fn paths(at: &str, paths: &mut Vec<String>) {
        Ballot::paths(&format!("{at}.ballot"), paths);
        paths.extend([format!("{at}.proof?"), format!("{at}.proof")]);
    }

    fn walk(&mut self, at: &str, walker: &mut Walker<'_>) {
        walker.whole(self);
        let Self { ballot, proof } = self;
        ballot.walk(&format!("{at}.ballot"), walker);
        walker.option(&format!("{at}.proof?"), proof);
        proof.iter_mut().for_each(|proof| walker.leaf(&format!("{at}.proof"), proof));
    }
}

impl<S: Scheme> Fields for Message<S> {
    fn paths(_at: &str, paths: &mut Vec<String>) {
        Proposal::<S>::paths("proposal", paths);
        Vote::<S>::paths("vote", paths);
        Timeout::<S>::paths("timeout", paths);
        Certificates::<S>::paths("certificates", paths);
        View::paths("ask_certificates", paths);
        Digest::paths("ask_block", paths);
        Digest::paths("blocks.wanted", paths);
        BoundedVec::<JustifiedBlock<S>, 0>::paths("blocks.blocks", paths);
    }

    fn walk(&mut self, _at: &str, walker: &mut Walker<'_>) {
        match self {
            Self::Proposal(proposal) => proposal.walk("proposal", walker),
            Self::Vote(vote) => vote.walk("vote", walker),
            Self::Timeout(timeout) => timeout.walk("timeout", walker),
            Self::Certificates(certificates) => certificates.walk("certificates", walker),
            Self::AskCertificates(view) => view.walk("ask_certificates", walker),
            Self::AskBlock(block) => block.walk("ask_block", walker),
            Self::Blocks { wanted, blocks } => {
                wanted.walk("blocks.wanted", walker);
                blocks.walk("blocks.blocks", walker);
            }
        }
    }
}

/// Signs a vote again.
pub(crate) fn revote<S: Scheme>(vote: &mut Vote<S>, hands: &Hands<HotStuff<S>>) {
    vote.signature = hands.sign(&vote.ballot);
}

/// Signs a proposal again.
pub(crate) fn repropose<S: Scheme>(proposal: &mut Proposal<S>, hands: &Hands<HotStuff<S>>) {
    proposal.attestation = hands.attest(&ProposalStatement(Ballot::of(&proposal.justified.block.header)));
}

/// Signs a timeout again.
pub(crate) fn retime<S: Scheme>(timeout: &mut Timeout<S>, hands: &Hands<HotStuff<S>>) {
    let statement = TimeoutStatement { view: timeout.view, high_qc: timeout.high_qc.view() };
    timeout.attestation = hands.attest(&statement);
}

fn reshare<S: Scheme>(certificate: &mut TimeoutCertificate<S>, hands: &Hands<HotStuff<S>>) {
    let mut shares = std::mem::take(&mut certificate.shares).into_inner();
    for share in shares.iter_mut().filter(|share| share.replica == hands.me) {
        let statement = TimeoutStatement { view: certificate.view, high_qc: share.high_qc };
        share.attestation = hands.attest(&statement);
    }
    certificate.shares = BoundedVec::new(shares).expect("as many as before");
}

impl<S: Scheme> Resign for HotStuff<S> {
    fn resign(message: &mut Message<S>, hands: &Hands<Self>) {
        match message {
            Message::Proposal(proposal) => {
                proposal.entry.iter_mut().for_each(|entry| reshare(entry, hands));
                repropose(proposal, hands);
            }
            Message::Vote(vote) => revote(vote, hands),
            Message::Timeout(timeout) => {
                timeout.vote.iter_mut().for_each(|vote| revote(vote, hands));
                retime(timeout, hands);
            }
            Message::Certificates(certificates) => {
                certificates.entry.iter_mut().for_each(|entry| reshare(entry, hands));
            }
            Message::AskCertificates(_) | Message::AskBlock(_) | Message::Blocks { .. } => {}
        }
    }

    fn reroot(message: &mut Message<S>) {
        match message {
            Message::Proposal(proposal) => rooted(&mut proposal.justified.block),
            Message::Blocks { blocks, .. } => {
                let mut all = std::mem::take(blocks).into_inner();
                all.iter_mut().for_each(|justified| rooted(&mut justified.block));
                *blocks = BoundedVec::new(all).expect("as many as before");
            }
            Message::Vote(_)
            | Message::Timeout(_)
            | Message::Certificates(_)
            | Message::AskCertificates(_)
            | Message::AskBlock(_) => {}
        }
    }
}
