use super::{World, world::BASE};
use crate::Target;
use quorate_consensus::hotstuff::{HotStuff, Message};
use quorate_crypto::Symbolic;
use quorate_types::ReplicaId;
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
