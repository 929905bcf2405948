//! The normal case, crashes and restarts.

use super::net::{BASE, Net, Node, batch};
use crate::{Config, Event, Kind, Protocol, Rejection, Replica, SeenCertificates, Timer, test_net::Memory};
use quorate_types::View;
use std::time::Duration;

#[test]
fn a_batch_is_committed_by_all_and_then_the_net_is_quiet() {
    let mut net = Net::new(4);
    net.submit(1);
    net.run(BASE / 2);
    for index in 0..4 {
        assert_eq!(net.count_batches(index), 1, "replica {index}");
    }
    net.assert_agreement();
    let sent = |net: &Net| net.sent.values().sum::<usize>();
    let before = sent(&net);
    let polls = 4 * 10;
    net.run(BASE * 80);
    assert!(sent(&net) - before <= polls, "{} messages in an idle net", sent(&net) - before);
    assert_eq!(net.sent.iter().filter(|((_, kind), _)| *kind == "timeout").count(), 0);
}

#[test]
fn a_fault_free_view_costs_two_messages_per_other_replica() {
    for n in [4, 7, 10] {
        let mut net = Net::new(n);
        for name in 1..20 {
            net.submit(name);
            net.run(Duration::from_millis(2));
        }
        for view in 4..8 {
            let count = |kind| net.sent.get(&(View(view), kind)).copied().unwrap_or(0);
            assert_eq!(count("proposal"), n - 1, "n = {n}, view {view}");
        }
        let votes: usize = net.sent.iter().filter(|((_, kind), _)| *kind == "vote").map(|(_, count)| count).sum();
        let proposals: usize =
            net.sent.iter().filter(|((_, kind), _)| *kind == "proposal").map(|(_, count)| count).sum();
        assert!(votes.abs_diff(proposals) < n, "{votes} votes, {proposals} proposals");
    }
}

#[test]
fn with_one_of_four_dead_for_ever_a_block_commits_at_least_every_2n_views() {
    for dead in 0..4 {
        let mut net = Net::new(4);
        net.crash(dead);
        for name in 1..=20 {
            net.submit(name);
            net.run(BASE * 4);
        }
        net.run(BASE * 40);
        net.assert_agreement();
        let alive = (dead + 1) % 4;
        assert_eq!(net.count_batches(alive), 20, "dead {dead}");
        let views: Vec<_> = net.committed[alive].iter().map(|digest| net.header(digest).view.0).collect();
        let gap = views.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0);
        assert!(gap <= 8, "dead {dead}: {gap} views between commits: {views:?}");
    }
}

#[test]
fn f_of_seven_and_ten_dead_still_commit() {
    for (n, dead) in [(7, vec![0, 1]), (7, vec![2, 5]), (10, vec![1, 2, 3]), (5, vec![4]), (6, vec![0])] {
        let mut net = Net::new(n);
        dead.iter().for_each(|index| net.crash(*index));
        net.submit(1);
        net.run(BASE * 100);
        let alive = (0..n).find(|index| !dead.contains(index)).expect("some live");
        assert_eq!(net.count_batches(alive), 1, "n = {n}, dead {dead:?}");
    }
}

#[test]
fn all_crash_at_once_again_and_again_and_go_on() {
    let mut net = Net::new(4);
    for round in 1..=10 {
        net.submit(round);
        net.run(Duration::from_millis(u64::from(round)));
        (0..4).for_each(|index| net.crash(index));
        (0..4).for_each(|index| net.start(index));
        for name in 1..=round {
            if !net.committed[0].iter().any(|digest| net.blocks[digest].payload.contains(&super::net::batch(name))) {
                net.submit(name);
            }
        }
    }
    net.run(BASE * 20);
    net.assert_agreement();
    for index in 0..4 {
        assert!(net.count_batches(index) >= 10, "replica {index}: {}", net.count_batches(index));
    }
}

#[test]
fn a_replica_that_was_down_for_many_blocks_catches_up_by_itself() {
    let mut net = Net::new(4);
    net.submit(1);
    net.run(BASE);
    net.crash(3);
    for name in 2..60 {
        net.submit(name);
        net.run(BASE * 4);
    }
    net.run(BASE * 10);
    net.start(3);
    net.run(BASE * 20);
    net.assert_agreement();
    assert!(net.count_batches(3) >= 59, "{}", net.count_batches(3));
}

#[test]
fn a_restarted_replica_is_the_one_that_crashed() {
    let mut net = Net::new(4);
    for name in 1..6 {
        net.submit(name);
        net.run(Duration::from_millis(3));
    }
    let before = net.node(2).clone();
    let again = super::net::Node::recover(net.config(2), net.journals[2].0.clone());
    assert!(again.view() <= before.view());
    let snapshot = super::net::Node::recover(net.config(2), before.snapshot());
    assert_eq!(snapshot.snapshot(), before.snapshot());
}

#[test]
fn lost_proposals_and_votes_are_made_good() {
    let mut net = Net::new(4);
    let mut count = 0u32;
    net.filter = Box::new(move |_, _, message| {
        count = count.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        !(matches!(message.kind(), "proposal" | "vote" | "timeout" | "blocks") && count >> 30 == 0)
    });
    for name in 1..=10 {
        net.submit(name);
        net.run(BASE * 3);
    }
    net.run(BASE * 300);
    net.assert_agreement();
    for index in 0..4 {
        assert_eq!(net.count_batches(index), 10, "replica {index}");
    }
}

/// Alone, so that it sees no certificate but its own.
#[test]
fn a_certificate_that_it_combined_is_not_verified_when_it_comes_back() {
    let mut net = Net::new(1);
    let seen = SeenCertificates::default();
    net.nodes[0] = Some(Node::recover(Config { seen: seen.clone(), ..net.config(0) }, []));
    net.tell(0, Event::Started);
    net.submit(1);
    net.run(BASE);
    assert_eq!(net.count_batches(0), 1);
    let verify = || Err(Rejection::Malformed("verified again"));
    assert_eq!(seen.check_once(net.node(0).high_qc.name(), verify), Ok(()));
}

#[test]
fn one_alone_that_crashed_after_its_timeout_goes_on() {
    let net = Net::new(1);
    let mut before = net.node(0).clone();
    let mut records = vec![];
    let work = Event::BatchReady(batch(1));
    for event in [work, Event::TimedOut(Timer::View(before.view()))] {
        let mut journal = Memory(vec![]);
        let Ok(_actions) = before.handle(event).release(&mut journal);
        records.extend(journal.0);
    }
    assert_eq!(before.view(), View(2));

    let mut after = Node::recover(net.config(0), records);
    let _started = after.handle(Event::Started);
    assert_eq!(after.view(), View(2), "its timeout is a quorum's, and nobody else says it again");
}
