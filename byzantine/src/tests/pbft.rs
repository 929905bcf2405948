use super::{World, world::BASE};
use crate::Target;
use quorate_consensus::{
    Replica,
    pbft::{Message, NewView, Pbft, ViewChange},
};
use quorate_crypto::Symbolic;
use quorate_types::{Height, ReplicaId, View};
use std::collections::{BTreeMap, BTreeSet};

type P = Pbft<Symbolic>;

#[test]
fn equivocate_gives_the_halves_two_chains() {
    let mut world = World::<P>::new(4, 1, "equivocate", &Target::default());
    world.busy(0..20);
    world.run(BASE * 40);
    let mut blocks: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for sent in world.said(1, "pre_prepare") {
        let Message::PrePrepare(said) = &sent.message else { panic!("a pre-prepare") };
        assert!(sent.is_good);
        blocks.entry((said.view, said.block.header.height)).or_default().insert(said.block.digest());
    }
    assert!(blocks.values().any(|two| two.len() == 2), "{blocks:?}");
    assert!(world.agreed() > 0);
    assert!(world.accused.contains(&ReplicaId(1)) && world.accused.iter().all(|accused| *accused == ReplicaId(1)));
}

#[test]
fn jump_proposes_at_the_high_watermark_and_nothing_is_executed_there() {
    let mut world = World::<P>::new(4, 1, "jump", &Target::default());
    world.busy(0..10);
    world.run(BASE * 40);
    let said = world.said(1, "pre_prepare");
    let Message::PrePrepare(first) = &said[0].message else { panic!("a pre-prepare") };
    assert_eq!((first.block.header.height, said[0].is_good), (Height(16), true), "twice the interval of 8");
    assert!(world.agreed() > 0, "the next primary goes on from below");
    assert!(world.replicas[0].view() > View(1));
}

/// In a net of seven something is committed in view 1, whose primary then dies; the attacker is the primary of view 2.
fn succession(attacker: usize, attack: &str) -> World<P> {
    let mut world = World::new(7, attacker, attack, &Target::from_view(1));
    world.busy(0..5);
    assert!(world.agreed() > 0, "something is prepared that must not be lost");
    world.crashed = Some(1);
    world.busy(5..10);
    world.run(BASE * 60);
    world
}

fn new_view(world: &World<P>) -> (NewView<Symbolic>, bool) {
    let said = world.said(2, "new_view");
    let Message::NewView(new_view) = &said.first().expect("it began its view").message else { panic!("a new-view") };
    (new_view.as_ref().clone(), said[0].is_good)
}

#[test]
fn omit_prepared_leaves_the_prepared_block_out() {
    let world = succession(2, "omit-prepared");
    let (said, is_good) = new_view(&world);
    assert!(is_good, "all its signatures are: whoever recomputes it knows");
    assert!(said.tip.is_none() && said.view_changes.iter().any(|change| change.prepared.is_some()));
    assert!(world.accused.iter().all(|accused| *accused == ReplicaId(2)) && !world.accused.is_empty());
    assert!(world.agreed() >= 2);
}

#[test]
fn spoiled_new_views_are_let_in_by_nobody() {
    let spoiled = ["few", "forged", "stale", "duplicate", "foreign"].map(|how| format!("{how}-in-new-view"));
    for attack in spoiled.iter().map(String::as_str) {
        let world = succession(2, attack);
        let (said, is_good) = new_view(&world);
        assert!(!is_good, "{attack}");
        let replicas: BTreeSet<_> = said.view_changes.iter().map(|change| change.replica).collect();
        match attack {
            "few-in-new-view" => assert_eq!(replicas.len(), 4, "of seven a quorum is five"),
            "forged-in-new-view" => assert!(said.view_changes.iter().all(|change| change.prepared.is_none())),
            "stale-in-new-view" => assert!(said.view_changes.iter().any(|change| change.view == View(1))),
            "duplicate-in-new-view" => assert_eq!(replicas.len(), said.view_changes.len() - 1),
            _ => assert!(replicas.contains(&ReplicaId(7))),
        }
        assert!(world.agreed() >= 2, "{attack}");
        assert_eq!(world.accused, [], "{attack}");
    }
}

