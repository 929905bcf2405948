//! More liars than the protocol can bear.

use super::net::{Msg, Net, Node, S, batch, child, id};
use crate::{
    Event, Verified,
    forensics::{Past, culprits},
    hotstuff::{
        Ballot, Certificates, CommitProof, JustifiedBlock, Message, Proposal, ProposalStatement, QuorumCertificate,
        Record, TimeoutCertificate, TimeoutShare, TimeoutStatement,
    },
};
use quorate_crypto::Scheme;
use quorate_types::{Block, BoundedVec, Height, View, encode};
use std::collections::BTreeSet;

type Branch = (Vec<JustifiedBlock<S>>, QuorumCertificate<S>);

fn certified(net: &Net, block: &Block, members: [usize; 3]) -> QuorumCertificate<S> {
    let ballot = Ballot::of(&block.header);
    let sign = |member: usize| (id(member), net.scheme.sign(&net.scheme.secret(id(member)), &ballot));
    let proof = net.scheme.combine(&ballot, &members.map(sign).into()).expect("a quorum");
    QuorumCertificate { ballot, proof: Some(proof) }
}

/// Blocks of these views, each on the one before, each certified by these members.
fn branch(net: &Net, views: &[(u64, [usize; 3])]) -> Branch {
    let mut justify = QuorumCertificate::genesis(&net.genesis);
    let mut parent = net.genesis.clone();
    let mut blocks = vec![];
    for (view, members) in views {
        let block = child(&parent, View(*view), id(usize::try_from(view % 4).expect("small")), vec![]);
        let certificate = certified(net, &block, *members);
        parent = block.header.clone();
        blocks.push(JustifiedBlock { block, justify });
        justify = certificate;
    }
    (blocks, justify)
}

/// Gives replica 0 a message, and its ledger the time to answer.
fn hear(net: &mut Net, from: usize, message: Msg) {
    let message = Verified::check(message, id(from), &net.keys).expect("well signed");
    net.tell(0, Event::Received { from: id(from), message });
    net.run(std::time::Duration::from_millis(1));
}

/// Tells replica 0 of a branch, and gives it the blocks.
fn tell(net: &mut Net, (blocks, high_qc): &Branch) {
    let high_qc = high_qc.clone();
    let wanted = high_qc.block();
    hear(net, 1, Message::Certificates(Box::new(Certificates { high_qc, entry: None, is_whole: false })));
    let down = BoundedVec::new(blocks.iter().rev().cloned().collect()).expect("few");
    hear(net, 1, Message::Blocks { wanted, blocks: down });
}

/// Commits the first of these blocks, then shows the other branch. Who is accused, and what is said.
fn fork(first: &[(u64, [usize; 3])], second: &[(u64, [usize; 3])]) -> (BTreeSet<usize>, String) {
    let mut net = Net::new(4);
    (1..4).for_each(|index| net.crash(index));
    let branches = [branch(&net, first), branch(&net, second)];
    tell(&mut net, &branches[0]);
    assert_eq!(node(&net).tree.root().height, Height(1));
    tell(&mut net, &branches[1]);
    assert_eq!(net.halted.len(), 1, "it notices");
    (net.accused.iter().map(|accused| accused.index()).collect(), net.halted[0].clone())
}

fn node(net: &Net) -> &Node {
    net.node(0)
}

#[test]
fn row_33_those_who_broke_their_locks_are_named_and_nobody_else() {
    let committed = [(1, [0, 1, 2]), (2, [0, 1, 2]), (3, [0, 1, 2])];
    // Replica 3 never saw it, and replica 0 votes for what the lowest certificate of the other branch lets it.
    let other = [(9, [1, 2, 3]), (10, [0, 1, 3]), (11, [0, 1, 3])];
    let (accused, why) = fork(&committed, &other);
    assert_eq!(accused, BTreeSet::from([1, 2]));
    assert!(why.ends_with("both branches are signed by replica 1, replica 2"), "{why}");
}

#[test]
fn row_33_those_who_voted_twice_in_a_view_are_named_and_nobody_else() {
    let committed = [(1, [0, 1, 2]), (2, [0, 1, 2]), (3, [0, 1, 3])];
    for (view, liars) in [(2, [1, 2]), (3, [1, 3])] {
        let other = [(view, [1, 2, 3]), (9, [1, 2, 3]), (10, [1, 2, 3])];
        let (accused, _) = fork(&committed, &other);
        assert_eq!(accused, liars.into(), "view {view}");
    }
}

/// What a replica leaves behind that voted for every block of a branch, and committed all but the last two.
fn past(net: &Net, views: &[(u64, [usize; 3])]) -> Past<Record<S>> {
    let (blocks, qc) = branch(net, views);
    let [.., child, grandchild] = blocks.as_slice() else { panic!("three at least") };
    let [child, grandchild] = [child, grandchild].map(|justified| justified.block.header.clone());
    let mut committed: Vec<_> = blocks[..blocks.len() - 2].iter().map(|held| (held.block.clone(), None)).collect();
    committed.last_mut().expect("one at least").1 = Some(encode(&CommitProof { child, grandchild, qc }));
    Past { committed, records: blocks.into_iter().map(Record::Block).collect() }
}

