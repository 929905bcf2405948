//! Shaped links: delay, loss, order, bandwidth, and changes while frames are on their way. What takes long is measured to take no
//! less; nothing is asserted to be fast.

use crate::common::{
    Committee, Node, frame, id,
    rogue::Rogue,
    shaped::{MS, NEVER, Shaped},
};
use quorate_links::LinkSpec;
use quorate_network::{Class, ClassLimits, Network};
use std::{collections::BTreeSet, time::Instant};

fn number(content: &[u8]) -> u32 {
    let (number, rest) = content.split_first_chunk().unwrap();
    let number = u32::from_be_bytes(*number);
    assert!(rest.len() == length(number) && rest.iter().all(|byte| *byte == number.to_be_bytes()[3]), "whole");
    number
}

fn length(number: u32) -> usize {
    number as usize * 37 % 2000
}

fn numbered(number: u32) -> Vec<u8> {
    let mut content = number.to_be_bytes().to_vec();
    content.resize(4 + length(number), number.to_be_bytes()[3]);
    content
}

/// When all that was sent has passed or is lost, sends `last` over a perfect link; and tells what arrives until then.
async fn hear(nodes: &mut [Shaped], last: u32) -> Vec<u32> {
    let [sender, receiver] = nodes else { unreachable!("two nodes") };
    let finish = async {
        sender.wait_empty(1).await;
        sender.heal();
        sender.vote(1, numbered(last));
    };
    let listen = async {
        let mut heard = Vec::new();
        while heard.last() != Some(&last) {
            heard.push(number(&receiver.content().await));
        }
        heard
    };
    tokio::join!(finish, listen).1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_direction_of_a_link_has_its_own_delay() {
    let mut nodes = Committee::new(2).start_shaped().await;
    nodes[0].link(1, LinkSpec::delay(NEVER));
    nodes[0].vote(1, "slow");
    nodes[1].vote(0, "fast");
    assert_eq!(nodes[0].content().await, "fast");
    nodes[0].link(1, LinkSpec::delay(150 * MS));
    nodes[1].link(0, LinkSpec::delay(30 * MS));
    assert_eq!(nodes[1].content().await, "slow", "it comes with the change");
    let sent = Instant::now();
    nodes[0].vote(1, "there");
    assert_eq!(nodes[1].content().await, "there");
    assert!(sent.elapsed() >= 150 * MS, "{:?}", sent.elapsed());
    let sent = Instant::now();
    nodes[1].vote(0, "back");
    assert_eq!(nodes[0].content().await, "back");
    assert!(sent.elapsed() >= 30 * MS, "{:?}", sent.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_are_lost_as_often_as_said_and_counted() {
    let mut nodes = Committee::new(2).start_shaped().await;
    nodes[0].link(1, LinkSpec { loss: 0.3, ..LinkSpec::default() });
    (0..2000).for_each(|i| nodes[0].vote(1, numbered(i)));
    let heard = hear(&mut nodes, 2000).await;
    assert!(heard.is_sorted());
    assert!((1301..1501).contains(&heard.len()), "{} of 2001 arrived at a loss of 0.3", heard.len());
    assert_eq!(nodes[0].lost(1), 2001 - heard.len() as u64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_that_overtake_each_other_or_come_twice_come_whole() {
    let mut nodes = Committee::new(2).start_shaped().await;
    let (jitter, reorder, duplicate) = (10 * MS, 0.5, 0.3);
    nodes[0].link(1, LinkSpec { jitter, reorder, duplicate, ..LinkSpec::delay(5 * MS) });
    (0..300).for_each(|i| nodes[0].vote(1, numbered(i)));
    let heard = hear(&mut nodes, 300).await;
    assert!(!heard.is_sorted());
    assert_eq!(heard.iter().copied().collect::<BTreeSet<_>>(), (0..=300).collect(), "each came");
    assert!((350..450).contains(&heard.len()), "{} of 301 at a duplication of 0.3", heard.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_narrow_link_takes_its_time_and_a_vote_overtakes_what_waits_for_it() {
    let mut nodes = Committee::new(2).start_shaped().await;
    nodes[0].link(1, LinkSpec { bandwidth: Some(200_000), ..LinkSpec::default() });
    let sent = Instant::now();
    (0..10).for_each(|_| nodes[0].network.send(id(1), frame(Class::Batch, vec![7; 10_000])));
    nodes[0].vote(1, "first");
    let mut before_the_vote = None;
    for batches in 0..11 {
        if nodes[1].frame().await.1 == Class::Vote {
            before_the_vote = Some(batches);
        }
    }
    assert!(sent.elapsed() >= 500 * MS, "100 kB at 200 kB/s took {:?}", sent.elapsed());
    assert!(before_the_vote.is_some_and(|batches| batches < 10), "{before_the_vote:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_fit_a_narrow_link_waits_in_the_queue() {
    let mut committee = Committee::new(2);
    committee.limits.batch.queue_frames = 4;
    let mut nodes = committee.start_shaped().await;
    // A day and more for the first.
    nodes[0].link(1, LinkSpec { bandwidth: Some(1), ..LinkSpec::default() });
    for number in 0..20 {
        nodes[0].network.send(id(1), frame(Class::Batch, vec![number; 100_000]));
        tokio::time::sleep(5 * MS).await;
    }
    nodes[0].heal();
    let mut batches = Vec::new();
    while batches.last() != Some(&19) {
        batches.push(nodes[1].content().await[0]);
    }
    assert!(
        batches.ends_with(&[16, 17, 18, 19]) && batches.len() <= 5,
        "one on the wire, four in the queue: {batches:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_link_is_bounded_as_a_slow_peer_is() {
    let mut committee = Committee::new(2);
    committee.limits.batch = ClassLimits { frame: 100, queue_frames: 4, queue_bytes: 400, window: 400 };
    let mut nodes = committee.start_shaped().await;
    let batch = |node: &Shaped, number: u8| node.network.send(id(1), frame(Class::Batch, vec![number; 100]));
    // Its stream is open when the first has come.
    batch(&nodes[0], 100);
    assert_eq!(nodes[1].content().await, vec![100; 100]);
    nodes[0].link(1, LinkSpec::delay(NEVER));
    (0..20).for_each(|number| batch(&nodes[0], number));
    let status = nodes[0].status(1);
    // Four on their way, and four in the queue.
    assert!(status.queued[2].frames <= 8 && status.queued[2].bytes <= 800, "{status:?}");
    assert!(status.dropped.get("queue_full") >= Some(&12), "{status:?}");
    nodes[0].vote(1, "not held up by batches");
    nodes[0].peek_status(1, |status| status.queued[0].frames == 1).await;
    nodes[0].heal();
    let mut batches = Vec::new();
    while batches.last() != Some(&19) {
        let (_, class, bytes) = nodes[1].frame().await;
        batches.extend((class == Class::Batch).then(|| bytes[0]));
    }
    assert!(batches.is_sorted() && (4..=8).contains(&batches.len()), "{batches:?}");
    assert_eq!(nodes[0].status(1).dropped.get("queue_full"), Some(&(20 - batches.len() as u64)));
    assert_eq!(nodes[0].lost(1), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_on_its_way_when_a_link_gets_better_comes_at_once_and_in_order() {
    let mut nodes = Committee::new(2).start_shaped().await;
    // A minute each for the first bytes, and an hour of delay.
    nodes[0].link(1, LinkSpec { bandwidth: Some(4), ..LinkSpec::delay(NEVER) });
    (1..=50).for_each(|i| nodes[0].vote(1, numbered(i)));
    nodes[0].peek_status(1, |status| status.queued[0].frames == 50).await;
    nodes[0].heal();
    nodes[0].vote(1, numbered(51));
    for expected in 1..=51 {
        assert_eq!(number(&nodes[1].content().await), expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_round_trip_over_forty_milliseconds_each_way_is_measured_as_eighty() {
    let nodes = Committee::new(4).start_shaped().await;
    for (replica, node) in nodes.iter().enumerate() {
        let peers = (0..4).filter(|peer| *peer != replica).map(id);
        node.shaping.set(peers.map(|peer| (peer, LinkSpec::delay(40 * MS))).collect()).unwrap();
    }
    for (replica, node) in nodes.iter().enumerate() {
        for peer in (0..4).filter(|peer| *peer != replica) {
            let measured = || node.shaping.round_trips().get(&id(peer)).copied();
            // Enough of them left after the last link was set.
            while measured().is_none_or(|trip| trip.samples < 12) {
                tokio::time::sleep(10 * MS).await;
            }
            let trip = measured().unwrap();
            println!("{replica} to {peer} and back: {:?} of {}", trip.median, trip.samples);
            assert!(trip.median >= 80 * MS, "{trip:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_without_shaping_neither_sends_echoes_nor_knows_them() {
    let committee = Committee::new(3);
    let plain = committee.start(0).await;
    let shaping = quorate_network::Shaping::new(1);
    let mut shaped =
        Node::start(quorate_network::Config { shaping: Some(shaping.clone()), ..committee.config(1) }).await;
    let mut stranger = Rogue::start(&committee, 2, 0).await;
    assert!(stranger.is_refused("/quorate/echo/1").await);
    plain.network.send(id(1), frame(Class::Vote, "hello"));
    assert_eq!(shaped.frame().await.2, "hello");
    assert!(shaping.round_trips().is_empty());
    let mut guest = Rogue::start(&committee, 2, 1).await;
    assert!(!guest.is_refused("/quorate/echo/1").await);
}
