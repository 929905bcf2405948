//! Links that are cut: one way, both, while frames and requests are on their way, and healed.

use crate::common::{
    Committee, DEADLINE, id,
    shaped::{MS, NEVER, Shaped},
};
use bytes::Bytes;
use quorate_links::LinkSpec;
use quorate_network::{Inbound, Network, RequestError, Responder};
use std::time::{Duration, Instant};
use tokio::{sync::oneshot, time::timeout};

const CUT: LinkSpec = LinkSpec { cut: true, ..PERFECT };
const PERFECT: LinkSpec = LinkSpec {
    delay: Duration::ZERO,
    jitter: Duration::ZERO,
    loss: 0.0,
    duplicate: 0.0,
    reorder: 0.0,
    bandwidth: None,
    cut: false,
};

async fn question(node: &mut Shaped) -> (Bytes, Responder) {
    node.wait(|inbound| match inbound {
        Inbound::Request { bytes, respond, .. } => Some((bytes, respond)),
        _ => None,
    })
    .await
}

async fn outcome(reply: oneshot::Receiver<Result<Bytes, RequestError>>) -> Result<Bytes, RequestError> {
    timeout(DEADLINE, reply).await.expect("an answer in time").expect("the network runs")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_is_cut_one_way_carries_the_other() {
    let mut nodes = Committee::new(3).start_shaped().await;
    nodes[0].link(1, CUT);
    nodes[0].vote(1, "into the void");
    nodes[0].vote(2, "to another");
    nodes[1].vote(0, "back");
    assert_eq!(nodes[0].content().await, "back");
    assert_eq!(nodes[2].content().await, "to another");
    nodes[0].peek_status(1, |status| status.dropped.get("shaped") == Some(&1)).await;
    nodes[0].heal();
    nodes[0].vote(1, "healed");
    assert_eq!(nodes[1].content().await, "healed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn questions_and_answers_of_block_sync_obey_cuts_and_delays() {
    let mut nodes = Committee::new(2).start_shaped().await;
    nodes[0].link(1, CUT);
    let lost = nodes[0].network.request(id(1), Bytes::from("unheard"));
    assert_eq!(outcome(lost).await, Err(RequestError::Timeout));
    // The other way the question comes through, and the answer is lost.
    let unanswered = nodes[1].network.request(id(0), Bytes::from("heard"));
    let (bytes, respond) = question(&mut nodes[0]).await;
    assert_eq!(bytes, "heard");
    respond.respond(Bytes::from("an answer")).unwrap();
    assert_eq!(outcome(unanswered).await, Err(RequestError::NoAnswer));
    nodes[0].link(1, LinkSpec::delay(100 * MS));
    nodes[1].link(0, LinkSpec::delay(50 * MS));
    let asked = Instant::now();
    let answered = nodes[0].network.request(id(1), Bytes::from("again"));
    let (bytes, respond) = question(&mut nodes[1]).await;
    assert_eq!(bytes, "again", "what was lost before does not come");
    assert!(asked.elapsed() >= 100 * MS);
    respond.respond(Bytes::from("the answer")).unwrap();
    assert_eq!(outcome(answered).await.unwrap(), "the answer");
    assert!(asked.elapsed() >= 150 * MS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_on_its_way_when_a_link_is_cut_never_comes() {
    let mut committee = Committee::new(2);
    committee.limits.vote.queue_frames = 1;
    let mut nodes = committee.start_shaped().await;
    nodes[0].link(1, LinkSpec::delay(NEVER));
    let asked = nodes[0].network.request(id(1), Bytes::from("on its way too"));
    // The queue holds one: of two, the other is on its way.
    while nodes[0].status(1).queued[0].frames < 2 {
        nodes[0].vote(1, "on its way");
        tokio::time::sleep(MS).await;
    }
    nodes[0].link(1, CUT);
    assert_eq!(outcome(asked).await, Err(RequestError::Timeout));
    nodes[0].peek_status(1, |status| status.dropped.get("shaped") == Some(&3)).await;
    nodes[0].heal();
    nodes[0].vote(1, "later");
    assert_eq!(nodes[1].content().await, "later");
}

/// Pings, writes and reads are timed in tenths of a second, and the cut lasts longer: nothing of that ends the connection, so
/// nobody has to dial when it is healed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_cut_keeps_the_connection_and_the_first_frame_after_it_arrives() {
    let mut committee = Committee::new(2);
    committee.limits.ping_interval = 100 * MS;
    committee.limits.write_timeout = 300 * MS;
    committee.limits.read_timeout = 300 * MS;
    let mut nodes = committee.start_shaped().await;
    nodes[0].link(1, CUT);
    nodes[1].link(0, CUT);
    for _ in 0..150 {
        nodes[0].vote(1, "unheard");
        nodes[1].vote(0, "unheard");
        tokio::time::sleep(10 * MS).await;
    }
    for node in &nodes {
        node.heal();
    }
    let healed = Instant::now();
    nodes[0].vote(1, "at last");
    nodes[1].vote(0, "at last");
    for node in &mut nodes {
        assert_eq!(node.content().await, "at last");
    }
    println!("the first frames after the cut took {:?}", healed.elapsed());
    assert_eq!([nodes[0].lost(1), nodes[1].lost(0)], [150, 150]);
    assert_eq!([nodes[0].status(1).connections, nodes[1].status(0).connections], [1, 1]);
}