fn named(net: &Net, one: &Past<Record<S>>, other: &Past<Record<S>>) -> BTreeSet<usize> {
    culprits::<Node>(one, other, &net.keys).iter().map(|piece| piece.accused.index()).collect()
}

const COMMITTED: [(u64, [usize; 3]); 3] = [(1, [0, 1, 2]), (2, [0, 1, 2]), (3, [0, 1, 2])];

#[test]
fn two_pasts_name_those_who_broke_their_locks_and_nobody_else() {
    let net = Net::new(4);
    let ours = past(&net, &COMMITTED);
    let theirs = past(&net, &[(9, [1, 2, 3]), (10, [0, 1, 3]), (11, [0, 1, 3])]);
    assert_eq!(named(&net, &ours, &theirs), BTreeSet::from([1, 2]));
    assert_eq!(named(&net, &theirs, &ours), BTreeSet::from([1, 2]), "whichever comes first");
    let longer = past(&net, &[COMMITTED[0], COMMITTED[1], COMMITTED[2], (4, [0, 1, 3])]);
    assert_eq!(named(&net, &ours, &longer), BTreeSet::new(), "one branch");
}

#[test]
fn two_pasts_name_those_who_voted_twice_in_a_view_and_nobody_else() {
    let net = Net::new(4);
    let theirs = past(&net, &[(2, [1, 2, 3]), (9, [0, 1, 3]), (10, [0, 1, 3]), (11, [0, 1, 3])]);
    assert_eq!(named(&net, &past(&net, &COMMITTED), &theirs), BTreeSet::from([1, 2]));
}

#[test]
fn without_the_certificate_above_the_gap_nobody_is_named() {
    let net = Net::new(4);
    let mut theirs = past(&net, &[(9, [1, 2, 3]), (10, [0, 1, 3]), (11, [0, 1, 3])]);
    theirs.records.clear();
    assert_eq!(named(&net, &past(&net, &COMMITTED), &theirs), BTreeSet::new());
}

/// By whoever leads its view, with the others' timeout certificate if the justify is not of the view before.
fn propose(net: &Net, block: Block, justify: &QuorumCertificate<S>) -> Msg {
    let statement = ProposalStatement(Ballot::of(&block.header));
    let attestation = net.scheme.attest(&net.scheme.secret(block.header.proposer), &statement);
    let left = block.header.view.previous().filter(|view| *view != justify.view());
    let entry = left.map(|view| {
        let statement = TimeoutStatement { view, high_qc: justify.view() };
        let share = |member: usize| TimeoutShare {
            replica: id(member),
            high_qc: justify.view(),
            attestation: net.scheme.attest(&net.scheme.secret(id(member)), &statement),
        };
        let shares = BoundedVec::new([1, 2, 3].map(share).to_vec()).expect("few");
        TimeoutCertificate { view, high_qc: justify.clone(), shares }
    });
    let justified = JustifiedBlock { block, justify: justify.clone() };
    Message::Proposal(Box::new(Proposal { justified, entry, attestation }))
}

/// Two certified branches in views 1 and 2, of which replica 0 learns in this order; then one of them goes on in view 3, and the other
/// in view 5 as if that had never been. The views that it votes in.
fn votes_on_twins(is_rival_first: bool) -> BTreeSet<u64> {
    let mut net = Net::new(4);
    (1..4).for_each(|index| net.crash(index));
    let justify = QuorumCertificate::genesis(&net.genesis);
    let [ours, rival] = [1, 2].map(|name| {
        let low = child(&net.genesis, View(1), id(1), vec![batch(name)]);
        let high = child(&low.header, View(2), id(2), vec![]);
        let [low_qc, high_qc] = [&low, &high].map(|block| certified(&net, block, [1, 2, 3]));
        let justified = |block, justify: &QuorumCertificate<S>| JustifiedBlock { block, justify: justify.clone() };
        (vec![justified(low, &justify), justified(high, &low_qc)], high_qc)
    });
    let next = child(&ours.0[1].block.header, View(3), id(3), vec![]);
    let beside = child(&rival.0[0].block.header, View(5), id(1), vec![]);
    let (next, beside) = (propose(&net, next, &ours.1), propose(&net, beside, &rival.0[1].justify));
    if is_rival_first {
        tell(&mut net, &rival);
    }
    tell(&mut net, &ours);
    hear(&mut net, 3, next);
    tell(&mut net, &rival);
    hear(&mut net, 1, beside);
    let ballots = net.journals[0].0.iter().filter_map(|record| match record {
        Record::Vote(vote) => Some(vote.ballot.view.0),
        _ => None,
    });
    ballots.collect()
}

#[test]
fn of_two_certified_branches_of_the_same_views_an_honest_replica_votes_for_one() {
    assert_eq!(votes_on_twins(false), BTreeSet::from([3]), "it locked the one that it voted on");
    assert_eq!(votes_on_twins(true), BTreeSet::from([5]), "it locked the other, and does not leave it");
}
