//! The holes of earlier drafts of the protocol (P1 to P9), each by the trace that showed it. Undo its cure, and the test fails.

use super::{
    craft::*,
    net::{BASE, Msg, Net, Node, S, batch, id},
    puppet::Puppet,
};
use crate::{
    Event, Promised, Protocol, Replica, Request, Timer,
    pbft::{Ballot, Message, Phase, Record},
    test_net::Due,
};
use quorate_types::{Digest, Height, View};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    rc::Rc,
    time::Duration,
};

const MS: Duration = Duration::from_millis(1);

fn view_of(message: &Msg) -> Option<View> {
    match message {
        Message::PrePrepare(said) => Some(said.view),
        Message::Prepare(vote) => Some(vote.statement.0.view),
        Message::Commit(vote) => Some(vote.statement.0.view),
        _ => None,
    }
}

/// Everybody's ledger starts like this, and everybody has committed so many batches.
fn assert_all(net: &Net, who: &[usize], start: &[Digest], batches: usize) {
    net.assert_agreement();
    assert!(net.halted.is_empty(), "a replica stopped: {:?}", net.halted);
    for index in who {
        assert!(net.committed[*index].starts_with(start), "replica {index}");
        let committed = net.committed[*index].iter().flat_map(|digest| net.blocks[digest].payload.iter());
        let distinct: BTreeSet<_> = committed.collect();
        assert_eq!(distinct.len(), batches, "replica {index}, in {}", net.node(*index).view());
    }
}

/// Nobody is Byzantine. Replica 0 alone commits two heights of view 1, and is cut off. View 2 is interrupted when replica 3 has heard
/// of PREPAREs for the lower height at most. View 3 must start from the higher one.
#[test]
fn p1_a_height_below_the_tip_never_outranks_a_committed_one() {
    let mut net = Net::new(4);
    let stage = Rc::new(Cell::new(1));
    let now = stage.clone();
    net.filter = Box::new(move |from, to, message| match now.get() {
        1 => !matches!(message, Message::Commit(_)) || to == id(0),
        2 => {
            let is_cut = from == id(0) || to == id(0);
            let is_lost = match message {
                Message::Prepare(vote) if vote.statement.0.view == View(2) => {
                    vote.statement.0.height > Height(1) || to != id(3)
                }
                Message::Commit(_) => true,
                _ => false,
            };
            !is_cut && !is_lost
        }
        _ => true,
    });
    net.submit(1);
    net.submit(2);
    net.run(BASE / 4);
    let first = net.committed[0].clone();
    assert_eq!(first.len(), 2, "two heights, committed here alone");
    assert!((1..4).all(|index| net.committed[index].is_empty()));
    stage.set(2);
    while (1..4).any(|index| net.node(index).view() < View(3) || !net.node(index).is_active()) {
        net.run(MS);
    }
    net.submit(3);
    net.run(BASE * 3);
    stage.set(3);
    net.run(BASE * 20);
    assert_all(&net, &[0, 1, 2, 3], &first, 3);
}

