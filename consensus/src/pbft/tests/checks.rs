//! The table of checks in the module's header, one test for each row.

use super::{
    craft::*,
    net::{Msg, Net, Node, S, batch, id},
};
use crate::{
    Event, Ignored, Protocol, Rejection, Replica, Step, Timer,
    pbft::{Ballot, Message, Phase, Prepare, Record},
};
use quorate_crypto::CryptoError;
use quorate_types::{BoundedVec, Digest, Height, View};

#[test]
fn check_01_a_view_change_is_attested_by_its_replica_and_sent_by_it() {
    let net = Net::new(4);
    let good = bare(&net, 3, 2);
    assert_eq!(check(&net, 3, leave(good.clone())), Ok(()));
    let relayed = Err(Rejection::Malformed("a view-change sent by another than its signer"));
    assert_eq!(check(&net, 2, leave(good.clone())), relayed);
    let mut anothers = bare(&net, 2, 2);
    anothers.attestation = good.attestation.clone();
    assert_eq!(check(&net, 2, leave(anothers)), Err(CryptoError::BadSignature(id(2)).into()));
    let mut changed = good;
    changed.view = View(3);
    assert_eq!(check(&net, 3, leave(changed)), Err(CryptoError::BadSignature(id(3)).into()));
}

#[test]
fn check_02_both_certificates_of_a_view_change_are_of_a_quorum() {
    let net = Net::new(7);
    let blocks = chain(&net, 1, 2);
    let (good, low) = (prepared(&net, 1, &blocks[1]), stable(&net, &blocks[0].header));
    assert_eq!(check(&net, 3, leave(change(&net, 3, 2, low.clone(), Some(good.clone())))), Ok(()));

    let small = Net::new(4);
    let few = Err(Rejection::Crypto(CryptoError::TooFewSigners { have: 3, need: 5 }));
    let short = change(&net, 3, 2, genesis_stable(&net), Some(prepared(&small, 1, &blocks[1])));
    assert_eq!(check(&net, 3, leave(short)), few);
    assert_eq!(check(&net, 3, leave(change(&net, 3, 2, stable(&small, &blocks[0].header), None))), few);

    let mut relabelled = good;
    relabelled.statement = Prepare(Ballot { block: Digest([9; 32]), ..relabelled.statement.0 });
    let forged = change(&net, 3, 2, genesis_stable(&net), Some(relabelled));
    assert_eq!(check(&net, 3, leave(forged)), Err(CryptoError::BadSignature(id(0)).into()));
    let mut unproven = low;
    unproven.proof = None;
    let reason = "a checkpoint without a proof that is not genesis'";
    assert_eq!(check(&net, 3, leave(change(&net, 3, 2, unproven, None))), Err(Rejection::Malformed(reason)));
}

#[test]
fn check_03_the_certificate_is_of_an_earlier_view_than_the_one_moved_to() {
    let net = Net::new(4);
    let blocks = chain(&net, 1, 1);
    let with = |view: u64| leave(change(&net, 3, 5, genesis_stable(&net), Some(prepared(&net, view, &blocks[0]))));
    assert_eq!(check(&net, 3, with(4)), Ok(()));
    for view in [5, 6, u64::MAX] {
        let reason = "a view-change whose certificate is not of an earlier view";
        assert_eq!(check(&net, 3, with(view)), Err(Rejection::Malformed(reason)));
    }
}

#[test]
fn check_04_the_certificate_lies_in_the_window_of_its_own_checkpoint_not_of_the_receivers() {
    let net = Net::with_checkpoints(4, 4);
    let blocks = chain(&net, 1, 25);
    let (low, high) = (stable(&net, &blocks[7].header), prepared(&net, 1, &blocks[15]));
    assert_eq!(low.checkpoint.height, Height(8));
    let mut lagging = node(&net, 0);
    assert!(!lagging.window().contains(Height(16)), "far beyond what it knows");
    let heard = hear(&net, &mut lagging, 3, leave(change(&net, 3, 2, low.clone(), Some(high))));
    assert_eq!(heard.reason, None);
    assert!(lagging.changes.contains_key(&id(3)), "kept");
    assert_eq!(lagging.low, low, "the newer checkpoint is adopted first");

    for beyond in [&blocks[16], &blocks[24]] {
        let mut fresh = node(&net, 0);
        let bad = change(&net, 3, 2, low.clone(), Some(prepared(&net, 1, beyond)));
        assert_eq!(hear(&net, &mut fresh, 3, leave(bad)).reason, Some(Ignored::OutsideWindow));
        assert!(fresh.changes.is_empty());
    }
}

