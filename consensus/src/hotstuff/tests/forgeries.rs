//! Certificates and messages that must not pass the check in front of the replica.

use super::net::{BASE, Msg, Net, S, batch, child, genesis, id};
use crate::{
    Keys, Rejection, Verified,
    hotstuff::{Ballot, Certificates, JustifiedBlock, Message, Proposal, ProposalStatement, QuorumCertificate, Vote},
};
use quorate_crypto::{CryptoError, Scheme, Symbolic, conformance};
use quorate_types::{ChainId, Digest, Epoch, Height, View};
use std::collections::BTreeMap;

fn net() -> Net {
    let mut net = Net::new(4);
    net.submit(1);
    net.run(BASE);
    net
}

fn qc_of(scheme: &S, ballot: Ballot, signers: &[usize]) -> QuorumCertificate<S> {
    let signatures: BTreeMap<_, _> =
        signers.iter().map(|i| (id(*i), scheme.sign(&scheme.secret(id(*i)), &ballot))).collect();
    QuorumCertificate { ballot, proof: scheme.combine(&ballot, &signatures).ok() }
}

fn carry(high_qc: QuorumCertificate<S>) -> Msg {
    Message::Certificates(Box::new(Certificates { high_qc, entry: None, is_whole: false }))
}

fn check(net: &Net, message: Msg, from: usize) -> Result<(), Rejection> {
    Verified::check(message, id(from), &net.keys).map(|_| ())
}

fn ballot(view: u64) -> Ballot {
    Ballot { view: View(view), height: Height(view), block: Digest([7; 32]) }
}

#[test]
fn row_28_a_certificate_relabelled_with_another_view_height_or_block_is_refused() {
    let net = net();
    let good = qc_of(&net.scheme, ballot(5), &[0, 1, 2]);
    assert_eq!(check(&net, carry(good.clone()), 0), Ok(()));
    let changes: [fn(&mut Ballot); 4] =
        [|b| b.view = View(1 << 63), |b| b.view = View(6), |b| b.height = Height(6), |b| b.block = Digest([8; 32])];
    for change in changes {
        let mut forged = good.clone();
        change(&mut forged.ballot);
        assert!(check(&net, carry(forged), 0).is_err());
    }
}

#[test]
fn row_29_the_genesis_certificate_counts_at_its_own_view_only() {
    let net = net();
    let genesis_qc = QuorumCertificate::<S>::genesis(&net.genesis);
    assert_eq!(check(&net, carry(genesis_qc.clone()), 0), Ok(()));
    for view in [1, 7, u64::MAX] {
        let mut forged = genesis_qc.clone();
        forged.ballot.view = View(view);
        assert!(matches!(check(&net, carry(forged), 0), Err(Rejection::Malformed(_))));
    }
    let mut other_block = genesis_qc;
    other_block.ballot.block = Digest([1; 32]);
    assert!(check(&net, carry(other_block), 0).is_err());
}

#[test]
fn row_24_too_few_signers_or_those_of_another_chain_epoch_or_kind_make_no_certificate() {
    let net = net();
    assert_eq!(qc_of(&net.scheme, ballot(5), &[0, 1]).proof, None, "two of four do not combine");
    let larger = Symbolic::new(conformance::committee(4), 1);
    assert!(check(&net, carry(qc_of(&larger, ballot(5), &[0, 1, 2])), 0).is_ok(), "the same committee");
    let other_chain = conformance::committee_on(ChainId(Digest([1; 32])), Epoch(0), 4);
    let other_epoch = conformance::committee_on(net.keys.committee().chain(), Epoch(1), 4);
    for foreign in [other_chain, other_epoch] {
        let forged = qc_of(&Symbolic::new(foreign, 1), ballot(5), &[0, 1, 2]);
        assert!(matches!(check(&net, carry(forged), 0), Err(Rejection::Crypto(_))));
    }
    let statement = ProposalStatement(ballot(5));
    let signatures = (0..3).map(|i| (id(i), net.scheme.sign(&net.scheme.secret(id(i)), &statement))).collect();
    let proof = net.scheme.combine(&statement, &signatures).ok();
    assert!(check(&net, carry(QuorumCertificate { ballot: ballot(5), proof }), 0).is_err(), "another kind");
}

#[test]
fn row_24_a_smaller_committees_quorum_is_not_ours() {
    let net = Net::new(7);
    let small = Symbolic::new(conformance::committee(4), 1);
    let forged = qc_of(&small, ballot(5), &[0, 1, 2]);
    let refused = check(&net, carry(forged), 0);
    assert_eq!(refused, Err(Rejection::Crypto(CryptoError::TooFewSigners { have: 3, need: 5 })));
}

fn proposal(net: &Net, view: u64, proposer: usize) -> Proposal<S> {
    let block = child(&net.genesis, View(view), id(proposer), vec![batch(1)]);
    sign(net, JustifiedBlock { block, justify: QuorumCertificate::genesis(&net.genesis) }, proposer)
}

fn sign(net: &Net, justified: JustifiedBlock<S>, proposer: usize) -> Proposal<S> {
    let statement = ProposalStatement(Ballot::of(&justified.block.header));
    let attestation = net.scheme.attest(&net.scheme.secret(id(proposer)), &statement);
    Proposal { justified, entry: None, attestation }
}

#[test]
fn row_32_a_block_with_a_wrong_parent_height_chain_or_payload_is_refused_before_any_vote() {
    let net = net();
    let good = proposal(&net, 1, 1);
    assert_eq!(check(&net, Message::Proposal(Box::new(good.clone())), 1), Ok(()));
    let changes: [fn(&mut JustifiedBlock<S>); 6] = [
        |j| j.block.header.parent = Digest([1; 32]),
        |j| j.block.header.height = Height(2),
        |j| j.block.header.height = Height(0),
        |j| j.block.header.chain = ChainId(Digest([1; 32])),
        |j| j.block.header.epoch = Epoch(1),
        |j| j.block.payload = quorate_types::BoundedVec::default(),
    ];
    for change in changes {
        let mut justified = good.justified.clone();
        change(&mut justified);
        let forged = sign(&net, justified, 1);
        assert!(matches!(check(&net, Message::Proposal(Box::new(forged)), 1), Err(Rejection::Malformed(_))));
    }
}

#[test]
fn row_35_a_proposal_by_another_than_its_sender_or_with_a_foreign_signature_is_refused() {
    let net = net();
    let good = proposal(&net, 1, 1);
    assert!(check(&net, Message::Proposal(Box::new(good.clone())), 2).is_err(), "sent by replica 2");
    let foreign = sign(&net, good.justified, 2);
    assert!(check(&net, Message::Proposal(Box::new(foreign)), 1).is_err(), "signed by replica 2");
}

#[test]
fn a_vote_for_genesis_or_in_anothers_name_is_refused() {
    let net = net();
    let vote = |view: u64, voter: usize| {
        let ballot = ballot(view);
        let signature = net.scheme.sign(&net.scheme.secret(id(voter)), &ballot);
        Message::Vote(Vote { ballot, voter: id(voter), signature })
    };
    assert_eq!(check(&net, vote(3, 1), 1), Ok(()));
    assert!(check(&net, vote(3, 1), 2).is_err());
    assert!(check(&net, vote(0, 1), 1).is_err());
}

#[test]
fn keys_of_another_genesis_accept_no_genesis_certificate_of_ours() {
    let net = net();
    let other = Keys::new(net.scheme.clone(), &quorate_types::Header { timestamp: 1, ..genesis(4) });
    let ours = carry(QuorumCertificate::genesis(&net.genesis));
    assert!(Verified::check(ours, id(0), &other).is_err());
}