/// B alone holds the certificate of an abandoned branch at height 2. The others commit another block at height 1 in view 2, and make
/// it a checkpoint. What they had prepared must still outrank B's, or no later view has a tip that stands on its base.
#[test]
fn p2_a_pruned_certificate_does_not_let_an_abandoned_branch_back_in() {
    const B: usize = 0;
    let mut net = Net::with_checkpoints(4, 1);
    let d = Puppet::replace(&mut net, 3);
    d.lose(|from, to, message| {
        let is_heard = matches!(message, Message::PrePrepare(_)) && to == id(B);
        from == id(B) || to == id(2) || !is_heard
    });
    net.submit(1);
    net.submit(2);
    net.run(MS * 10);
    let branch = d.proposals(1);
    assert_eq!(branch.len(), 2);
    branch.iter().for_each(|block| d.support(&mut net, &[B], 1, block));
    net.run(MS);
    branch.iter().for_each(|block| d.support(&mut net, &[B], 1, block));
    let held = net.node(B).prepared.as_ref().map(|it| (it.statement.0.view, it.statement.0.height));
    assert_eq!(held, Some((View(1), Height(2))), "B holds the branch");

    d.lose(|from, to, _| from == id(B) || to == id(B));
    for _ in 0..300 {
        net.run(MS);
        if net.node(2).view() == View(2) && net.node(2).phase == Phase::Changing {
            d.tell(&mut net, &[2], |net| leave(bare(net, 3, 2)));
        }
        d.proposals(2).iter().for_each(|block| d.support(&mut net, &[1, 2], 2, block));
        for (_, due) in d.checkpoints() {
            d.tell(&mut net, &[1, 2], |net| checkpoint(net, 3, due));
        }
    }
    for index in [1, 2] {
        assert_eq!(net.node(index).low.checkpoint.height, Height(1), "a checkpoint of another block");
    }
    let chain = net.committed[1].clone();
    assert_ne!(chain[0], branch[0].digest());
    // View 2 ends, and D leads view 3: in view 4 B must begin from what it and the two others show.
    d.lose(|from, _, message| from == id(2) && view_of(message) == Some(View(2)));
    net.submit(3);
    net.run(BASE * 30);
    assert_all(&net, &[0, 1, 2], &chain, 3);
}

/// The Byzantine primary of view 2 begins it twice, from different evidence. Replica 1 hears both, and may act on one only.
fn two_new_views(restarts: bool) {
    const D: usize = 2;
    let mut net = Net::new(4);
    let d = Puppet::replace(&mut net, D);
    // Replica 0 learns of height 1 that it is prepared; nobody else does.
    d.lose(|from, to, message| !matches!(message, Message::PrePrepare(_)) || from != id(1) || to == id(3));
    net.submit(1);
    net.submit(2);
    net.run(MS * 10);
    let branch = d.proposals(1);
    let vote = prepare(&net, D, Ballot::of(View(1), &branch[0].header));
    d.tell(&mut net, &[0], |_| vote);
    net.run(BASE);
    let mut changes = d.changes(2);
    assert!(changes.len() >= 2, "{changes:?}");
    let hidden = certify(&net, crate::pbft::Prepare(Ballot::of(View(1), &branch[1].header)), &[0, 1, D]);
    changes.retain(|replica, _| [1, 3].contains(replica));
    let with = |own| {
        let mut all = changes.clone();
        all.insert(D, own);
        all.into_values().collect::<Vec<_>>()
    };
    let tip = begin(new_view(&net, 2, &with(change(&net, D, 2, genesis_stable(&net), Some(hidden))), Some(&branch[1])));
    let bare = begin(new_view(&net, 2, &with(bare(&net, D, 2)), None));

    // Replicas 1 and 3 start from the tip; 3 alone hears that it is committed.
    d.lose(|from, to, message| {
        from == id(0)
            || to == id(0)
            || (to == id(1) && matches!(message, Message::Commit(_) | Message::Certificates(_)))
    });
    d.tell(&mut net, &[1, 3], |_| tip);
    let below = quorate_types::BoundedVec::new(vec![branch[0].clone()]).expect("one");
    d.tell(&mut net, &[3], |_| Message::Blocks { wanted: branch[0].digest(), blocks: below });
    net.run(MS * 10);
    d.support(&mut net, &[1, 3], 2, &branch[1]);
    net.run(MS * 10);
    assert_eq!(net.committed[3], [branch[0].digest(), branch[1].digest()]);
    assert!(net.committed[1].is_empty());
    if restarts {
        net.crash(1);
        net.start(1);
    }
    // Replicas 0 and 1 hear of the other beginning, and of a block that contradicts the committed ones.
    d.lose(|from, to, _| from == id(3) || to == id(3));
    d.tell(&mut net, &[0, 1], |_| bare);
    let fork = block(&net, &net.genesis, 2, &[batch(9)]);
    super::puppet::publish(&mut net, &fork);
    d.tell(&mut net, &[0, 1], |net| propose(net, 2, &fork));
    net.run(MS * 3);
    d.support(&mut net, &[0, 1], 2, &fork);
    net.run(MS * 10);
    assert!(net.committed[0].is_empty(), "one replica beside D voted for it");
    net.assert_agreement();
    assert!(net.accused.contains(&id(D)), "two beginnings of one view");
    d.lose_nothing();
    for index in [0, 1, 3] {
        [1, 2].iter().for_each(|name| net.offer(index, *name));
    }
    net.run(BASE * 30);
    assert_all(&net, &[0, 1, 3], &[branch[0].digest(), branch[1].digest()], 2);
}

