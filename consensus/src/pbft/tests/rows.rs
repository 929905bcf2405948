//! The project's list of scenarios, as far as it concerns PBFT and stands nowhere else in these tests: `acceptance_n` is row n of
//! what the software is accepted by, `row_n` row n of the bugs that real systems had.
//!
//! Of the latter, rows 2 and 3 are checks 2 and 10, row 9 is check 6 too, and these cannot occur: 20 (there are no read-only
//! requests), 21 (nothing is speculative), 22 (signatures, no authenticators), 48 (a replica is made from its whole journal before
//! it hears anything).

use super::{
    craft::*,
    net::{BASE, Net, Node, batch, id},
    puppet::{Puppet, publish},
};
use crate::{
    Event, Ignored, Protocol, Rejection, Replica, Slot, Step, Timer,
    pbft::{Ballot, Checkpoint, Commit, Message, Phase, PreparedCertificate, Record, Vote, early::Early},
};
use quorate_crypto::CryptoError;
use quorate_types::{Digest, Height, View};
use std::{cell::RefCell, collections::BTreeSet, rc::Rc, time::Duration};

const MS: Duration = Duration::from_millis(1);

fn at(view: u64, height: u64) -> Ballot {
    Ballot { view: View(view), height: Height(height), block: Digest([7; 32]) }
}

#[test]
fn acceptance_3_and_row_15_nothing_above_a_gap_is_accepted_and_commits_out_of_order_are_final_in_order() {
    let net = Net::new(4);
    let blocks = chain(&net, 1, 3);
    let mut node = node(&net, 0);
    for block in [&blocks[2], &blocks[1]] {
        let heard = hear(&net, &mut node, 1, propose(&net, 1, block));
        assert!(heard.requests.iter().all(|request| !matches!(request, crate::Request::Execute { .. })));
        assert_eq!(node.log.accepted(block.header.height), None);
        for voter in [1, 2, 3] {
            let ballot = Ballot::of(View(1), &block.header);
            hear(&net, &mut node, voter, commit(&net, voter, ballot));
        }
        assert_eq!(node.root(), Height(0), "proven final, and waits for what is below");
    }
    hear(&net, &mut node, 1, propose(&net, 1, &blocks[0]));
    let steps = execute(&mut node, &blocks);
    let finals: Vec<_> = steps.iter().flat_map(|step| &step.actions).collect();
    let last = finals
        .iter()
        .rev()
        .find_map(|it| if let crate::Action::Commit { block, .. } = it { Some(*block) } else { None });
    assert_eq!((node.root(), last), (Height(3), Some(blocks[2].digest())));
}

#[test]
fn acceptance_5_and_rows_12_16_heights_and_views_at_the_ends_of_their_range_are_ignored_and_kept_nowhere() {
    let net = Net::with_checkpoints(4, 4);
    let mut node = node(&net, 0);
    let before = node.clone();
    for height in [9, 65, 1 << 40, u64::MAX - 1, u64::MAX] {
        for message in [prepare(&net, 3, at(1, height)), commit(&net, 3, at(1, height))] {
            assert_eq!(hear(&net, &mut node, 3, message).reason, Some(Ignored::OutsideWindow));
        }
        let due = Checkpoint {
            height: Height(height / 4 * 4 + if height < 99 { 4 } else { 0 }),
            block: Digest([7; 32]),
            state_root: Digest::ZERO,
        };
        assert_eq!(hear(&net, &mut node, 3, checkpoint(&net, 3, due)).reason, Some(Ignored::OutsideWindow));
        let mut far = block(&net, &net.genesis, 1, &[]);
        far.header.height = Height(height);
        assert_eq!(hear(&net, &mut node, 1, propose(&net, 1, &far)).reason, Some(Ignored::OutsideWindow));
        let bomb: PreparedCertificate<_> = certify(&net, crate::pbft::Prepare(at(1, height)), &[0, 1, 2]);
        let heard = hear(&net, &mut node, 3, leave(change(&net, 3, 2, genesis_stable(&net), Some(bomb))));
        assert!(!heard.says("new_view"));
    }
    assert_eq!((node.log.heights(), &node.changes, &node.checkpoints), (vec![], &before.changes, &before.checkpoints));
    for view in [1 << 20, u64::MAX - 1, u64::MAX] {
        assert_eq!(hear(&net, &mut node, 3, prepare(&net, 3, at(view, 1))).reason, Some(Ignored::FutureView));
        hear(&net, &mut node, 3, leave(bare(&net, 3, view)));
    }
    assert_eq!((node.view(), node.phase), (View(1), Phase::Active), "one replica moves nobody");
}

