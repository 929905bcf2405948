use super::{H, World, busy, world::BASE};
use crate::Target;
use quorate_consensus::hotstuff::{HotStuff, Message};
use quorate_crypto::Symbolic;
use quorate_types::{ReplicaId, View};
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn equivocate_gives_the_halves_two_good_blocks_and_votes_for_both() {
    let mut world = World::<HotStuff<Symbolic>>::new(4, 1, "equivocate", &Target::default());
    world.busy(0..50);
    world.run(BASE * 20);
    let mut blocks: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for sent in world.said(1, "proposal") {
        assert!(sent.is_good);
        let Message::Proposal(proposal) = &sent.message else { panic!("a proposal") };
        blocks.entry(proposal.justified.block.header.view).or_default().insert(proposal.justified.block.digest());
    }
    assert!(!blocks.is_empty() && blocks.values().all(|two| two.len() == 2));
    let mut votes: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for sent in world.said(1, "vote") {
        let Message::Vote(vote) = &sent.message else { panic!("a vote") };
        votes.entry(vote.ballot.view).or_default().insert(vote.ballot.block);
    }
    assert!(votes.iter().any(|(view, two)| two.len() == 2 && blocks.contains_key(view)));
    assert!(world.agreed() > 5);
    assert!(world.accused.contains(&ReplicaId(1)) && world.accused.iter().all(|accused| *accused == ReplicaId(1)));
}

#[test]
fn equivocate_one_gives_a_single_replica_another_block() {
    let world = busy::<H>(1, "equivocate-one", &Target::default());
    let mut told: BTreeMap<_, BTreeMap<_, usize>> = BTreeMap::new();
    for sent in world.said(1, "proposal") {
        let Message::Proposal(proposal) = &sent.message else { panic!("a proposal") };
        let block = proposal.justified.block.digest();
        *told.entry(proposal.justified.block.header.view).or_default().entry(block).or_default() += 1;
    }
    let split: BTreeSet<Vec<_>> = told.values().map(|blocks| blocks.values().copied().collect()).collect();
    assert!(split.iter().all(|split| matches!(split[..], [1, 2] | [2, 1])), "{split:?}");
    assert!(world.agreed() > 5 && world.accused.iter().all(|accused| *accused == ReplicaId(1)));
}

/// The attacker's proposals, each with the view of the certificate that it stands on.
fn roots(world: &World<H>) -> Vec<(View, View)> {
    let root = |sent: &&super::world::Sent<Message<Symbolic>>| match &sent.message {
        Message::Proposal(proposal) => (proposal.justified.block.header.view, proposal.justified.justify.view()),
        other => panic!("{other:?}"),
    };
    world.said(1, "proposal").iter().map(root).collect()
}

#[test]
fn forks_stand_on_older_certificates() {
    let world = busy::<H>(1, "fork", &Target::default());
    assert!(roots(&world).iter().filter(|(view, root)| root.0 + 4 <= view.0).count() > 5, "{:?}", roots(&world));
    assert!(world.said(1, "proposal").iter().all(|sent| sent.is_good) && world.agreed() > 5);

    let world = busy::<H>(1, "tail-fork", &Target::default());
    assert!(roots(&world).iter().filter(|(view, root)| root.0 + 2 == view.0).count() > 5, "{:?}", roots(&world));
    assert!(world.said(1, "proposal").iter().all(|sent| sent.is_good) && world.agreed() > 5);
}

#[test]
fn conceal_is_a_good_timeout_that_knows_of_no_certificate() {
    let mut world = World::<H>::new(4, 1, "conceal", &Target::default());
    world.busy(0..5);
    world.crashed = Some(3);
    world.busy(5..50);
    let said = world.said(1, "timeout");
    let is_bare = |timeout: &Message<Symbolic>| match timeout {
        Message::Timeout(timeout) => timeout.high_qc.view() == View::GENESIS && timeout.vote.is_none(),
        other => panic!("{other:?}"),
    };
    assert!(said.len() > 3 && said.iter().all(|sent| sent.is_good && is_bare(&sent.message)));
    assert!(world.said(0, "timeout").iter().any(|sent| !is_bare(&sent.message)), "others know of some");
    assert!(world.agreed() > 5);
}