#[test]
fn p3_of_two_new_views_a_restarted_replica_acts_on_the_first_only() {
    two_new_views(true);
}

#[test]
fn p3_of_two_new_views_a_replica_acts_on_the_first_only() {
    two_new_views(false);
}

/// Replica 0 commits on the COMMITs of 1 and 2 and vanishes; those two crash. Their VIEW-CHANGEs must still show why they said
/// COMMIT, and the body must be there.
#[test]
fn p4_a_commit_is_in_the_journal_with_its_certificate_and_its_body() {
    let mut net = Net::new(4);
    net.filter = Box::new(|_, to, message| {
        let is_for_all = !matches!(message, Message::PrePrepare(_) | Message::Prepare(_) | Message::Commit(_));
        is_for_all || (to != id(3) && (to == id(0) || !matches!(message, Message::Commit(_))))
    });
    net.submit(1);
    net.run(MS * 10);
    let first = net.committed[0].clone();
    assert_eq!(first.len(), 1);
    for index in 0..4 {
        net.crash(index);
    }
    let kept = |net: &Net, index: usize| {
        let records = &net.journals[index].0;
        let at = |is: &dyn Fn(&Record<S>) -> bool| records.iter().position(is);
        let said = at(&|it| matches!(it, Record::Promise(promise) if promise.slot == crate::Slot::Commit));
        let before = |at: Option<usize>| at.is_some() && at < said;
        before(at(&|it| matches!(it, Record::Prepared(_)))) && before(at(&|it| matches!(it, Record::Block(_))))
    };
    let is_kept = (0..3).all(|index| kept(&net, index));
    // What they repeat of view 1 is lost: the view changes.
    net.filter = Box::new(|_, _, message| view_of(message) != Some(View(1)));
    (1..4).for_each(|index| net.start(index));
    net.submit(2);
    net.run(BASE * 10);
    net.filter = Box::new(|_, _, _| true);
    net.start(0);
    net.run(BASE * 20);
    assert_all(&net, &[0, 1, 2, 3], &first, 2);
    assert!(is_kept, "in the journal before the promise to have it");
}

#[test]
fn p5_nobody_signs_a_checkpoint_of_a_block_that_is_only_executed_or_prepared() {
    let mut net = Net::with_checkpoints(4, 1);
    net.filter = Box::new(|_, _, message| !matches!(message, Message::Commit(_)));
    net.submit(1);
    net.run(BASE / 2);
    for index in 0..4 {
        let node = net.node(index);
        assert!(node.prepared.is_some(), "executed and prepared");
        assert!(node.own_checkpoints.is_empty() && node.safety.latest(crate::Slot::Checkpoint).is_none());
    }
    assert!(!net.sent.keys().any(|(_, kind)| *kind == "checkpoint"));
    net.filter = Box::new(|_, _, _| true);
    net.run(BASE * 10);
    assert_eq!(net.node(0).low.checkpoint.height, Height(1), "after the commit they do");
}

/// A journal that ends with leaving for a view.
fn left_for(net: &Net, index: usize, view: u64) -> Vec<Record<S>> {
    let change = bare(net, index, view);
    vec![Record::Promise(change.statement().promise()), Record::ViewChange(Box::new(change))]
}

#[test]
fn p6_replicas_that_left_for_different_views_meet() {
    let mut net = Net::new(4);
    for (index, view) in [(0, 7), (1, 7), (2, 9)] {
        net.crash(index);
        net.journals[index].0 = left_for(&net, index, view);
    }
    net.crash(3);
    (0..3).for_each(|index| net.start(index));
    net.submit(1);
    net.run(BASE * 12);
    assert_all(&net, &[0, 1, 2], &[], 1);
    assert_eq!(net.node(0).view(), View(9), "nobody ran ahead of the others");
}

