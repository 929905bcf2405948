//! Block sync: one request, one answer, or the reason why there is none.

use crate::common::{Committee, DEADLINE, Node, id};
use bytes::Bytes;
use quorate_network::{Inbound, Network, RequestError, Responder};
use std::time::Duration;
use tokio::time::timeout;

async fn pair(committee: &Committee) -> (Node, Node) {
    let (mut asker, mut answerer) = (committee.start(0).await, committee.start(1).await);
    both_up(&mut asker, &mut answerer).await;
    (asker, answerer)
}

/// Questions of a peer that has not said hello yet are dropped.
async fn both_up(asker: &mut Node, answerer: &mut Node) {
    asker.wait_up(1).await;
    answerer.wait_up(0).await;
}

async fn request(node: &mut Node) -> (Bytes, Responder) {
    node.wait(|inbound| match inbound {
        Inbound::Request { bytes, respond, .. } => Some((bytes, respond)),
        _ => None,
    })
    .await
}

async fn answer(reply: tokio::sync::oneshot::Receiver<Result<Bytes, RequestError>>) -> Result<Bytes, RequestError> {
    timeout(DEADLINE, reply).await.expect("an answer in time").expect("the network runs")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_of_the_greatest_size_comes_back() {
    let committee = Committee::new(2);
    let (asker, mut answerer) = pair(&committee).await;
    let reply = asker.network.request(id(1), Bytes::from("blocks 1 to 9"));
    let (question, respond) = request(&mut answerer).await;
    assert_eq!(question, "blocks 1 to 9");
    let blocks = Bytes::from(vec![5; committee.limits.response]);
    respond.respond(blocks.clone()).unwrap();
    assert!(answer(reply).await.unwrap() == blocks);
    assert_eq!(asker.status(1).received["response"].bytes, blocks.len() as u64);
    assert_eq!(answerer.status(0).sent["response"].messages, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_over_the_limit_is_refused_where_it_is_made_and_where_it_arrives() {
    let mut committee = Committee::new(2);
    let mut answerer = committee.start(1).await;
    committee.limits.response = 10;
    let mut asker = committee.start(0).await;
    both_up(&mut asker, &mut answerer).await;
    let reply = asker.network.request(id(1), Bytes::from("q"));
    let (_, respond) = request(&mut answerer).await;
    respond.respond(Bytes::from(vec![0; 11])).unwrap();
    assert_eq!(answer(reply).await, Err(RequestError::ResponseTooLarge { have: 11, max: 10 }));
    let (respond, _answer) = Responder::pair(10);
    assert_eq!(respond.respond(Bytes::from(vec![0; 11])).unwrap_err().have, 11);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_says_nothing_is_given_up() {
    let mut committee = Committee::new(2);
    let mut answerer = committee.start(1).await;
    committee.limits.request_timeout = Duration::from_millis(100);
    let mut asker = committee.start(0).await;
    both_up(&mut asker, &mut answerer).await;
    let reply = asker.network.request(id(1), Bytes::from("q"));
    let (_, _held) = request(&mut answerer).await;
    assert_eq!(answer(reply).await, Err(RequestError::Timeout));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_has_no_answer_says_so_at_once() {
    let (asker, mut answerer) = pair(&Committee::new(2)).await;
    let reply = asker.network.request(id(1), Bytes::from("q"));
    drop(request(&mut answerer).await);
    assert_eq!(answer(reply).await, Err(RequestError::NoAnswer));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_cannot_be_made_fail_at_once() {
    let mut committee = Committee::new(2);
    committee.limits.requests_out = 2;
    let node = committee.start(0).await;
    let ask = |to: usize, size: usize| answer(node.network.request(id(to), Bytes::from(vec![0; size])));
    assert_eq!(ask(9, 1).await, Err(RequestError::UnknownPeer(id(9))));
    assert_eq!(ask(1, 1).await, Err(RequestError::NotConnected(id(1))));
    let max = committee.limits.request;
    assert_eq!(ask(1, max + 1).await, Err(RequestError::RequestTooLarge { have: max + 1, max }));

    let mut answerer = committee.start(1).await;
    answerer.wait_up(0).await;
    let mut node = node;
    node.wait_up(1).await;
    let first = node.network.request(id(1), Bytes::from("1"));
    let second = node.network.request(id(1), Bytes::from("2"));
    assert_eq!(answer(node.network.request(id(1), Bytes::from("3"))).await, Err(RequestError::Busy(id(1))));
    for reply in [first, second] {
        let (question, respond) = request(&mut answerer).await;
        respond.respond(question).unwrap();
        answer(reply).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_asks_too_much_is_not_served_and_dies_unanswered() {
    let mut committee = Committee::new(2);
    committee.limits.requests_in = 1;
    let (asker, mut answerer) = pair(&committee).await;
    let first = asker.network.request(id(1), Bytes::from("1"));
    let (_, respond) = request(&mut answerer).await;
    let second = asker.network.request(id(1), Bytes::from("2"));
    assert_eq!(answer(second).await, Err(RequestError::NoAnswer));
    assert_eq!(answerer.status(0).dropped.get("too_many_requests"), Some(&1));
    drop(answerer);
    assert!(matches!(answer(first).await, Err(RequestError::Broken(_) | RequestError::NoAnswer)));
    assert!(respond.respond(Bytes::new()).is_ok(), "an answer to nobody is no error");
}
