use super::{World, world::BASE};
use crate::{Attacks, Target, find};
use quorate_consensus::{Replica, hotstuff::HotStuff, pbft::Pbft};
use quorate_crypto::Symbolic;
use quorate_types::{ReplicaId, View, encode};
use std::collections::BTreeSet;

type H = HotStuff<Symbolic>;
type B = Pbft<Symbolic>;

/// A busy second.
fn busy<P: Attacks<Scheme = Symbolic>>(attacker: usize, attack: &str, target: &Target) -> World<P> {
    let mut world = World::new(4, attacker, attack, target);
    world.busy(0..50);
    world.run(BASE * 40);
    world
}

#[test]
fn names_are_unique_and_each_has_its_sentence() {
    fn check<P: Attacks>() {
        let known = P::attacks();
        let names: BTreeSet<_> = known.iter().map(|known| known.name).collect();
        assert_eq!(names.len(), known.len());
        assert!(known.iter().all(|known| known.breaks.contains(": ") && find::<P>(known.name).is_some()));
        assert!(find::<P>("no-such-attack").is_none());
    }
    check::<H>();
    check::<B>();
}

#[test]
fn silent_says_nothing_to_those_it_is_against() {
    fn check<P: Attacks<Scheme = Symbolic>>() {
        let world = busy::<P>(1, "silent", &Target::default());
        assert_eq!(world.sent.iter().filter(|sent| sent.from == ReplicaId(1)).count(), 0);
        assert!(world.agreed() > 0, "the others go on");
        let world = busy::<P>(1, "silent", &Target::default().against([3]));
        let told: BTreeSet<_> =
            world.sent.iter().filter(|sent| sent.from == ReplicaId(1)).map(|sent| sent.to).collect();
        assert_eq!(told, BTreeSet::from([ReplicaId(0), ReplicaId(2)]));
        assert!(world.agreed() > 0);
    }
    check::<H>();
    check::<B>();
}

#[test]
fn before_its_view_an_attacker_is_honest() {
    let world = busy::<H>(1, "silent", &Target::from_view(9));
    let last = world.said(1, "vote").last().map(|sent| sent.at).expect("it votes at first");
    assert!(world.sent.iter().all(|sent| sent.from != ReplicaId(1) || sent.at <= last + BASE));
    assert!(world.replicas[1].view() > View(20), "the replica in it goes on");
}

#[test]
fn late_says_everything_half_a_view_later() {
    let world = busy::<B>(2, "late", &Target::default());
    let prompt: Vec<_> = world.said(3, "prepare").iter().map(|sent| sent.at).collect();
    let late: Vec<_> = world.said(2, "prepare").iter().map(|sent| sent.at).collect();
    assert!(late[0] >= prompt[0] + BASE / 2, "{:?} and {:?}", late[0], prompt[0]);
    assert!(world.agreed() > 0);
}

#[test]
fn a_lazy_leader_proposes_when_nine_tenths_have_passed_and_is_not_deposed() {
    let world = busy::<B>(1, "lazy-leader", &Target::default());
    let proposals = world.said(1, "pre_prepare");
    assert!(proposals[0].at >= BASE * 9 / 10 && proposals[0].at < BASE, "{:?}", proposals[0].at);
    let prepares = world.said(1, "commit");
    assert!(!prepares.is_empty(), "what is no proposal is prompt");
    assert!(world.agreed() > 0);
}

#[test]
fn replay_says_what_was_said_before() {
    fn check<P: Attacks<Scheme = Symbolic>>() {
        let world = busy::<P>(2, "replay", &Target::default());
        let mut once = BTreeSet::new();
        let again = |sent: &&super::world::Sent<P::Message>| {
            sent.from == ReplicaId(2) && !once.insert((sent.to, encode(&sent.message)))
        };
        assert!(world.sent.iter().filter(again).count() > 20);
        assert!(world.agreed() > 5);
    }
    check::<H>();
    check::<B>();
}

#[test]
fn corrupt_signatures_are_let_in_by_nobody() {
    fn check<P: Attacks<Scheme = Symbolic>>(signed: &[&str]) {
        let world = busy::<P>(1, "corrupt-signature", &Target::default());
        for kind in signed {
            let said = world.said(1, kind);
            assert!(!said.is_empty() && said.iter().all(|sent| !sent.is_good), "{kind}");
        }
        assert!(world.agreed() > 0);
        assert_eq!(world.accused, [], "a bad signature proves nothing");
    }
    check::<H>(&["proposal", "vote", "timeout"]);
    check::<B>(&["pre_prepare", "commit"]);
}

#[test]
fn a_censor_proposes_no_odd_batch() {
    let world = busy::<B>(1, "censor", &Target::default());
    let by_censor = world.blocks.values().filter(|block| block.header.proposer == ReplicaId(1));
    let batches: Vec<_> = by_censor.flat_map(|block| block.payload.iter().map(|batch| batch.0[0])).collect();
    assert!(!batches.is_empty() && batches.iter().all(|name| name % 2 == 0), "{batches:?}");
    let committed: BTreeSet<_> = world.committed[0]
        .iter()
        .flat_map(|block| world.blocks[block].payload.iter().map(|batch| batch.0[0]))
        .collect();
    assert_eq!(committed.len(), 50, "and in the end another primary does");
}
