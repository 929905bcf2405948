//! The normal case, its cost, crashes and restarts.

use super::net::{BASE, Net, Node, S};
use crate::{Config, Event, Protocol, Rejection, Replica, SeenCertificates, pbft::certificate::name};
use quorate_crypto::Certificate;
use quorate_types::{Height, View};

fn sent(net: &Net, kind: &str) -> usize {
    net.sent.iter().filter(|((_, of), _)| *of == kind).map(|(_, count)| count).sum()
}

#[test]
fn a_batch_is_committed_by_all_and_then_the_net_is_quiet() {
    let mut net = Net::new(4);
    net.submit(1);
    net.run(BASE / 2);
    for index in 0..4 {
        assert_eq!(net.count_batches(index), 1, "replica {index}");
    }
    net.assert_agreement();
    let total = |net: &Net| net.sent.values().sum::<usize>();
    let before = total(&net);
    net.run(BASE * 80);
    assert!(total(&net) - before <= 4 * 10, "{} messages in an idle net", total(&net) - before);
    assert_eq!(net.node(0).view(), View(1), "nobody leaves a quiet view");
}

#[test]
fn a_fault_free_block_costs_two_n_times_n_minus_one_messages() {
    for n in [1, 2, 4, 5, 6, 7, 10, 31] {
        let mut net = Net::new(n);
        net.submit(1);
        net.run(BASE / 2);
        assert_eq!(net.count_batches(0), 1);
        assert_eq!(sent(&net, "pre_prepare"), n - 1);
        assert_eq!(sent(&net, "prepare"), (n - 1) * (n - 1));
        assert_eq!(sent(&net, "commit"), n * (n - 1));
        let others: usize =
            ["view_change", "new_view", "blocks", "certificates"].map(|kind| sent(&net, kind)).iter().sum();
        assert_eq!(others, 0, "nothing but the three phases");
    }
}

#[test]
fn several_heights_are_in_flight() {
    let mut net = Net::new(4);
    for name in 1..=40 {
        net.submit(name);
    }
    net.run(BASE / 2);
    net.assert_agreement();
    assert_eq!(net.count_batches(0), 40);
    assert!(net.node(0).root() > Height(4), "in several blocks");
}

#[test]
fn f_down_from_the_start_at_every_remainder_of_three() {
    for n in [4, 5, 6, 7, 8, 9, 10, 11, 12] {
        let f = (n - 1) / 3;
        for down in [(0..f).collect::<Vec<_>>(), (1..=f).collect(), (n - f..n).collect()] {
            let mut net = Net::new(n);
            down.iter().for_each(|index| net.crash(*index));
            net.submit(1);
            net.run(BASE * 40);
            let up = (0..n).find(|index| !down.contains(index)).expect("most are up");
            assert_eq!(net.count_batches(up), 1, "n = {n}, down {down:?}");
            net.assert_agreement();
        }
    }
}

#[test]
fn a_dead_primary_is_replaced_for_exactly_the_messages_of_a_view_change() {
    for n in [4, 7, 10] {
        let mut net = Net::new(n);
        net.filter = Box::new(|from, _, _| from != super::net::id(1));
        net.submit(1);
        net.run(BASE * 2);
        assert_eq!(net.count_batches(0), 1);
        assert_eq!(net.node(0).view(), View(2));
        // The old primary hears of it, joins, and sends as many as the others; nobody hears those.
        assert_eq!(sent(&net, "view_change"), n * (n - 1));
        assert_eq!(sent(&net, "new_view"), n - 1);
    }
}

#[test]
fn all_crash_at_once_again_and_again_and_nothing_is_lost() {
    let mut net = Net::with_checkpoints(4, 4);
    for round in 0..20u8 {
        net.submit(round + 1);
        net.run(BASE / 40 * u32::from(round % 7));
        for index in 0..4 {
            net.crash(index);
        }
        for index in 0..4 {
            net.start(index);
        }
        for index in 0..4 {
            for name in 1..=round + 1 {
                net.offer(index, name);
            }
        }
    }
    net.run(BASE * 200);
    net.assert_agreement();
    assert_eq!(net.count_batches(0), 20);
}

#[test]
fn a_restarted_replica_is_what_it_was() {
    let mut net = Net::with_checkpoints(4, 4);
    for name in 1..=20 {
        net.submit(name);
        net.run(BASE / 10);
    }
    net.crash(3);
    net.submit(21);
    net.run(BASE);
    net.start(3);
    net.submit(22);
    net.run(BASE * 40);
    net.assert_agreement();
    assert_eq!(net.committed[3].len(), net.committed[0].len(), "it caught up");
}

#[test]
fn checkpoints_prune_and_the_window_moves() {
    let mut net = Net::with_checkpoints(4, 2);
    for name in 1..=60 {
        net.submit(name);
        net.run(BASE / 20);
    }
    net.run(BASE);
    net.assert_agreement();
    assert_eq!(net.count_batches(0), 60);
    let low = net.node(0).low.checkpoint.height;
    assert!(low.0 + 4 >= net.node(0).root().0, "low {low} at {}", net.node(0).root());
    assert!(net.node(0).safety.promises().count() < 40, "settled promises are forgotten");
}

#[test]
fn one_that_waits_alone_for_the_next_view_learns_at_once_what_the_others_decide() {
    let mut net = Net::new(4);
    net.offer(3, 9);
    net.run(BASE * 3);
    assert_eq!(net.node(3).view(), View(2), "nobody else has its batch");
    net.submit(1);
    net.run(BASE / 4);
    assert_eq!((0..4).map(|index| net.count_batches(index)).collect::<Vec<_>>(), [1, 1, 1, 1]);
    net.assert_agreement();
}

/// Alone, so that it sees no certificate but its own.
#[test]
fn a_certificate_that_it_combined_is_not_verified_when_it_comes_back() {
    let mut net = Net::with_checkpoints(1, 1);
    let seen = SeenCertificates::default();
    net.nodes[0] = Some(Node::recover(Config { seen: seen.clone(), ..net.config(0) }, []));
    net.tell(0, Event::Started);
    net.submit(1);
    net.run(BASE);
    assert_eq!(net.count_batches(0), 1);
    let verify = || Err(Rejection::Malformed("verified again"));
    let node = net.node(0);
    let (prepared, committed) = (node.prepared.as_ref().expect("one"), node.committed.as_ref().expect("one"));
    assert_eq!(seen.check_once(name(prepared), verify), Ok(()));
    assert_eq!(seen.check_once(name(committed), verify), Ok(()));
    let stable = &node.low;
    let stable =
        Certificate::<_, S> { statement: stable.checkpoint, proof: stable.proof.clone().expect("not genesis") };
    assert_eq!(seen.check_once(name(&stable), verify), Ok(()));
}
