//! Attacks that look before they act, and what counts as one.

use super::{
    B, H,
    world::{BASE, World},
};
use crate::{Attacks, Target};
use quorate_consensus::{hotstuff, pbft};
use quorate_crypto::Symbolic;
use quorate_types::{Digest, ReplicaId};
use std::collections::BTreeSet;

const ME: ReplicaId = ReplicaId(1);

#[test]
fn a_deed_is_what_the_honest_replica_would_not_have_done() {
    fn check<P: Attacks<Scheme = Symbolic>>() {
        let deeds = |attack, target| {
            let mut world = World::<P>::new(4, 1, attack, &target);
            world.busy(0..10);
            world.replicas[1].grip().deeds()
        };
        for known in P::attacks() {
            assert_eq!(deeds(known.name, Target::from_view(1_000_000)), 0, "{}: it never began", known.name);
        }
        for attack in ["silent", "late", "flood", "garbage", "censor", "mutate", "double-vote", "equivocate"] {
            assert!(deeds(attack, Target::default()) > 0, "{attack}");
        }
    }
    check::<H>();
    check::<B>();
}

#[test]
fn a_deserter_is_there_until_somebody_else_is_not() {
    fn check<P: Attacks<Scheme = Symbolic>>() {
        let mut world = World::<P>::new(4, 1, "desert", &Target::default());
        world.busy(0..20);
        let before = world.agreed();
        assert!(before > 10, "{before}");
        let said = |world: &World<P>| world.sent.iter().filter(|sent| sent.from == ME).count();
        assert!(said(&world) > 20);
        world.crashed = Some(3);
        world.busy(20..40);
        world.run(BASE * 20);
        let (deserted, agreed) = (said(&world), world.agreed());
        world.busy(40..60);
        assert_eq!((said(&world), world.agreed()), (deserted, agreed), "it is silent, and no quorum is left");
    }
    check::<H>();
    check::<B>();
}

#[test]
fn hunters_have_nothing_for_whoever_asks_and_all_hunt_the_same_one() {
    fn check<P: Attacks<Scheme = Symbolic>>(ask: fn(Digest) -> P::Message) {
        let mut world = World::<P>::conspiring(7, &[1, 2], "hunt", &Target::default().against([5]));
        world.busy(0..10);
        let told = |world: &World<P>, from: u16| -> BTreeSet<_> {
            world.sent.iter().filter(|sent| sent.from == ReplicaId(from)).map(|sent| sent.to).collect()
        };
        assert!(told(&world, 1).contains(&ReplicaId(5)));
        world.deliver(ReplicaId(5), ME, ask(Digest::ZERO));
        world.run(BASE / 50);
        world.sent.clear();
        world.busy(10..50);
        for hunter in [1, 2] {
            let told = told(&world, hunter);
            assert!(told.len() == 5 && !told.contains(&ReplicaId(5)), "{told:?}");
        }
        assert!(world.agreed() > 10);
    }
    check::<H>(hotstuff::Message::AskBlock);
    check::<B>(pbft::Message::AskBlock);
}