#[test]
fn check_05_only_the_greatest_view_of_a_sender_counts_and_two_different_ones_for_it_are_evidence() {
    let net = Net::new(4);
    let mut node = node(&net, 0);
    assert_eq!(hear(&net, &mut node, 3, leave(bare(&net, 3, 5))).reason, None);
    assert_eq!(hear(&net, &mut node, 3, leave(bare(&net, 3, 4))).reason, Some(Ignored::StaleView));
    assert_eq!(hear(&net, &mut node, 3, leave(bare(&net, 3, 5))).reason, Some(Ignored::Duplicate));
    let other = change(&net, 3, 5, genesis_stable(&net), Some(prepared(&net, 1, &chain(&net, 1, 1)[0])));
    let heard = hear(&net, &mut node, 3, leave(other));
    assert_eq!(heard.reason, Some(Ignored::Equivocation));
    assert!(heard.accuses(3));
    assert_eq!(node.changes.values().map(|change| change.view).collect::<Vec<_>>(), [View(5)]);
    assert_eq!(node.changes[&id(3)].prepared, None, "the first one stays");
}

#[test]
fn check_06_it_joins_at_the_f_plus_first_greatest_view_of_the_others_and_no_earlier() {
    let net = Net::new(7);
    let mut node = node(&net, 0);
    for (replica, view) in [(1, 9), (2, 7)] {
        hear(&net, &mut node, replica, leave(bare(&net, replica, view)));
        assert_eq!((node.view(), node.phase), (View(1), Phase::Active), "f replicas move nobody");
    }
    let heard = hear(&net, &mut node, 3, leave(bare(&net, 3, 4)));
    assert_eq!((node.view(), node.phase), (View(4), Phase::Changing));
    assert!(heard.says("view_change"));
    hear(&net, &mut node, 4, leave(bare(&net, 4, 8)));
    assert_eq!(node.view(), View(7), "of 9, 8, 7, 4 the third");
}

#[test]
fn check_07_the_timer_of_a_view_runs_once_a_quorum_has_moved_there_or_beyond() {
    let net = Net::new(4);
    let mut node = node(&net, 0);
    let mut step = Step::default();
    node.change_view(View(2), &mut step);
    let timer = Timer::View(View(2));
    let alone = handle(&mut node, Event::BatchReady(batch(1)));
    assert!(!alone.sets(timer), "it is alone there");
    assert!(!hear(&net, &mut node, 1, leave(bare(&net, 1, 2))).sets(timer), "two are no quorum");
    assert!(hear(&net, &mut node, 3, leave(bare(&net, 3, 2))).sets(timer));
    let mut node = super::craft::node(&net, 0);
    node.change_view(View(2), &mut Step::default());
    hear(&net, &mut node, 1, leave(bare(&net, 1, 9)));
    assert!(hear(&net, &mut node, 3, leave(bare(&net, 3, 2))).sets(timer), "beyond counts too");
}

#[test]
fn check_08_a_new_view_is_attested_by_its_primary_whoever_brings_it() {
    let net = Net::new(4);
    let changes: Vec<_> = (0..3).map(|replica| bare(&net, replica, 2)).collect();
    let good = new_view(&net, 2, &changes, None);
    for carrier in [0, 1, 3] {
        let mut node = node(&net, 0);
        hear(&net, &mut node, carrier, begin(good.clone()));
        assert_eq!((node.view(), node.phase), (View(2), Phase::Active));
    }
    let mut usurped = good;
    usurped.attestation = sign(&net, 3, &usurped.statement());
    assert_eq!(check(&net, 3, begin(usurped)), Err(CryptoError::BadSignature(id(2)).into()));
}