fn view_changes(world: &World<P>, from: usize) -> Vec<(ViewChange<Symbolic>, bool)> {
    let said = world.said(from, "view_change");
    let change = |sent: &&super::world::Sent<Message<Symbolic>>| match &sent.message {
        Message::ViewChange(change) => (change.as_ref().clone(), sent.is_good),
        other => panic!("{other:?}"),
    };
    said.iter().map(change).collect()
}

#[test]
fn forge_claim_claims_what_nobody_prepared() {
    let world = succession(3, "forge-claim");
    let (claimed, is_good) = view_changes(&world, 3)[0].clone();
    let block = claimed.prepared.expect("a claim").statement.0.block;
    assert!(!is_good && !world.blocks.contains_key(&block));
    assert!(world.agreed() >= 2);
}

#[test]
fn conceal_is_a_good_view_change_without_the_certificate() {
    let world = succession(3, "conceal");
    let (said, is_good) = view_changes(&world, 3)[0].clone();
    assert!(is_good && said.prepared.is_none());
    assert!(view_changes(&world, 4)[0].0.prepared.is_some(), "others have one");
    assert!(world.agreed() >= 2);
}

#[test]
fn equivocate_new_view_begins_the_view_in_two_ways() {
    let world = succession(2, "equivocate-new-view");
    let mut ways: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for sent in world.said(2, "new_view") {
        let Message::NewView(new_view) = &sent.message else { panic!("a new-view") };
        if new_view.view == View(2) {
            assert!(sent.is_good, "another replica prepared the same");
            ways.entry(new_view.statement().view_changes).or_default().insert(sent.to);
        }
    }
    assert_eq!(ways.values().map(BTreeSet::len).collect::<Vec<_>>(), [3, 3]);
    assert!(world.agreed() >= 2);
    assert!(world.accused.iter().all(|accused| *accused == ReplicaId(2)));
}

#[test]
fn fork_proposes_where_a_block_was_proposed_before() {
    let mut world = World::<P>::new(4, 1, "fork", &Target::default());
    world.busy(0..20);
    world.run(BASE * 40);
    let mut blocks: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for sent in world.said(1, "pre_prepare") {
        let Message::PrePrepare(said) = &sent.message else { panic!("a pre-prepare") };
        assert!(sent.is_good);
        blocks.entry(said.block.header.height).or_default().insert(said.block.digest());
    }
    assert!(blocks.values().any(|two| two.len() >= 2), "{blocks:?}");
    assert!(world.agreed() > 0 && world.accused.iter().all(|accused| *accused == ReplicaId(1)));
}

#[test]
fn two_faced_is_survived_and_says_to_each_what_that_one_says() {
    let mut world = World::<P>::new(4, 2, "two-faced", &Target::default());
    world.busy(0..20);
    world.run(BASE * 10);
    assert!(world.agreed() > 5 && world.accused.is_empty());
    let said = world.said(2, "prepare");
    assert!(said.len() > 20 && said.iter().all(|sent| sent.is_good));
}

/// More than `f`, and the two honest ones do not hear each other: each has a quorum with the liars, who need not know of each other.
#[test]
fn two_of_four_liars_that_cannot_talk_fork_the_chain() {
    let mut world = World::<P>::new(4, 1, "equivocate", &Target::default());
    world.corrupt(2, "two-faced");
    world.cut = Some([0, 3]);
    world.busy(0..4);
    let (one, other) = (&world.committed[0], &world.committed[3]);
    assert!(one.len() >= 4 && other.len() >= 4 && one.iter().all(|block| !other.contains(block)), "{one:?} {other:?}");
}
