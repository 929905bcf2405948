//! Traps found by reading against the code: each test fails without its cure.

use super::net::{BASE, Net, Node, id};
use crate::{
    Event, Executed, Promise, Protocol, Replica, Request, Slot, Timer,
    hotstuff::{Message, Record},
};
use quorate_types::{Digest, Height, View};
use std::time::Duration;

#[test]
fn a_batch_that_comes_while_a_block_is_made_is_not_lost() {
    let mut net = Net::new(1);
    net.submit(1);
    // The block with the first batch is being made.
    net.submit(2);
    net.run(BASE);
    assert_eq!(net.count_batches(0), 2);
}

#[test]
fn the_late_answer_of_an_earlier_view_does_not_cost_a_leader_this_view() {
    let mut net = Net::new(4);
    net.submit(1);
    net.run(BASE / 2);
    let mut node = net.node(1).clone();
    let stale = super::net::child(&net.genesis, View(1), id(1), vec![]);
    node.view = View(5);
    node.building = Some(vec![]);
    let _ignored = node.handle(Event::Built(stale));
    assert_eq!(node.building, Some(vec![]), "the answer for view 5 is still to come");
}

#[test]
fn c1_a_crash_while_silent_does_not_give_the_voice_back() {
    let mut net = Net::new(4);
    net.submit(1);
    net.run(BASE);
    // The journal began again with this record, because the one before it was lost.
    let silent = Node::recover(net.config(2), [Record::Silence]);
    assert!(silent.status().rejoining && silent.safety.is_silent());
    let rotated = Node::recover(net.config(2), silent.snapshot());
    assert!(rotated.safety.is_silent(), "a rotated journal remembers it as well");
    let promise = Promise {
        slot: Slot::Rejoined,
        view: View(9),
        height: None,
        statement: Digest::ZERO,
        closes_below: Some(View(10)),
    };
    let back = Node::recover(net.config(2), [Record::Silence, Record::Promise(promise)]);
    assert!(!back.status().rejoining && !back.safety.is_silent(), "what spoke again after its journal was lost");
}

/// All ledgers may lose what they had not synced. Votes rest on bodies above a block that was fetched and committed without a
/// vote of one's own: were that block not in the journal, nothing above it would stand on anything after a common crash.
#[test]
fn what_goes_to_the_ledger_is_in_the_journal_even_if_it_was_never_voted_for() {
    let mut net = Net::new(4);
    net.filter = Box::new(|_, to, message| {
        let misses = |view: View| view.0 / 8 % 2 == 1;
        !(to == id(3) && matches!(message, Message::Proposal(p) if misses(p.justified.block.header.view)))
    });
    for name in 1..12 {
        net.submit(name);
        net.run(BASE / 4);
    }
    net.run(BASE * 10);
    assert_eq!(net.count_batches(3), 11);
    for index in 0..4 {
        let body = |record: &Record<_>| {
            if let Record::Block(justified) = record { Some(justified.block.digest()) } else { None }
        };
        let bodies: Vec<_> = net.journals[index].0.iter().filter_map(body).collect();
        for committed in &net.committed[index] {
            assert!(bodies.contains(committed), "replica {index} handed over a block that its journal lacks");
        }
    }
}

/// As above, end to end: everything that ledgers had not synced is gone, one replica never comes back, and the journals alone
/// carry the chain.
#[test]
fn a_common_crash_that_takes_all_unsynced_ledgers_loses_nothing() {
    let mut net = Net::new(4);
    // Each replica in turn misses the proposals of some views, and fetches those blocks later.
    net.filter = Box::new(|_, to, message| {
        let misses = |view: View| view.0 / 8 % 4 == u64::from(to.0);
        !matches!(message, Message::Proposal(p) if misses(p.justified.block.header.view))
    });
    for name in 1..30 {
        net.submit(name);
        net.run(BASE / 2);
    }
    net.run(BASE * 40);
    let before = net.committed[0].clone();
    assert_eq!(net.count_batches(0), 29);
    (0..4).for_each(|index| net.crash(index));
    (0..4).for_each(|index| net.lose_ledger(index));
    (0..3).for_each(|index| net.start(index));
    net.submit(40);
    net.run(BASE * 100);
    net.assert_agreement();
    assert!(net.committed[0].starts_with(&before), "{} of {} blocks", net.committed[0].len(), before.len());
    assert_eq!(net.count_batches(0), 30);
}

#[test]
fn a_final_block_that_sync_brought_leaves_nothing_to_wait_for() {
    let mut net = Net::new(4);
    // Replica 3 executes nothing, and everything it knows to be final comes by block sync.
    net.lame = Some(3);
    for name in 1..6 {
        net.submit(name);
        net.run(BASE * 2);
    }
    net.run(BASE * 10);
    assert_eq!(net.count_batches(3), 5);
    net.assert_agreement();
    assert_eq!(net.node(3).commit_target, None, "it is the head: there is nothing to wait for");
    net.sent.clear();
    net.run(BASE * 20);
    let timeouts = net.sent.iter().filter(|((_, kind), _)| *kind == "timeout").map(|(_, count)| count).sum::<usize>();
    assert_eq!(timeouts, 0, "an idle net is quiet");
}

#[test]
fn row_33_a_replica_whose_result_a_quorum_contradicts_stops_even_if_the_certificate_comes_later() {
    let mut net = Net::new(4);
    net.lame = Some(3);
    net.submit(1);
    net.run(Duration::from_millis(2));
    let first = net.node(3).tree.by_height()[0];
    // Executed here before anybody certified it.
    net.tell(3, Event::Executed { block: first, outcome: Executed::Invalid });
    assert!(net.halted.is_empty(), "a bad block that nobody certified is its proposer's fault alone");
    net.run(BASE);
    assert_eq!(net.halted.len(), 1, "a quorum certified what is wrong here");
}

/// Four of five are a quorum, and one has lost its journal and is silent: the fifth must vote. It cannot, because a batch is missing
/// that the others have committed, by a certificate that never reached it and that nobody built on. Views fail and fail.
#[test]
fn one_that_commits_nothing_asks_the_others_for_blocks_though_its_views_change() {
    let mut net = Net::new(4);
    net.submit(1);
    net.run(BASE / 2);
    net.submit(2);
    let mut node = net.node(1).clone();
    assert!(node.has_work());
    let syncs = |node: &mut Node| {
        let mut step = node.handle(Event::TimedOut(Timer::Poll));
        step.take_requests().into_iter().filter(|request| matches!(request, Request::Sync { .. })).count()
    };
    node.polled = (node.view, node.tree.root().height);
    node.view = node.view.next();
    assert_eq!(syncs(&mut node), 1, "the view has changed, and nothing was committed");
    node.polled = (View(node.view.0 - 1), Height(node.tree.root().height.0 + 1));
    assert_eq!(syncs(&mut node), 0, "both have");
}