#[test]
fn check_09_a_new_view_holds_a_quorum_of_distinct_valid_view_changes_for_exactly_its_view() {
    let net = Net::new(4);
    let of = |replicas: &[usize], view: u64| replicas.iter().map(|it| bare(&net, *it, view)).collect::<Vec<_>>();
    let refusal = |changes: Vec<_>| check(&net, 2, begin(new_view(&net, 2, &changes, None)));
    assert_eq!(refusal(of(&[0, 1, 2], 2)), Ok(()));
    let few = |have: usize| Err(Rejection::Crypto(CryptoError::TooFewSigners { have, need: 3 }));
    assert_eq!(refusal(vec![]), few(0));
    assert_eq!(refusal(of(&[0, 1], 2)), few(2));
    let twice = Err(Rejection::Malformed("a new-view with view-changes out of order or of one replica twice"));
    assert_eq!(refusal(of(&[0, 1, 1], 2)), twice);
    assert_eq!(refusal(of(&[0, 1, 1, 2], 2)), twice);
    assert_eq!(refusal(of(&[1, 0, 2], 2)), twice);
    let foreign = Err(Rejection::Malformed("a new-view with a view-change for another view"));
    assert_eq!(refusal([of(&[0, 1], 2), of(&[2], 3)].concat()), foreign);
    assert_eq!(refusal(of(&[0, 1, 2], 1)), foreign, "all of them stale");
    let mut forged = of(&[0, 1, 2], 2);
    forged[1].attestation = forged[0].attestation.clone();
    assert_eq!(refusal(forged), Err(CryptoError::BadSignature(id(1)).into()));
    let mut inside = of(&[0, 1, 2], 2);
    inside[0] = change(&net, 0, 2, genesis_stable(&net), Some(prepared(&net, 2, &chain(&net, 1, 1)[0])));
    assert!(matches!(refusal(inside), Err(Rejection::Malformed(_))), "a certificate not of an earlier view");
}

#[test]
fn check_10_base_and_tip_are_recomputed_by_every_receiver() {
    let net = Net::with_checkpoints(4, 1);
    let blocks = chain(&net, 1, 2);
    let later = block(&net, &net.genesis, 2, &[batch(9)]);
    let none = genesis_stable(&net);
    let with = |replica, certificate| change(&net, replica, 3, none.clone(), certificate);
    // Of view 2 at height 1, and of view 1 at height 2: the later view wins.
    let changes =
        [with(0, Some(prepared(&net, 1, &blocks[1]))), with(1, Some(prepared(&net, 2, &later))), with(2, None)];
    let mut good = node(&net, 0);
    hear(&net, &mut good, 3, begin(new_view(&net, 3, &changes, Some(&later))));
    assert_eq!((good.view(), good.phase, good.start), (View(3), Phase::Active, Height(1)));

    let bare_changes: Vec<_> = (0..3).map(|replica| bare(&net, replica, 3)).collect();
    let above = [change(&net, 0, 3, stable(&net, &blocks[0].header), None), changes[1].clone(), changes[2].clone()];
    let wrong = [
        ("omits the tip", new_view(&net, 3, &changes, None)),
        ("another block of lower rank", new_view(&net, 3, &changes, Some(&blocks[1]))),
        ("another block", new_view(&net, 3, &changes, Some(&block(&net, &net.genesis, 1, &[])))),
        ("a tip from nothing", new_view(&net, 3, &bare_changes, Some(&blocks[0]))),
        ("a tip not above the base", new_view(&net, 3, &above, Some(&later))),
    ];
    for (what, bad) in wrong {
        let mut node = node(&net, 0);
        node.change_view(View(3), &mut Step::default());
        let heard = hear(&net, &mut node, 3, begin(bad));
        assert_eq!(heard.reason, Some(Ignored::Equivocation), "{what}");
        assert!(heard.accuses(3), "{what}");
        assert_eq!((node.view(), node.phase), (View(4), Phase::Changing), "{what}: on to the next view");
        assert!(!heard.says("prepare"), "{what}");
    }
}