/// Replica 0 learns that the checkpoint at height 4 is stable after it left view 1 without it; view 2 starts from height 4. Replica 0
/// cannot vote there any more, and the two others are no quorum.
#[test]
fn p7_a_replica_whose_checkpoint_covers_the_tip_brings_the_others_up_to_it() {
    let mut net = Net::with_checkpoints(4, 4);
    let d = Puppet::replace(&mut net, 3);
    d.lose(|_, to, message| match message {
        Message::Checkpoint(_) | Message::Certificates(_) | Message::NewView(_) => true,
        Message::Commit(vote) => vote.statement.0.height == Height(4) && to == id(2),
        _ => false,
    });
    for name in 1..=4 {
        net.submit(name);
        for _ in 0..6 {
            net.run(MS);
            d.proposals(1).iter().for_each(|block| d.support(&mut net, &[0, 1, 2], 1, block));
        }
    }
    assert_eq!([0, 1, 2].map(|index| net.node(index).root()), [Height(4), Height(4), Height(3)]);
    // The batch that only replica 2 waits for makes it leave; D and then the others go with it.
    net.run(BASE);
    d.tell(&mut net, &[0, 1, 2], |net| leave(bare(net, 3, 2)));
    net.run(MS * 3);
    assert!((0..3).all(|index| net.node(index).view() == View(2)), "all have left view 1");
    for (voter, due) in d.checkpoints().into_iter().filter(|(_, due)| due.height == Height(4)) {
        net.deliver(id(voter), id(0), checkpoint(&net, voter, due));
        d.tell(&mut net, &[0], |net| checkpoint(net, 3, due));
    }
    assert_eq!([0, 1, 2].map(|index| net.node(index).low.checkpoint.height), [Height(4), Height(0), Height(0)]);
    let changes: Vec<_> = d.changes(2).into_values().take(3).collect();
    assert_eq!(changes.len(), 3);
    assert!(changes.iter().all(|it| it.checkpoint.checkpoint.height == Height(0)), "as they stood then");
    d.lose(|_, _, message| matches!(message, Message::AskCertificates(_) | Message::Checkpoint(_)));
    let tip = net.blocks[net.committed[0].last().expect("four")].clone();
    let started = begin(new_view(&net, 2, &changes, Some(&tip)));
    (0..3).for_each(|index| net.deliver(id(2), id(index), started.clone()));
    net.submit(5);
    net.run(BASE * 4);
    let chain = net.committed[0].clone();
    assert_all(&net, &[0, 1, 2], &chain, 5);
}

/// All that replicas 1, 2 and 3 have to show lies beyond the window of replica 0, which is the primary of the next view.
#[test]
fn p7_a_lagging_primary_takes_view_changes_from_beyond_its_own_window() {
    let mut net = Net::with_checkpoints(4, 2);
    net.filter = Box::new(|_, to, _| to != id(0));
    for name in 1..=20 {
        net.submit(name);
        net.run(MS * 10);
    }
    assert!(net.node(1).low.checkpoint.height > Height(10) && net.node(0).root() == Height(0));
    // Views 2 and 3 fail with their primaries silent.
    net.filter = Box::new(|_, _, message| {
        let is_answer = matches!(message, Message::Certificates(_) | Message::Blocks { .. });
        !is_answer
            && view_of(message).is_none_or(|view| view >= View(4))
            && !matches!(message, Message::NewView(it) if it.view < View(4))
    });
    net.submit(21);
    net.run(BASE * 20);
    assert_eq!(net.node(1).view(), View(4), "replica 0 began it");
    assert_all(&net, &[0, 1, 2, 3], &[], 21);
    assert!(net.accused.is_empty());
}

