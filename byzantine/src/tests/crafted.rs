use super::{
    B, H, busy,
    world::{BASE, World},
};
use crate::{Attacks, Craft, Post, Target};
use quorate_consensus::{Kind, PoolMessage, Replica, hotstuff, pbft};
use quorate_crypto::{Symbolic, conformance};
use quorate_types::{
    Account, Batch, BoundedVec, Digest, ReplicaId, Transaction, TransactionBody, View, decode, encode, limits,
};
use quorate_validator::Wire;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

const ME: ReplicaId = ReplicaId(1);

fn is_only_accused<P: Attacks<Scheme = Symbolic>>(world: &World<P>) -> bool {
    world.accused.iter().all(|accused| *accused == ME)
}

#[test]
fn double_votes_are_two_good_votes_in_one_place_and_name_their_author() {
    fn check<P: Attacks<Scheme = Symbolic> + Craft>(attacker: u16, kind: &str) {
        let world = busy::<P>(attacker.into(), "double-vote", &Target::default());
        let mut places: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for sent in world.said(attacker.into(), kind) {
            assert!(sent.is_good);
            let mut message = sent.message.clone();
            let (view, block) = P::voted(&mut message).expect("a vote");
            places.entry((sent.to, sent.at, *view)).or_default().insert(*block);
        }
        assert!(places.len() > 5 && places.values().all(|blocks| blocks.len() >= 2));
        assert!(!world.accused.is_empty() && world.accused.iter().all(|accused| *accused == ReplicaId(attacker)));
        assert!(world.agreed() > 5);
    }
    check::<H>(1, "vote");
    check::<B>(3, "prepare");
}

#[test]
fn far_future_votes_are_good_votes_of_views_that_nobody_has_reached() {
    fn check<P: Attacks<Scheme = Symbolic> + Craft>(kind: &str) {
        let world = busy::<P>(1, "far-future-votes", &Target::default());
        let mut views = BTreeSet::new();
        for sent in world.said(1, kind) {
            assert!(sent.is_good);
            views.insert(*P::voted(&mut sent.message.clone()).expect("a vote").0);
        }
        assert!(views.iter().filter(|view| **view > View(1 << 30)).count() > 20, "{views:?}");
        assert!(world.agreed() > 5 && is_only_accused(&world));
    }
    check::<H>("vote");
    check::<B>("commit");
}

#[test]
fn views_left_for_no_reason_draw_nobody_along() {
    fn check<P: Attacks<Scheme = Symbolic>>(kind: &str) {
        for attack in ["timeout-spam", "view-inflation"] {
            let world = busy::<P>(1, attack, &Target::default());
            let said = world.said(1, kind);
            assert!(said.len() > 20 && said.iter().all(|sent| sent.is_good), "{attack}");
            assert!([0, 2, 3].iter().all(|honest| world.replicas[*honest].view() < View(500)), "{attack}");
            assert!(world.agreed() > 5 && is_only_accused(&world), "{attack}");
        }
    }
    check::<H>("timeout");
    check::<B>("view_change");
}

#[test]
fn accomplices_leave_each_other_in_peace() {
    let mut world = World::<H>::conspiring(7, &[1, 2], "view-inflation", &Target::default());
    world.busy(0..20);
    let told: BTreeSet<_> = world.said(1, "timeout").iter().map(|sent| sent.to).collect();
    assert!(told.len() == 5 && !told.contains(&ReplicaId(2)), "{told:?}");
}

#[test]
fn wrong_blocks_are_signed_well() {
    fn blocks<P: Attacks<Scheme = Symbolic> + Craft>(attack: &str, kind: &str) -> Vec<quorate_types::Block> {
        let world = busy::<P>(1, attack, &Target::default());
        assert!(world.agreed() > 0, "{attack}");
        let said = world.said(1, kind);
        assert!(!said.is_empty() && said.iter().all(|sent| sent.is_good), "{attack}");
        said.iter().map(|sent| P::proposed(&mut sent.message.clone()).expect("a block").clone()).collect()
    }
    let all = |attack| [blocks::<H>(attack, "proposal"), blocks::<B>(attack, "pre_prepare")].concat();
    let wrong = all("wrong-root").into_iter().filter(|block| block.header.state_root != Digest::ZERO);
    assert!(wrong.count() > 2, "here every state has the root zero");
    assert!(all("unknown-batches").iter().all(|block| block.payload.len() == limits::BLOCK_BATCHES));
}

#[test]
fn an_oversized_block_is_no_message() {
    fn check<P: Attacks<Scheme = Symbolic>>(kind: &str) {
        let world = busy::<P>(1, "oversized-block", &Target::default());
        assert_eq!(world.said(1, kind).len(), 0);
        let bytes = world.posts.iter().map(|(_, _, post)| match post {
            Post::Bytes(bytes) => bytes,
            Post::Pool(message) => panic!("{message:?}"),
        });
        let mut count = 0;
        for bytes in bytes {
            let error = decode::<Wire<P::Message>>(bytes).map(drop).expect_err("it is too large").to_string();
            assert!(error.contains("65"), "{error}");
            count += 1;
        }
        assert!(count > 2 && world.agreed() > 0, "the others go on");
    }
    check::<H>("proposal");
    check::<B>("pre_prepare");
}

