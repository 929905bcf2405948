//! Honest replicas: everybody hears everybody, through deaths and cut cables, and old news is not sent.

use crate::common::{Committee, DEADLINE, Node, frame, id, proxy::Proxy};
use bytes::Bytes;
use quorate_network::{Class, Frame, Network};
use quorate_types::View;
use std::{collections::BTreeSet, time::Duration};
use tokio::time::timeout;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_replicas_hear_each_other_on_every_class() {
    let mut nodes = Committee::new(4).start_all().await;
    for (index, node) in nodes.iter_mut().enumerate() {
        // Queued before anybody is connected: it waits in the queues.
        for class in Class::ALL {
            node.network.broadcast(frame(class, format!("{index} {}", class.name())));
        }
    }
    for (index, node) in nodes.iter_mut().enumerate() {
        let expected: BTreeSet<_> = (0..4)
            .filter(|peer| *peer != index)
            .flat_map(|peer| Class::ALL.map(|class| (id(peer), class, Bytes::from(format!("{peer} {}", class.name())))))
            .collect();
        let mut heard = BTreeSet::new();
        while heard.len() < expected.len() {
            heard.insert(node.frame().await);
        }
        assert_eq!(heard, expected);
    }
    assert_eq!(nodes[0].metric("quorate_p2p_messages_sent_total{class=\"vote\",kind=\"test\"}"), Some(3));
    assert_eq!(nodes[0].metric("quorate_p2p_messages_received_total{class=\"batch\"}"), Some(3));
    assert_eq!(nodes[0].status(1).sent["test"].messages, 3);
    assert_eq!(nodes[0].status(1).received["vote"].bytes, 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_of_a_class_arrive_in_the_order_in_which_they_were_sent() {
    let mut nodes = Committee::new(2).start_all().await;
    for number in 0..200u32 {
        nodes[0].network.send(id(1), frame(Class::Vote, number.to_be_bytes().to_vec()));
    }
    for number in 0..200u32 {
        assert_eq!(nodes[1].frame().await.2[..], number.to_be_bytes());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_and_restarted_replica_is_found_again_from_both_sides() {
    for killed in [0, 1] {
        let committee = Committee::new(2);
        let mut nodes = committee.start_all().await;
        for (index, node) in nodes.iter_mut().enumerate() {
            node.wait_up(1 - index).await;
        }
        drop(nodes.remove(killed));
        let mut survivor = nodes.remove(0);
        survivor.wait_down(killed).await;
        let mut again = committee.restart(killed).await;
        survivor.wait_up(killed).await;
        again.wait_up(1 - killed).await;
        survivor.network.send(id(killed), frame(Class::Vote, "welcome"));
        again.network.send(id(1 - killed), frame(Class::Batch, "thanks"));
        assert_eq!(again.frame().await, (id(1 - killed), Class::Vote, Bytes::from("welcome")));
        assert_eq!(survivor.frame().await, (id(killed), Class::Batch, Bytes::from("thanks")));
        assert!(survivor.status(killed).connections >= 2);
        assert!(survivor.metric("quorate_p2p_reconnects_total") >= Some(1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cable_that_is_pulled_out_is_noticed_and_a_new_connection_made() {
    let mut committee = Committee::new(2);
    committee.limits.ping_interval = Duration::from_millis(100);
    committee.limits.ping_timeout = Duration::from_millis(500);
    // Each side reaches the other through a proxy, whoever dials.
    let proxies = [0, 1].map(|replica: usize| committee.peers[replica].address.parse().unwrap());
    let proxies = [Proxy::start(proxies[0]).await, Proxy::start(proxies[1]).await];
    let mut nodes = Vec::new();
    for replica in 0..2 {
        let mut config = committee.config(replica);
        config.peers[1 - replica].address = proxies[1 - replica].address.to_string();
        nodes.push(Node::start(config).await);
    }
    for (index, node) in nodes.iter_mut().enumerate() {
        node.wait_up(1 - index).await;
    }
    proxies.iter().for_each(Proxy::cut_the_cable);
    for (index, node) in nodes.iter_mut().enumerate() {
        node.wait_down(1 - index).await;
    }
    for (index, node) in nodes.iter_mut().enumerate() {
        node.wait_up(1 - index).await;
    }
    for (index, node) in nodes.iter_mut().enumerate() {
        node.network.send(id(1 - index), frame(Class::Vote, "still here"));
    }
    for node in &mut nodes {
        assert_eq!(node.frame().await.2, "still here");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_whose_view_has_passed_are_not_sent() {
    let committee = Committee::new(2);
    let sender = committee.start(0).await;
    for view in 1..=5 {
        let bytes = Bytes::from(format!("view {view}"));
        sender.network.send(id(1), Frame { stale_after: Some(View(view)), ..frame(Class::Vote, bytes) });
    }
    sender.network.set_view(View(4));
    sender.network.set_view(View(2)); // a late call changes nothing
    let mut receiver = committee.start(1).await;
    assert_eq!(receiver.frame().await.2, "view 4");
    assert_eq!(receiver.frame().await.2, "view 5");
    assert_eq!(sender.status(1).dropped.get("stale"), Some(&3));
    assert_eq!(sender.metric("quorate_p2p_messages_dropped_total{class=\"vote\",reason=\"stale\"}"), Some(3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutdown_sends_what_is_queued_says_goodbye_and_frees_the_port() {
    let committee = Committee::new(2);
    let mut nodes = committee.start_all().await;
    for (index, node) in nodes.iter_mut().enumerate() {
        node.wait_up(1 - index).await;
    }
    nodes[0].network.send(id(1), frame(Class::Vote, "last words"));
    nodes[0].network.shutdown().await;
    assert_eq!(nodes[1].frame().await.2, "last words");
    nodes[1].wait_down(0).await;
    timeout(DEADLINE, async { while nodes[0].inbound.recv().await.is_some() {} }).await.expect("the channel ends");
    std::net::TcpListener::bind(nodes[0].address).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_committee_of_one_has_nobody_to_talk_to_and_runs() {
    let committee = Committee::new(1);
    let mut node = committee.start(0).await;
    node.network.broadcast(frame(Class::Vote, "alone"));
    node.network.send(id(0), frame(Class::Vote, "to myself"));
    assert!(node.network.peers().is_empty());
    assert!(node.network.request(id(0), Bytes::new()).await.unwrap().is_err());
    assert!(matches!(node.inbound.try_recv(), Err(tokio::sync::mpsc::error::TryRecvError::Empty)));
}