#[test]
fn p8_checkpoints_that_were_all_lost_are_said_again_and_the_window_moves_on() {
    let mut net = Net::with_checkpoints(4, 2);
    net.filter = Box::new(|_, _, message| !matches!(message, Message::Checkpoint(_)));
    for name in 1..=8 {
        net.submit(name);
        net.run(MS * 10);
    }
    assert!((0..4).all(|index| net.node(index).root() == Height(4)), "the window is full, and nothing is stable");
    net.run(BASE * 30);
    assert!((0..4).all(|index| net.node(index).root() == Height(4)), "view changes do not help");
    net.filter = Box::new(|_, _, _| true);
    net.run(BASE * 10);
    assert_all(&net, &[0, 1, 2, 3], &[], 8);
    assert!(net.node(0).low.checkpoint.height >= Height(4));
}

#[test]
fn p8_a_lost_new_view_is_passed_on_by_anybody_and_needs_no_further_view_change() {
    let mut net = Net::new(4);
    net.filter =
        Box::new(|from, to, message| from != id(1) && !(to == id(0) && matches!(message, Message::NewView(_))));
    net.submit(1);
    net.run(BASE);
    // From here on everybody has patience.
    net.slow = vec![BASE * 5; 4];
    net.run(BASE);
    net.crash(1);
    assert_eq!([0, 2, 3].map(|index| net.node(index).phase), [Phase::Changing, Phase::Active, Phase::Active]);
    assert_eq!(net.count_batches(2), 0, "two are no quorum");
    // The primary itself will not say it again.
    net.filter = Box::new(|from, to, message| {
        !(from == id(2) && to == id(0) && matches!(message, Message::NewView(_) | Message::Certificates(_)))
    });
    net.run(BASE * 3);
    assert_all(&net, &[0, 2, 3], &[], 1);
    assert_eq!([0, 2, 3].map(|index| net.node(index).view()), [View(2); 3]);
}

/// Each message takes long enough that a block takes nearly a timeout, and there is more to do than fits in many timeouts.
#[test]
fn p9_overload_deposes_no_honest_primary() {
    let mut net = Net::new(4);
    let letters: Rc<RefCell<Vec<_>>> = Rc::default();
    let copy = letters.clone();
    net.filter = Box::new(move |from, to, message| {
        copy.borrow_mut().push((from, to, message.clone()));
        false
    });
    for name in 1..=240 {
        net.submit(name);
    }
    let mut passed = MS;
    while net.count_batches(0) < 240 {
        net.run(MS);
        for (from, to, message) in letters.borrow_mut().drain(..) {
            net.push(MS * 29, Due::Deliver { from, to, message });
        }
        passed += MS;
        assert!(passed < BASE * 100, "{} batches", net.count_batches(0));
    }
    assert!(passed > BASE * 5, "far longer than a timeout: {passed:?}");
    assert!((0..4).all(|index| net.node(index).view() == View(1)), "the backlog is no fault of the primary");
}

/// The host says that the batch is spent: nothing is left to wait for. Without that word the view would end.
#[test]
fn p9_a_hopeless_batch_deposes_nobody() {
    let net = Net::new(4);
    let (view, committed) = (View(1), Height(0));
    let wait = |is_spent: bool| {
        let mut node: Node = node(&net, 0);
        let ready = handle(&mut node, Event::BatchReady(batch(1)));
        assert!(ready.sets(Timer::Progress { view, committed }));
        let half = handle(&mut node, Event::TimedOut(Timer::Progress { view, committed }));
        assert!(half.requests.contains(&Request::Inspect { batches: vec![batch(1)] }));
        if is_spent {
            handle(&mut node, Event::BatchSpent(batch(1)));
        }
        let end = handle(&mut node, Event::TimedOut(Timer::Progress { view, committed }));
        (node.view(), end.says("view_change"))
    };
    assert_eq!(wait(true), (View(1), false));
    assert_eq!(wait(false), (View(2), true));
}