#[test]
fn check_11_one_new_view_a_view_and_none_below_the_own() {
    let net = Net::new(4);
    let changes: Vec<_> = (0..4).map(|replica| bare(&net, replica, 2)).collect();
    let mut node = node(&net, 0);
    hear(&net, &mut node, 2, begin(new_view(&net, 2, &changes[..3], None)));
    let same = hear(&net, &mut node, 3, begin(new_view(&net, 2, &changes[..3], None)));
    assert_eq!((same.reason, same.accuses(2)), (Some(Ignored::Duplicate), false));
    let entry = node.entry.clone();
    let second = hear(&net, &mut node, 2, begin(new_view(&net, 2, &changes[1..], None)));
    assert_eq!((second.reason, second.accuses(2)), (Some(Ignored::Equivocation), true));
    assert_eq!(node.entry, entry, "the first one counts");

    let third: Vec<_> = (0..3).map(|replica| bare(&net, replica, 3)).collect();
    node.change_view(View(4), &mut Step::default());
    let late = hear(&net, &mut node, 3, begin(new_view(&net, 3, &third, None)));
    assert_eq!((late.reason, node.view()), (Some(Ignored::StaleView), View(4)));
}

#[test]
fn check_12_a_new_view_is_in_the_journal_before_anything_is_signed_in_it() {
    let net = Net::new(4);
    let blocks = chain(&net, 1, 1);
    let mut node = node(&net, 0);
    prepare_all(&net, &mut node, &blocks);
    let certificate = prepared(&net, 1, &blocks[0]);
    let changes: Vec<_> =
        (0..3).map(|replica| change(&net, replica, 2, genesis_stable(&net), Some(certificate.clone()))).collect();
    let heard = hear(&net, &mut node, 2, begin(new_view(&net, 2, &changes, Some(&blocks[0]))));
    assert!(heard.says("prepare"), "it signs at once: it holds the body");
    let at = |is: &dyn Fn(&Record<S>) -> bool| heard.records.iter().position(is);
    let entered = at(&|record| matches!(record, Record::NewView(new_view) if new_view.view == View(2)));
    let signed = at(&|record| matches!(record, Record::Promise(promise) if promise.view == View(2)));
    assert!(entered.is_some() && entered < signed, "{entered:?} {signed:?}");

    let mut again = Node::recover(net.config(0), heard.records.clone());
    assert_eq!((again.view(), again.phase, again.entry.is_some()), (View(2), Phase::Active, true));
    let second: Vec<_> = (1..4).map(|replica| bare(&net, replica, 2)).collect();
    let refused = hear(&net, &mut again, 2, begin(new_view(&net, 2, &second, None)));
    assert_eq!((refused.reason, refused.accuses(2)), (Some(Ignored::Equivocation), true));
}

#[test]
fn check_13_nothing_is_signed_below_the_tip_of_a_view_or_at_its_base() {
    let net = Net::with_checkpoints(4, 4);
    let blocks = chain(&net, 1, 6);
    let mut node = node(&net, 0);
    prepare_all(&net, &mut node, &blocks[..2]);
    let tip = prepared(&net, 1, &blocks[1]);
    let with_tip = |replica| change(&net, replica, 2, genesis_stable(&net), Some(tip.clone()));
    let changes: Vec<_> = (1..4).map(with_tip).collect();
    hear(&net, &mut node, 2, begin(new_view(&net, 2, &changes, Some(&blocks[1]))));
    assert_eq!(node.start, Height(2));
    refuses(&net, &mut node, 2, &blocks[0]);

    let mut node = super::craft::node(&net, 0);
    let based = |replica| change(&net, replica, 2, stable(&net, &blocks[3].header), None);
    let changes: Vec<_> = (1..4).map(based).collect();
    hear(&net, &mut node, 2, begin(new_view(&net, 2, &changes, None)));
    assert_eq!(node.start, Height(5));
    refuses(&net, &mut node, 2, &blocks[3]);
    refuses(&net, &mut node, 2, &blocks[0]);
}

/// Neither a proposal nor votes for the block make a replica say anything.
fn refuses(net: &Net, node: &mut Node, view: u64, block: &quorate_types::Block) {
    let ballot = Ballot::of(View(view), &block.header);
    let said = [
        hear(net, node, primary(net, view), propose(net, view, block)),
        hear(net, node, 1, prepare(net, 1, ballot)),
        hear(net, node, 3, prepare(net, 3, ballot)),
        hear(net, node, 3, commit(net, 3, ballot)),
    ];
    for heard in said {
        assert_eq!(heard.reason, Some(Ignored::OutsideWindow));
        assert!(!heard.says("prepare") && !heard.says("commit"));
    }
    assert!(node.log.get(ballot.height).is_none(), "nothing is kept for that height");
}

