//! Peers and nodes that are slow, silent or far too busy hold up nobody else, and everything stays bounded.

use crate::common::{
    Committee, DEADLINE, Node, frame, id,
    rogue::{self, Rogue},
};
use futures::{AsyncReadExt, AsyncWriteExt};
use quorate_network::{Class, Inbound, Network};
use std::time::Duration;
use tokio::time::timeout;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_never_reads_holds_up_nobody_and_its_queue_stays_bounded() {
    let committee = Committee::new(3);
    let mut sender = committee.start(0).await;
    let mut reader = committee.start(1).await;
    let mut deaf = Rogue::start(&committee, 2, 0).await;
    let mut streams = Class::ALL.map(|class| deaf.accept(class));
    let _unread = timeout(DEADLINE, streams[2].recv()).await.unwrap().unwrap();
    sender.wait_up(1).await;
    // Far more than queue and flow control hold: 96 MiB of batches.
    let batch = vec![7; 512 * 1024];
    let drain = tokio::spawn(async move {
        loop {
            let (_, class, bytes) = reader.frame().await;
            if class == Class::Vote {
                return bytes;
            }
        }
    });
    for _ in 0..192 {
        sender.network.broadcast(frame(Class::Batch, batch.clone()));
        tokio::task::yield_now().await;
    }
    sender.network.broadcast(frame(Class::Vote, "through"));
    assert_eq!(drain.await.unwrap(), "through");
    let status = sender.wait_status(2, |status| status.dropped.contains_key("queue_full")).await;
    let limit = committee.limits.batch;
    assert!(status.queued[2].bytes <= limit.queue_bytes && status.queued[2].frames <= limit.queue_frames, "{status:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vote_overtakes_the_batches_that_wait_before_it() {
    let committee = Committee::new(2);
    let mut sender = committee.start(0).await;
    let mut slow = Rogue::start(&committee, 1, 0).await;
    let mut streams = Class::ALL.map(|class| slow.accept(class));
    let mut batches = timeout(DEADLINE, streams[2].recv()).await.unwrap().unwrap();
    let mut votes = timeout(DEADLINE, streams[0].recv()).await.unwrap().unwrap();
    for _ in 0..16 {
        sender.network.send(id(1), frame(Class::Batch, vec![7; 1 << 20]));
    }
    // Not a byte of the batches is read, and the vote comes through.
    sender.network.send(id(1), frame(Class::Vote, "first"));
    let vote = timeout(DEADLINE, rogue::receive(&mut votes)).await.unwrap().unwrap();
    assert_eq!(vote, b"first");
    assert!(sender.status(1).queued[2].frames > 0, "batches still wait: the vote did not wait for them");
    timeout(DEADLINE, rogue::receive(&mut batches)).await.unwrap().unwrap();
    sender.wait_status(1, |status| status.connected).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flooding_peer_starves_nobody() {
    let mut committee = Committee::new(3);
    committee.limits.inbound = 8;
    let mut node = committee.start(0).await;
    let mut flooder = Rogue::start(&committee, 1, 0).await;
    let mut streams = [flooder.open(Class::Vote).await, flooder.open(Class::Batch).await];
    let flood = tokio::spawn(async move {
        let [votes, batches] = &mut streams;
        let body = [9; 64];
        loop {
            let both = futures::join!(rogue::send(votes, &body), rogue::send(batches, &body));
            if both.0.is_err() || both.1.is_err() {
                return;
            }
        }
    });
    // The node has read nothing yet: the channel is full of the flooder's frames.
    while node.inbound.len() < 8 {
        tokio::task::yield_now().await;
    }
    let honest = committee.start(2).await;
    honest.network.send(id(0), frame(Class::Vote, "hear me"));
    // Counted when it is read from its stream: from then on it stands in line.
    node.peek_status(2, |status| status.received.contains_key("vote")).await;
    let overtaken = timeout(DEADLINE, async {
        let mut before = 0;
        while !matches!(node.inbound.recv().await, Some(Inbound::Frame { from, .. }) if from == id(2)) {
            before += 1;
        }
        before
    });
    let overtaken = overtaken.await.expect("the honest frame arrives under the flood");
    // The channel, a waiting frame of each stream, two peers that came up; and some luck between reading and standing.
    assert!(overtaken < 1000, "{overtaken} frames of the flood came first");
    flood.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_does_not_read_slows_its_peers_and_loses_nothing_that_was_sent() {
    let mut committee = Committee::new(2);
    committee.limits.inbound = 2;
    let mut nodes = committee.start_all().await;
    nodes[0].wait_up(1).await;
    for number in 0..500u32 {
        nodes[0].network.send(id(1), frame(Class::Vote, number.to_be_bytes().to_vec()));
    }
    nodes[0].wait_status(1, |status| status.sent.contains_key("test")).await;
    assert!(nodes[1].inbound.len() <= 2);
    for number in 0..500u32 {
        assert_eq!(nodes[1].frame().await.2[..], number.to_be_bytes());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_node_is_at_one_peers_frames_it_hears_the_others_and_reads_on_when_it_is_done() {
    let mut committee = Committee::new(3);
    committee.limits.vote.window = 2 * 1024;
    let mut nodes = committee.start_all().await;
    let sends = |node: &Node, number| node.network.send(id(0), frame(Class::Vote, vec![number]));
    nodes[1].wait_up(0).await;
    nodes[2].wait_up(0).await;
    (0..3).for_each(|number| sends(&nodes[1], number));
    // The smallest frame takes 1 KiB of the window.
    let at_work = [nodes[0].hold().await, nodes[0].hold().await];
    assert_eq!([at_work[0].0, at_work[1].0], [id(1), id(1)]);
    sends(&nodes[2], 9);
    assert_eq!(nodes[0].hold().await.0, id(2), "the window is full of frames of replica 1, and for it alone");
    drop(at_work);
    assert_eq!(nodes[0].frame().await, (id(1), Class::Vote, vec![2].into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_stops_in_the_middle_of_a_frame_is_closed() {
    let mut committee = Committee::new(2);
    committee.limits.read_timeout = Duration::from_millis(50);
    let honest = committee.start(0).await;
    let mut rogue = Rogue::start(&committee, 1, 0).await;
    let mut stream = rogue.open(Class::Batch).await;
    stream.write_all(&1000u32.to_be_bytes()).await.unwrap();
    stream.write_all(b"and then nothing").await.unwrap();
    stream.flush().await.unwrap();
    let mut rest = Vec::new();
    let end = timeout(DEADLINE, stream.read_to_end(&mut rest)).await.expect("the stream is closed");
    assert!(end.is_err() || rest.is_empty());
    assert_eq!(honest.metric("quorate_p2p_refused_total{reason=\"stalled_frame\"}"), Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_stream_of_a_class_ends_the_older() {
    let committee = Committee::new(2);
    let mut honest = committee.start(0).await;
    let mut rogue = Rogue::start(&committee, 1, 0).await;
    let mut first = rogue.open(Class::Vote).await;
    let mut second = rogue.open(Class::Vote).await;
    let mut rest = Vec::new();
    let end = timeout(DEADLINE, first.read_to_end(&mut rest)).await.expect("the older stream is closed");
    assert!(end.is_err() || rest.is_empty());
    rogue::send(&mut second, b"newer").await.unwrap();
    assert_eq!(honest.frame().await.2, "newer");
}