fn batch() -> Batch {
    let body = TransactionBody {
        chain: conformance::committee(4).chain(),
        sender: Account::from_key([1; 32]),
        nonce: 0,
        payload: BoundedVec::default(),
    };
    Batch::new(vec![Transaction { body, signature: [2; 64] }]).expect("small")
}

#[test]
fn invalid_transactions_are_shared_named_in_blocks_and_given_to_whoever_asks() {
    fn check<P: Attacks<Scheme = Symbolic> + Craft>(kind: &str) {
        let mut world = World::<P>::new(4, 1, "invalid-transaction", &Target::default());
        let grip = world.replicas[1].grip();
        grip.share(ReplicaId(0), PoolMessage::Batch(Arc::new(batch())));
        let posted = grip.posted();
        let [(_, Post::Pool(PoolMessage::Batch(invalid))), (_, Post::Pool(PoolMessage::Batch(honest)))] = &posted[..]
        else {
            panic!("{posted:?}")
        };
        assert_eq!(**honest, batch());
        let unsigned = &invalid.transactions()[0];
        assert!(unsigned.body == batch().transactions()[0].body && unsigned.signature != [2; 64]);
        grip.overhear(ReplicaId(3), &PoolMessage::Ask(BoundedVec::new(vec![invalid.digest()]).expect("one")));
        assert_eq!(grip.posted(), [(ReplicaId(3), Post::Pool(PoolMessage::Batch(invalid.clone())))]);
        world.busy(0..20);
        let said = world.said(1, kind);
        let names = |sent: &&&super::world::Sent<P::Message>| {
            let mut message = sent.message.clone();
            P::proposed(&mut message).is_some_and(|block| block.payload.contains(&invalid.digest()))
        };
        assert!(said.iter().filter(names).count() > 0 && said.iter().all(|sent| sent.is_good));
    }
    check::<H>("proposal");
    check::<B>("pre_prepare");
}

#[test]
fn what_is_said_for_another_chain_is_let_in_by_nobody() {
    fn check<P: Attacks<Scheme = Symbolic>>(kinds: &[&str]) {
        let world = busy::<P>(1, "other-chain", &Target::default());
        for kind in kinds {
            let said = world.said(1, kind);
            let good = said.iter().filter(|sent| sent.is_good).count();
            assert!(good > 0 && good * 2 == said.len(), "{kind}: {good} of {}", said.len());
        }
        assert!(world.agreed() > 5);
        assert_eq!(world.accused, []);
    }
    check::<H>(&["proposal", "vote"]);
    check::<B>(&["pre_prepare", "commit"]);
}

#[test]
fn selective_fetch_has_blocks_for_one_half_alone() {
    fn check<P: Attacks<Scheme = Symbolic> + Craft>(
        kind: &str,
        ask: fn(Digest) -> P::Message,
        is_empty: fn(&P::Message) -> bool,
    ) {
        let mut world = World::<P>::new(4, 1, "selective-fetch", &Target::default());
        world.submit(1);
        world.run(BASE / 20);
        let sent = world.sent.iter().find(|sent| sent.message.kind() == kind).expect("a proposal");
        let block = P::proposed(&mut sent.message.clone()).expect("its block").digest();
        for asker in [0, 3] {
            world.deliver(ReplicaId(asker), ME, ask(block));
        }
        world.run(BASE / 20);
        let answers: Vec<_> = world.said(1, "blocks").iter().map(|sent| (sent.to, is_empty(&sent.message))).collect();
        assert_eq!(answers, [(ReplicaId(0), true), (ReplicaId(3), false)]);
    }
    let is_empty = |message: &hotstuff::Message<_>| matches!(message, hotstuff::Message::Blocks { blocks, .. } if blocks.is_empty());
    check::<H>("proposal", hotstuff::Message::AskBlock, is_empty);
    let is_empty =
        |message: &pbft::Message<_>| matches!(message, pbft::Message::Blocks { blocks, .. } if blocks.is_empty());
    check::<B>("pre_prepare", pbft::Message::AskBlock, is_empty);
}

#[test]
fn forged_certificates_are_let_in_by_nobody() {
    fn check<P: Attacks<Scheme = Symbolic>>() {
        let mut forged = BTreeSet::new();
        for attack in ["forge-too-few", "forge-duplicate", "forge-foreign"] {
            let world = busy::<P>(1, attack, &Target::default());
            let bad: Vec<_> = world.said(1, "certificates").into_iter().filter(|sent| !sent.is_good).collect();
            assert!(bad.len() > 5, "{attack}");
            assert!(world.sent.iter().all(|sent| sent.is_good || sent.message.kind() == "certificates"), "{attack}");
            assert!(world.agreed() > 5, "{attack}");
            forged.insert(encode(&bad[0].message).len());
        }
        assert!(forged.len() > 1, "one signer, or a quorum of them");
    }
    check::<H>();
    check::<B>();
}
