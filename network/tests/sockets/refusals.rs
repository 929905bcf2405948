//! Whom we will not talk to, and how they and we learn why.

use crate::common::{
    Committee, DEADLINE, GENESIS, Node, frame, id,
    rogue::{self, Rogue},
};
use futures::{AsyncReadExt, AsyncWriteExt};
use prometheus_client::registry::Registry;
use quorate_network::{Class, Network, NetworkError, start};
use quorate_types::Digest;
use std::{net::TcpListener, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_genesis_is_refused_on_both_sides_with_both_digests() {
    let committee = Committee::new(2);
    let other = Digest([8; 32]);
    let mut ours = committee.start(0).await;
    let mut config = committee.config(1);
    config.hello.genesis = other;
    let mut theirs = Node::start(config).await;
    let both = |text: &str| text.contains(&GENESIS.to_string()) && text.contains(&other.to_string());
    let tells_both = |status: &quorate_network::PeerStatus| status.last_error.as_deref().is_some_and(both);
    assert!(!ours.wait_status(1, tells_both).await.connected);
    assert!(!theirs.wait_status(0, tells_both).await.connected);
    // They go on trying, and neither ever hears a frame or takes the other for a peer.
    ours.network.send(id(1), frame(Class::Vote, "secret"));
    theirs.wait_status(0, |status| status.connections >= 2).await;
    assert!(theirs.status(0).received.is_empty());
    assert_eq!(ours.metric("quorate_p2p_connected_peers"), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_not_in_the_genesis_is_refused() {
    let committee = Committee::new(2);
    let mut honest = committee.start(0).await;
    let mut outside = Committee::new(2);
    outside.peers[0] = committee.peers[0].clone();
    outside.secrets[0] = committee.secrets[0].clone();
    let mut outsider = Rogue::start(&outside, 1, 0).await;
    let mut events = vec![outsider.event().await];
    // The handshake proves a key before the allow-list can look at it: the outsider sees a connection that closes.
    if events[0] == "connected" {
        events.push(outsider.event().await);
    }
    assert!(events.iter().any(|event| event != "connected"), "{events:?}");
    let line = "quorate_p2p_refused_total{reason=\"unknown_key\"}";
    timeout(DEADLINE, async {
        while honest.metric(line).is_none() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the refusal is counted");
    assert!(honest.inbound.try_recv().is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_key_at_a_peers_address_is_named() {
    let committee = Committee::new(3);
    let _other = committee.start(2).await;
    let mut config = committee.config(0);
    config.peers[1].address = committee.peers[2].address.clone();
    config.peers.truncate(2);
    let mut node = Node::start(config).await;
    let status = node.wait_status(1, |status| {
        status.last_error.as_deref().is_some_and(|error| error.contains("another identity key"))
    });
    assert!(!status.await.connected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_claims_anothers_index_is_refused() {
    let mut committee = Committee::new(3);
    let mut honest = committee.start(0).await;
    // Replica 1's key, replica 2's index: its own configuration has the two swapped.
    committee.secrets.swap(1, 2);
    let identities = [1, 2].map(|index: usize| committee.peers[index].identity);
    committee.peers[1].identity = identities[1];
    committee.peers[2].identity = identities[0];
    let _liar = committee.start(2).await;
    let status = honest.wait_status(1, |status| {
        status.last_error.as_deref().is_some_and(|error| error.contains("replica 1") && error.contains("replica 2"))
    });
    assert!(!status.await.connected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_oversized_length_closes_that_stream_and_nothing_else() {
    let committee = Committee::new(2);
    let mut honest = committee.start(0).await;
    let mut member = Rogue::start(&committee, 1, 0).await;
    let mut batches = member.open(Class::Batch).await;
    let mut votes = member.open(Class::Vote).await;
    batches.write_all(&u32::MAX.to_be_bytes()).await.unwrap();
    batches.flush().await.unwrap();
    let mut rest = Vec::new();
    let end = timeout(DEADLINE, batches.read_to_end(&mut rest)).await.expect("the stream is closed");
    assert!(end.is_err() || rest.is_empty());
    rogue::send(&mut votes, b"fine").await.unwrap();
    assert_eq!(honest.frame().await, (id(1), Class::Vote, "fine".into()));
    assert_eq!(honest.metric("quorate_p2p_refused_total{reason=\"oversized_frame\"}"), Some(1));
    assert_eq!(honest.status(1).received.get("batch"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_in_use_is_an_error_that_says_so() {
    let committee = Committee::new(2);
    // Another process' socket, and another validator's: libp2p alone would share the port with the second.
    let held = TcpListener::bind(&committee.peers[0].address).unwrap();
    let error = start(committee.config(0), &mut Registry::default()).await.map(|_| ()).unwrap_err();
    assert!(matches!(error, NetworkError::PortInUse { .. }), "{error}");
    assert!(error.to_string().contains(&committee.peers[0].address), "{error}");
    drop(held);
    let _running = committee.start(0).await;
    let again = start(committee.config(0), &mut Registry::default()).await.map(|_| ()).unwrap_err();
    assert!(matches!(again, NetworkError::PortInUse { .. }), "{again}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn contradictions_in_our_own_configuration_are_named() {
    let committee = Committee::new(3);
    let refused = async |change: fn(&mut quorate_network::Config)| {
        let mut config = committee.config(0);
        change(&mut config);
        start(config, &mut Registry::default()).await.map(|_| ()).unwrap_err()
    };
    let error = refused(|config| config.peers[0].identity = config.peers[1].identity).await;
    assert!(matches!(error, NetworkError::NotOurKey { .. }), "{error}");
    let error = refused(|config| config.peers[2].identity = config.peers[1].identity).await;
    assert!(matches!(error, NetworkError::Duplicate { .. }), "{error}");
    let error = refused(|config| config.peers[2].replica = config.peers[1].replica).await;
    assert!(matches!(error, NetworkError::Duplicate { .. }), "{error}");
    let error = refused(|config| config.peers[1].identity.0 = [0; 32]).await;
    assert!(matches!(error, NetworkError::BadIdentity { .. }), "{error}");
    let error = refused(|config| config.hello.replica = id(1)).await;
    assert!(matches!(error, NetworkError::Settings(_)), "{error}");
    let error = refused(|config| config.listen = "192.0.2.1:9000".parse().unwrap()).await;
    assert!(matches!(error, NetworkError::CannotListen { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_that_say_nothing_or_garbage_are_hung_up_on() {
    let mut committee = Committee::new(2);
    committee.limits.dial_timeout = Duration::from_millis(300);
    let honest = committee.start(0).await;
    for garbage in [&b""[..], b"GET / HTTP/1.1\r\n\r\n", &[0xff; 4096]] {
        let mut socket = TcpStream::connect(honest.address).await.unwrap();
        socket.write_all(garbage).await.unwrap();
        let mut rest = Vec::new();
        let _ = timeout(DEADLINE, socket.read_to_end(&mut rest)).await.expect("the connection is closed");
    }
    let mut late = committee.start(1).await;
    late.wait_up(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_comes_back_replaces_the_connection_it_has_lost() {
    let committee = Committee::new(2);
    let mut honest = committee.start(0).await;
    let mut before = Rogue::start(&committee, 1, 0).await;
    let mut stream = before.open(Class::Vote).await;
    rogue::send(&mut stream, b"before").await.unwrap();
    assert_eq!(honest.frame().await.2, "before");
    // The same replica dials again, without having closed anything: its power was cut.
    let mut after = Rogue::start(&committee, 1, 0).await;
    let mut stream = after.open(Class::Vote).await;
    rogue::send(&mut stream, b"after").await.unwrap();
    assert_eq!(honest.frame().await.2, "after");
    timeout(DEADLINE, async { while !before.event().await.starts_with("closed") {} })
        .await
        .expect("the old one is closed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn listening_on_all_interfaces_tells_the_port() {
    let committee = Committee::new(2);
    let mut config = committee.config(0);
    config.listen = "0.0.0.0:0".parse().unwrap();
    let node = Node::start(config).await;
    assert!(node.address.ip().is_unspecified() && node.address.port() != 0, "{}", node.address);
    TcpStream::connect(("127.0.0.1", node.address.port())).await.unwrap();
}