#[test]
fn p9_a_batch_that_a_busy_primary_passes_over_is_ordered_after_at_most_one_view_change() {
    let mut net = Net::new(4);
    // The primary of view 1 never hears of this one.
    [0, 2, 3].iter().for_each(|index| net.offer(*index, 250));
    let contains = |net: &Net| net.committed[0].iter().any(|it| net.blocks[it].payload.contains(&batch(250)));
    let mut name = 0;
    while !contains(&net) {
        name += 1;
        assert!(name < 200, "it is never ordered");
        net.submit(name);
        net.run(MS * 20);
    }
    assert!(name > 10, "others were committed all the while");
    net.run(BASE);
    assert_eq!(net.node(0).view(), View(2));
    net.assert_agreement();
}

/// A journal is lost. Its replica says nothing until the others have provably gone on by more than two views.
#[test]
fn c1_a_replica_that_lost_its_journal_is_silent_until_the_others_have_moved_on() {
    let mut net = Net::with_checkpoints(4, 1);
    for name in 1..=3 {
        net.submit(name);
        net.run(BASE / 4);
    }
    net.crash(2);
    net.journals[2].0 = vec![Record::Silence];
    net.start(2);
    let (spoke, failing) = (Rc::new(RefCell::new(vec![])), Rc::new(Cell::new(View(1))));
    let (copy, below) = (spoke.clone(), failing.clone());
    let committee = net.keys.committee().clone();
    net.filter = Box::new(move |from, _, message| {
        let said =
            Node::promises_in(message, &committee).into_iter().filter(|(signer, _)| *signer == id(2) && from == id(2));
        copy.borrow_mut().extend(said.map(|(_, promise)| promise));
        !matches!(message, Message::PrePrepare(said) if said.view < below.get())
    });
    net.run(BASE * 10);
    assert!(net.node(2).status().rejoining);
    for name in 4..=8 {
        failing.set(failing.get().next());
        net.submit(name);
        net.run(BASE * 12);
    }
    assert!(!net.node(2).status().rejoining, "the others are in {}", net.node(0).view());
    for promise in spoke.borrow().iter().filter(|promise| promise.slot != crate::Slot::Checkpoint) {
        // Of what is lost nothing can be beyond a VIEW-CHANGE for view 2.
        assert!(promise.view > View(2), "it spoke of {} again", promise.view);
    }
    net.crash(0);
    net.submit(9);
    net.run(BASE * 12);
    assert_all(&net, &[1, 2, 3], &[], 9);
    assert!(!spoke.borrow().is_empty(), "its vote is needed now");
}

/// It rejoins, and starts again before it has committed what its stable checkpoint proves: all that it asks for it has.
#[test]
fn c1_a_silent_replica_commits_what_the_checkpoint_in_its_journal_proves() {
    let net = Net::with_checkpoints(4, 1);
    let blocks = chain(&net, 1, 1);
    let stable = Record::Stable(stable(&net, &blocks[0].header));
    let mut node = Node::recover(net.config(2), [Record::Silence, Record::Block(blocks[0].clone()), stable]);
    handle(&mut node, Event::Started);
    execute(&mut node, &blocks);
    assert_eq!(node.root(), Height(1));
}

#[test]
fn c1_a_liar_cannot_mute_a_replica_that_lost_its_journal() {
    let net = Net::new(4);
    let mut node = Node::recover(net.config(2), [Record::Silence]);
    handle(&mut node, Event::Started);
    let far = (0..4).map(|it| bare(&net, it, 1 << 40)).collect::<Vec<_>>();
    let of = |changes: &[crate::pbft::ViewChange<S>]| {
        let changes = quorate_types::BoundedVec::new(changes.to_vec()).expect("few");
        let news =
            crate::pbft::Certificates { new_view: None, committed: None, checkpoint: None, is_whole: true, changes };
        Message::Certificates(Box::new(news))
    };
    hear(&net, &mut node, 0, of(&far[..1]));
    for honest in [1, 3] {
        hear(&net, &mut node, honest, of(&[]));
    }
    let rejoin = format!("{:?}", node.rejoin);
    assert!(rejoin.contains("horizon: Some(View(0))") || rejoin.contains("horizon: Some(0)"), "{rejoin}");
}