#[test]
fn acceptance_11_and_rows_9_66_one_that_leaves_for_a_million_views_moves_nobody_and_is_kept_once() {
    let net = Net::new(4);
    let mut node = node(&net, 0);
    for view in (2..1_000_000).step_by(997) {
        hear(&net, &mut node, 3, leave(bare(&net, 3, view)));
        hear(&net, &mut node, 3, prepare(&net, 3, at(view, 1)));
    }
    assert_eq!((node.view(), node.changes.len()), (View(1), 1));
    let mut early: Early<_> = node.early.clone();
    let kept: usize = (2..1_000_000).step_by(997).map(|view| early.take(View(view)).len()).sum();
    assert!(kept <= 64, "{kept} messages of one sender");
    // The second of them is honest: the f+1-th greatest view is its own.
    hear(&net, &mut node, 2, leave(bare(&net, 2, 5)));
    assert_eq!(node.view(), View(5));
}

#[test]
fn acceptance_12_and_row_17_after_a_long_partition_with_every_message_lost_the_net_commits_soon() {
    let mut net = Net::new(4);
    net.submit(1);
    net.filter = Box::new(|_, _, _| false);
    net.run(BASE * 3000);
    let views: BTreeSet<_> = (0..4).map(|index| net.node(index).view()).collect();
    assert_eq!(views, BTreeSet::from([View(2)]), "alone nobody goes further than one view");
    net.filter = Box::new(|_, _, _| true);
    net.run(BASE * 5);
    assert_eq!([0, 1, 2, 3].map(|index| net.count_batches(index)), [1; 4], "what was said is said again");
    net.assert_agreement();
}

#[test]
fn row_24_a_hundred_thousand_faulty_primaries_cost_no_stack_and_the_back_off_is_capped() {
    let net = Net::new(4);
    let mut node = node(&net, 0);
    handle(&mut node, Event::BatchReady(batch(1)));
    node.change_view(View(2), &mut Step::default());
    for view in 2..2_000 {
        // Our own turn to lead would end the series: the others are faster then.
        let theirs = if view % 4 == 0 { view + 1 } else { view };
        for other in [1, 3] {
            hear(&net, &mut node, other, leave(bare(&net, other, theirs)));
        }
        handle(&mut node, Event::TimedOut(Timer::View(View(view))));
        assert_eq!(node.view(), View(view + 1));
    }
    assert_eq!(node.pacemaker.view_duration(), BASE * 4);
    hear(&net, &mut node, 1, leave(bare(&net, 1, 100_000)));
    hear(&net, &mut node, 3, leave(bare(&net, 3, 100_000)));
    assert_eq!(node.view(), View(100_000), "in one step");
}

