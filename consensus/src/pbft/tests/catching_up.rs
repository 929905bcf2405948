//! Replicas that come back from far behind, without waiting for the others to change views again.

use super::{
    craft::*,
    net::{BASE, Net, batch, id},
};
use crate::{
    Event, Replica,
    pbft::{Message, Phase, Record},
};
use quorate_types::{Height, View};

fn everybody_is_in(net: &Net, view: u64) {
    for index in 0..4 {
        let node = net.node(index);
        assert_eq!((node.view(), node.phase), (View(view), Phase::Active), "replica {index}");
    }
}

#[test]
fn a_replica_one_view_behind_comes_back_within_the_view() {
    let mut net = Net::new(4);
    net.filter = Box::new(|from, to, message| {
        to != id(3) && from != id(3) && !(from == id(1) && matches!(message, Message::PrePrepare(_)))
    });
    [0, 1, 2].iter().for_each(|index| net.offer(*index, 1));
    net.run(BASE * 4);
    assert_eq!([0, 1, 2].map(|index| net.node(index).view()), [View(2); 3]);
    assert_eq!((net.count_batches(0), net.node(3).view()), (1, View(1)));
    net.filter = Box::new(|_, _, _| true);
    net.run(BASE * 9);
    everybody_is_in(&net, 2);
    assert_eq!(net.committed[3], net.committed[0], "a quiet net, and it asks of itself");
    net.crash(0);
    [1, 2, 3].iter().for_each(|index| net.offer(*index, 2));
    net.run(BASE / 2);
    assert_eq!(net.count_batches(3), 2, "its votes count again");
    assert_eq!(net.node(3).view(), View(2));
}

#[test]
fn a_replica_a_thousand_views_behind_comes_back_within_the_view() {
    let mut net = Net::new(4);
    let changes: Vec<_> = (0..3).map(|replica| bare(&net, replica, 1001)).collect();
    let entry = new_view(&net, 1001, &changes, None);
    for index in 0..3 {
        net.crash(index);
        net.journals[index].0 = vec![Record::NewView(Box::new(entry.clone()))];
        net.start(index);
    }
    net.crash(0);
    assert_eq!([1, 2, 3].map(|index| net.node(index).view()), [View(1001), View(1001), View(1)]);
    net.submit(1);
    net.run(BASE * 3 / 2);
    net.assert_agreement();
    for index in 1..4 {
        assert_eq!(net.count_batches(index), 1, "replica {index}");
        assert_eq!(net.node(index).view(), View(1001), "no view was changed for it");
    }
}

#[test]
fn a_replica_that_missed_many_checkpoints_comes_back_and_counts_again() {
    let mut net = Net::with_checkpoints(4, 2);
    net.filter = Box::new(|from, to, _| to != id(3) && from != id(3));
    for name in 1..=30 {
        net.submit(name);
        net.run(BASE / 10);
    }
    net.run(BASE * 10);
    assert!(net.node(0).low.checkpoint.height > Height(20));
    assert_eq!((net.node(3).view(), net.node(3).phase), (View(2), Phase::Changing), "alone, it has left their view");
    net.filter = Box::new(|_, _, _| true);
    net.run(BASE * 9);
    net.assert_agreement();
    assert_eq!(net.committed[3], net.committed[0]);
    net.crash(0);
    net.submit(31);
    net.run(BASE * 6);
    assert_eq!([1, 2, 3].map(|index| net.count_batches(index)), [31; 3], "now its vote is needed");
}

#[test]
fn one_that_waits_alone_without_work_repeats_itself_at_one_slow_pace_whatever_work_came_and_went() {
    let mut net = Net::new(4);
    net.filter = Box::new(|from, to, _| to != id(3) && from != id(3));
    net.offer(3, 1);
    net.run(BASE * 2);
    assert_eq!((net.node(3).view(), net.node(3).phase), (View(2), Phase::Changing));
    for name in 1..=10 {
        net.tell(3, Event::BatchSpent(batch(name)));
        net.tell(3, Event::BatchReady(batch(name + 1)));
    }
    net.tell(3, Event::BatchSpent(batch(11)));
    net.run(BASE * 2);
    net.sent.clear();
    net.run(BASE * 32);
    let repetitions = net.sent[&(View(2), "view_change")] / 3;
    assert!((3..=5).contains(&repetitions), "once in eight timeouts, not {repetitions} times in 32");
}

#[test]
fn one_that_the_primary_does_not_get_through_to_keeps_up_and_stays_in_the_view() {
    let mut net = Net::new(4);
    net.filter = Box::new(|from, to, _| (from, to) != (id(1), id(3)));
    for name in 1..=100 {
        net.submit(name);
        net.run(BASE / 10);
    }
    everybody_is_in(&net, 1);
    assert!(net.count_batches(3) > 80, "not far behind: {}", net.count_batches(3));
    net.run(BASE * 9);
    net.assert_agreement();
    assert_eq!(net.count_batches(3), 100);
}
