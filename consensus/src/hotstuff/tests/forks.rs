//! More liars than the protocol can bear.

use super::net::{Msg, Net, Node, S, child, id};
use crate::{
    Event, Verified,
    forensics::{Past, culprits},
    hotstuff::{Ballot, Certificates, CommitProof, JustifiedBlock, Message, QuorumCertificate, Record},
};
use quorate_crypto::Scheme;
use quorate_types::{BoundedVec, Height, View, encode};
use std::collections::BTreeSet;

type Branch = (Vec<JustifiedBlock<S>>, QuorumCertificate<S>);

/// Blocks of these views, each on the one before, each certified by these members.
fn branch(net: &Net, views: &[(u64, [usize; 3])]) -> Branch {
    let mut justify = QuorumCertificate::genesis(&net.genesis);
    let mut parent = net.genesis.clone();
    let mut blocks = vec![];
    for (view, members) in views {
        let block = child(&parent, View(*view), id(usize::try_from(view % 4).expect("small")), vec![]);
        let ballot = Ballot::of(&block.header);
        let sign = |member: usize| (id(member), net.scheme.sign(&net.scheme.secret(id(member)), &ballot));
        let proof = net.scheme.combine(&ballot, &members.map(sign).into()).expect("a quorum");
        parent = block.header.clone();
        blocks.push(JustifiedBlock { block, justify });
        justify = QuorumCertificate { ballot, proof: Some(proof) };
    }
    (blocks, justify)
}

/// Tells replica 0 of a branch, and gives it the blocks.
fn tell(net: &mut Net, (blocks, high_qc): &Branch) {
    let mut hear = |message: Msg| {
        let message = Verified::check(message, id(1), &net.keys).expect("well signed");
        net.tell(0, Event::Received { from: id(1), message });
    };
    hear(Message::Certificates(Box::new(Certificates { high_qc: high_qc.clone(), entry: None, is_whole: false })));
    let down = BoundedVec::new(blocks.iter().rev().cloned().collect()).expect("few");
    hear(Message::Blocks { wanted: high_qc.block(), blocks: down });
    net.run(std::time::Duration::from_millis(1));
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