#[test]
fn acceptance_16_a_checkpoint_is_stable_only_with_a_quorum_of_equal_votes() {
    let net = Net::with_checkpoints(4, 1);
    let header = block(&net, &net.genesis, 1, &[]).header;
    let good = Checkpoint::of(&header);
    let bad = Checkpoint { state_root: Digest([1; 32]), ..good };
    let mut node = node(&net, 0);
    hear(&net, &mut node, 1, checkpoint(&net, 1, good));
    hear(&net, &mut node, 2, checkpoint(&net, 2, good));
    assert_eq!(hear(&net, &mut node, 3, checkpoint(&net, 3, bad)).reason, None, "counted, for itself");
    assert_eq!(node.low.checkpoint.height, Height(0), "two and one are no quorum");
    let second = hear(&net, &mut node, 3, checkpoint(&net, 3, good));
    assert_eq!((second.reason, second.accuses(3)), (Some(Ignored::Equivocation), true));
    assert_eq!(node.low.checkpoint.height, Height(0), "and it has voted already");
    node.on_checkpoint(Vote { statement: good, voter: id(0), signature: sign(&net, 0, &good) }, &mut Step::default());
    assert_eq!(node.low.checkpoint, good);
}

#[test]
fn row_1_what_one_replica_committed_is_proposed_again_under_its_old_digest() {
    let mut net = Net::new(4);
    net.filter = Box::new(|from, to, message| {
        from != id(0) && (to == id(0) || !matches!(message, Message::Commit(vote) if vote.statement.0.view == View(1)))
    });
    net.submit(1);
    net.run(MS * 10);
    // Replica 0 heard three COMMITs and is never heard itself.
    let first = net.committed[0].clone();
    assert_eq!(first.len(), 1);
    net.crash(1);
    net.filter = Box::new(|_, _, message| !matches!(message, Message::Certificates(it) if it.committed.is_some()));
    net.submit(2);
    net.run(BASE * 12);
    net.assert_agreement();
    assert!([2, 3].iter().all(|index| net.committed[*index].starts_with(&first)));
    assert_eq!(net.count_batches(2), 2);
}

#[test]
fn row_7_a_view_change_with_a_bad_certificate_hides_nothing_in_the_others() {
    let net = Net::new(4);
    let blocks = chain(&net, 1, 1);
    let mut primary = node(&net, 2);
    prepare_all(&net, &mut primary, &blocks);
    primary.change_view(View(2), &mut Step::default());
    let mut bad = change(&net, 3, 2, genesis_stable(&net), Some(prepared(&net, 1, &blocks[0])));
    if let Some(certificate) = &mut bad.prepared {
        certificate.statement = crate::pbft::Prepare(at(1, 1));
    }
    let bad = change(&net, 3, 2, bad.checkpoint, bad.prepared);
    assert_eq!(check(&net, 3, leave(bad)), Err(CryptoError::BadSignature(id(0)).into()), "that message only");
    hear(&net, &mut primary, 0, leave(bare(&net, 0, 2)));
    let heard = hear(&net, &mut primary, 1, leave(bare(&net, 1, 2)));
    assert!(heard.says("new_view"));
    let tip = primary.entry.as_ref().and_then(|entry| entry.tip.clone());
    assert_eq!(tip.map(|tip| tip.block), Some(blocks[0].clone()));
}

#[test]
fn row_8_view_changes_of_one_sender_make_no_quorum_at_the_primary() {
    let net = Net::new(4);
    let mut primary = node(&net, 2);
    primary.change_view(View(2), &mut Step::default());
    for prepared in [None, Some(prepared(&net, 1, &chain(&net, 1, 1)[0]))] {
        for _ in 0..3 {
            let heard = hear(&net, &mut primary, 3, leave(change(&net, 3, 2, genesis_stable(&net), prepared.clone())));
            assert!(!heard.says("new_view"));
        }
    }
    assert_eq!((primary.changes_for_view().len(), primary.phase), (2, Phase::Changing));
    assert!(hear(&net, &mut primary, 0, leave(bare(&net, 0, 2))).says("new_view"), "the third of them");
}

#[test]
fn row_10_the_primarys_own_prepare_counts_once() {
    let net = Net::new(4);
    let blocks = chain(&net, 1, 1);
    let ballot = Ballot::of(View(1), &blocks[0].header);
    let mut node = node(&net, 0);
    hear(&net, &mut node, 1, propose(&net, 1, &blocks[0]));
    assert_eq!(hear(&net, &mut node, 1, prepare(&net, 1, ballot)).reason, Some(Ignored::Duplicate));
    execute(&mut node, &blocks);
    assert_eq!(node.prepared, None, "the primary and ourselves are two");
    assert!(hear(&net, &mut node, 3, prepare(&net, 3, ballot)).says("commit"), "with a third it is prepared");
}

