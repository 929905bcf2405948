use super::{B, H, busy, world::Sent};
use crate::{Attacks, Post, Target};
use quorate_consensus::PoolMessage;
use quorate_crypto::Symbolic;
use quorate_types::{ReplicaId, decode, encode};
use quorate_validator::Wire;
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn garbage_is_no_message_and_goes_beside_each_message() {
    fn check<P: Attacks<Scheme = Symbolic>>() {
        let world = busy::<P>(1, "garbage", &Target::default());
        let bytes = |(_, _, post): &(_, _, Post)| match post {
            Post::Bytes(bytes) => bytes.clone(),
            Post::Pool(message) => panic!("{message:?}"),
        };
        let garbage: Vec<_> = world.posts.iter().map(bytes).collect();
        let said = world.sent.iter().filter(|sent| sent.from == ReplicaId(1)).count();
        assert_eq!(garbage.len(), said);
        assert!(garbage.iter().all(|bytes| decode::<Wire<P::Message>>(bytes).is_err()));
        assert!(world.agreed() > 5);
    }
    check::<H>();
    check::<B>();
}

#[test]
fn a_flood_says_everything_many_times_and_asks_without_end() {
    fn check<P: Attacks<Scheme = Symbolic>>() {
        let world = busy::<P>(2, "flood", &Target::default());
        let mut times: BTreeMap<_, usize> = BTreeMap::new();
        for sent in world.sent.iter().filter(|sent| sent.from == ReplicaId(2)) {
            *times.entry((sent.to, encode(&sent.message))).or_default() += 1;
        }
        assert!(times.values().all(|times| *times >= 8), "{:?}", times.values());
        let asks =
            |(_, _, post): &&(_, _, Post)| matches!(post, Post::Pool(PoolMessage::Ask(asked)) if asked.len() == 64);
        assert_eq!(world.posts.iter().filter(asks).count(), times.values().sum::<usize>() / 8);
        assert!(world.agreed() > 5);
    }
    check::<H>();
    check::<B>();
}

#[test]
fn replay_says_what_was_said_before() {
    fn check<P: Attacks<Scheme = Symbolic>>() {
        let world = busy::<P>(2, "replay", &Target::default());
        let mut once = BTreeSet::new();
        let again =
            |sent: &&Sent<P::Message>| sent.from == ReplicaId(2) && !once.insert((sent.to, encode(&sent.message)));
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