#[test]
fn check_14_the_tip_is_prepared_again_only_with_its_body_and_all_ancestors_executed() {
    let net = Net::new(4);
    let blocks = chain(&net, 1, 2);
    let tip = prepared(&net, 1, &blocks[1]);
    let changes: Vec<_> =
        (1..4).map(|replica| change(&net, replica, 2, genesis_stable(&net), Some(tip.clone()))).collect();
    let mut node = node(&net, 0);
    let heard = hear(&net, &mut node, 2, begin(new_view(&net, 2, &changes, Some(&blocks[1]))));
    assert!(!heard.says("prepare"), "the block below is not here");
    assert!(heard.said().contains(&&Message::AskBlock(blocks[0].digest())));
    let ancestor = BoundedVec::new(vec![blocks[0].clone()]).expect("one");
    let heard = hear(&net, &mut node, 2, Message::Blocks { wanted: blocks[0].digest(), blocks: ancestor });
    assert!(!heard.says("prepare"), "neither is executed");
    let steps = execute(&mut node, &blocks);
    assert!(!steps[0].says("prepare"), "the tip is not executed");
    assert!(steps[1].says("prepare"));
}

#[test]
fn check_15_after_a_view_change_nothing_is_signed_for_the_views_below() {
    let net = Net::new(4);
    let blocks = chain(&net, 1, 1);
    let ballot = Ballot::of(View(1), &blocks[0].header);
    let mut node = node(&net, 0);
    let mut step = Step::default();
    node.change_view(View(2), &mut step);
    let mut journal = crate::test_net::Memory(vec![]);
    let Ok(_) = step.release(&mut journal);
    for mut node in [node, Node::recover(net.config(0), journal.0)] {
        // It learns what the others decide, and says nothing.
        let quiet = |heard: &Heard| !heard.says("prepare") && !heard.says("commit");
        assert!(quiet(&hear(&net, &mut node, 1, propose(&net, 1, &blocks[0]))));
        assert!(execute(&mut node, &blocks).iter().all(quiet));
        for voter in 1..4 {
            assert!(quiet(&hear(&net, &mut node, voter, prepare(&net, voter, ballot))));
            assert!(quiet(&hear(&net, &mut node, voter, commit(&net, voter, ballot))));
        }
        assert_eq!(node.root(), Height(1));
        let refusal = node.safety.sign(&Prepare(ballot), &mut Step::<Msg, Record<S>>::default());
        assert_eq!(refusal, Err(crate::Refusal::ViewClosed { open: View(2) }));
    }
}

#[test]
fn check_16_the_highest_prepared_certificate_survives_every_checkpoint() {
    let net = Net::with_checkpoints(4, 1);
    let blocks = chain(&net, 1, 2);
    let mut node = node(&net, 0);
    prepare_all(&net, &mut node, &blocks[..1]);
    let certificate = node.prepared.clone().expect("prepared");
    for voter in 0..4 {
        hear(&net, &mut node, voter, commit(&net, voter, Ballot::of(View(1), &blocks[0].header)));
    }
    for voter in 1..4 {
        let due = crate::pbft::Checkpoint::of(&blocks[0].header);
        hear(&net, &mut node, voter, checkpoint(&net, voter, due));
    }
    assert_eq!(node.low.checkpoint.height, Height(1), "the checkpoint is stable");
    assert_eq!(node.prepared.as_ref(), Some(&certificate));
    let mut again = Node::recover(net.config(0), node.snapshot());
    assert_eq!(again.prepared.as_ref(), Some(&certificate), "a rotated journal keeps it");
    for node in [&mut node, &mut again] {
        node.change_view(View(2), &mut Step::default());
        let change = node.last_change.as_ref().expect("said");
        assert_eq!(change.prepared.as_ref(), Some(&certificate));
    }
}