#[test]
fn a_prepare_waits_until_the_height_below_is_prepared_in_the_same_view() {
    let net = Net::new(4);
    let blocks = chain(&net, 1, 2);
    let mut node = node(&net, 0);
    for block in &blocks {
        hear(&net, &mut node, 1, propose(&net, 1, block));
    }
    let below = &execute(&mut node, &blocks)[1];
    assert!(!below.says("prepare"), "height 1 is executed, not prepared");
    let [first, second] = [&blocks[0], &blocks[1]].map(|block| Ballot::of(View(1), &block.header));
    let heard = hear(&net, &mut node, 3, prepare(&net, 3, first));
    assert!(heard.said().contains(&&prepare(&net, 0, second)), "now it is: {:?}", heard.said());
}

#[test]
fn row_13_a_prepare_does_not_pass_for_a_commit_nor_for_anything_else() {
    let net = Net::new(4);
    let ballot = at(1, 1);
    let signature = sign(&net, 3, &crate::pbft::Prepare(ballot));
    let replayed = Message::Commit(Vote { statement: Commit(ballot), voter: id(3), signature: signature.clone() });
    let bad = Err(Rejection::Crypto(CryptoError::BadSignature(id(3))));
    assert_eq!(check(&net, 3, replayed), bad);
    let own = sign(&net, 3, &Commit(ballot));
    let back = Message::Prepare(Vote { statement: crate::pbft::Prepare(ballot), voter: id(3), signature: own });
    assert_eq!(check(&net, 3, back), bad);
    let quorum = certify(&net, crate::pbft::Prepare(ballot), &[0, 1, 2]);
    let forged = quorate_crypto::Certificate { statement: Commit(ballot), proof: quorum.proof };
    assert!(forged.verify(&net.scheme).is_err(), "nor does a certificate");
}

#[test]
fn row_14_what_a_proposal_says_outside_must_be_what_its_block_says_inside() {
    let net = Net::new(4);
    let good = chain(&net, 1, 1).remove(0);
    assert_eq!(check(&net, 1, propose(&net, 1, &good)), Ok(()));
    let mut later = good.clone();
    later.header.view = View(5);
    later.header.proposer = id(1);
    let of_later = "a block of a view later than the one that it is proposed in";
    assert_eq!(check(&net, 1, propose(&net, 1, &later)), Err(Rejection::Malformed(of_later)));
    let mut anothers = good.clone();
    anothers.header.proposer = id(2);
    let not_primary = "a block whose proposer is not the primary of its view";
    assert_eq!(check(&net, 1, propose(&net, 1, &anothers)), Err(Rejection::Malformed(not_primary)));
    let mut swapped = good.clone();
    swapped.payload = quorate_types::BoundedVec::new(vec![batch(9)]).expect("one");
    let payload = "a block whose payload is not the one in its header";
    assert_eq!(check(&net, 1, propose(&net, 1, &swapped)), Err(Rejection::Malformed(payload)));

    let mut node = node(&net, 0);
    let heard = hear(&net, &mut node, 1, propose(&net, 5, &block(&net, &net.genesis, 5, &[])));
    assert_eq!(heard.reason, Some(Ignored::FutureView));
    assert_eq!(node.log.accepted(Height(1)), None, "it is not handled under the present view");
}

#[test]
fn row_23_nothing_but_a_new_view_sets_the_view() {
    let net = Net::new(4);
    let mut node = node(&net, 0);
    let mut last = certify(&net, Commit(at(9, 1)), &[1, 2, 3]);
    last.statement = Commit(at(9, 1));
    let claim = crate::pbft::Standing { view: View(9), committed: Height(9), block: Digest::ZERO, low: Height(8) };
    hear(&net, &mut node, 3, Message::AskCertificates(claim));
    let changes = quorate_types::BoundedVec::new((1..4).map(|it| bare(&net, it, 9)).collect()).expect("few");
    let news =
        crate::pbft::Certificates { new_view: None, committed: Some(last), checkpoint: None, is_whole: true, changes };
    hear(&net, &mut node, 3, Message::Certificates(Box::new(news)));
    assert_eq!((node.view(), node.phase), (View(1), Phase::Active));
}

/// Every replica in turn crashes at any moment and comes back: never two different votes for one slot, and the same ones again.
#[test]
fn acceptance_27_and_row_46_no_crash_makes_a_replica_contradict_itself() {
    let mut net = Net::with_checkpoints(4, 4);
    let said = Rc::new(RefCell::new(BTreeSet::new()));
    let copy = said.clone();
    let committee = net.keys.committee().clone();
    net.filter = Box::new(move |from, _, message| {
        for (signer, promise) in Node::promises_in(message, &committee) {
            if signer == from {
                copy.borrow_mut().insert((signer, promise.slot, promise.view, promise.height, promise.statement));
            }
        }
        true
    });
    for round in 0..200u64 {
        net.submit(u8::try_from(round % 100 + 1).expect("small"));
        net.run(Duration::from_micros(700 * (round % 9)));
        let victim = usize::try_from(round % 4).expect("small");
        net.crash(victim);
        net.start(victim);
    }
    net.run(BASE * 40);
    net.assert_agreement();
    let said = said.borrow();
    let slots: BTreeSet<_> =
        said.iter().map(|(signer, slot, view, height, _)| (*signer, *slot, *view, *height)).collect();
    assert_eq!(slots.len(), said.len(), "a second statement in a slot");
    assert!(slots.iter().filter(|(_, slot, ..)| *slot == Slot::Commit).count() > 100);
    assert!(net.accused.is_empty());
}

#[test]
fn row_47_after_a_crash_the_same_votes_leave_again() {
    let mut net = Net::new(4);
    net.filter = Box::new(|from, _, _| from != id(3));
    net.submit(1);
    net.run(MS * 2);
    let promised = |net: &Net| {
        let records = net.journals[3].0.iter();
        records.filter(|it| matches!(it, Record::Promise(_))).count()
    };
    let before = promised(&net);
    assert!(before > 0, "it has voted, and nobody heard it");
    net.crash(3);
    let again: Rc<RefCell<Vec<_>>> = Rc::default();
    let copy = again.clone();
    net.filter = Box::new(move |from, _, message| {
        if from == id(3) && matches!(message, Message::Prepare(_) | Message::Commit(_)) {
            copy.borrow_mut().push(message.clone());
        }
        true
    });
    net.start(3);
    let ballot = Ballot::of(View(1), &net.blocks.values().next().expect("one").header);
    assert!(again.borrow().contains(&prepare(&net, 3, ballot)), "the same bytes: {:?}", again.borrow());
}

/// And what the first one says when it is late changes nothing.
#[test]
fn row_18_a_silent_primary_is_replaced_and_so_is_the_next() {
    let mut net = Net::new(7);
    let d = Puppet::replace(&mut net, 1);
    net.crash(2);
    net.submit(1);
    net.run(BASE * 6);
    net.assert_agreement();
    for index in [0, 3, 4, 5, 6] {
        assert_eq!((net.count_batches(index), net.node(index).view()), (1, View(3)), "replica {index}");
    }
    let late = block(&net, &net.genesis, 1, &[batch(9)]);
    publish(&mut net, &late);
    d.tell(&mut net, &[0, 3, 4, 5, 6], |net| propose(net, 1, &late));
    d.support(&mut net, &[0, 3, 4, 5, 6], 1, &late);
    net.run(BASE * 2);
    net.assert_agreement();
    assert_eq!(net.committed[0].len(), 1);
}
