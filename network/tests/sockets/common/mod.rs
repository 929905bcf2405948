//! Committees on real loopback sockets. No test waits for a time to pass; all wait for events, with a generous deadline.

pub(crate) mod proxy;
pub(crate) mod rogue;
pub(crate) mod shaped;

use bytes::Bytes;
use prometheus_client::registry::Registry;
use quorate_crypto::IdentitySecret;
use quorate_network::{
    Class, Config, Frame, Hello, Inbound, Libp2p, Limits, Network, Peer, PeerStatus, Slot, VERSION, start,
};
use quorate_types::{Digest, ReplicaId};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
    sync::atomic::{AtomicU8, Ordering},
    time::Duration,
};
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};

/// Long enough for a machine that compiles something else meanwhile.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);
pub(crate) const GENESIS: Digest = Digest([7; 32]);

/// A committee that has not been started.
pub(crate) struct Committee {
    pub(crate) secrets: Vec<IdentitySecret>,
    pub(crate) peers: Vec<Peer>,
    pub(crate) limits: Limits,
}

/// A running replica.
pub(crate) struct Node {
    pub(crate) network: Libp2p,
    pub(crate) inbound: mpsc::Receiver<Inbound>,
    pub(crate) address: SocketAddr,
    pub(crate) registry: Registry,
}

/// An address on which nothing else in this or another test listens. On Linux each committee has a loopback network of
/// its own, so nobody can take the port between finding and using it.
fn free_addresses(count: usize) -> Vec<SocketAddr> {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let ip = if cfg!(target_os = "linux") {
        let pid = std::process::id();
        Ipv4Addr::new(127, 1 + (pid % 250) as u8, (pid / 250 % 250) as u8, NEXT.fetch_add(1, Ordering::Relaxed))
    } else {
        Ipv4Addr::LOCALHOST
    };
    let held: Vec<_> = (0..count).map(|_| TcpListener::bind((IpAddr::V4(ip), 0)).unwrap()).collect();
    held.iter().map(|listener| listener.local_addr().unwrap()).collect()
}

impl Committee {
    pub(crate) fn new(size: usize) -> Self {
        if std::env::var_os("RUST_LOG").is_some() {
            let _ = tracing_subscriber::fmt()
                .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
                .with_test_writer()
                .try_init();
        }
        let secrets: Vec<_> = (0..size).map(|_| IdentitySecret::generate()).collect();
        let peers = free_addresses(size)
            .into_iter()
            .zip(&secrets)
            .zip(0..)
            .map(|((address, secret), index)| Peer {
                replica: ReplicaId(index),
                identity: secret.public(),
                address: address.to_string(),
                name: format!("v{index}"),
            })
            .collect();
        Self { secrets, peers, limits: Limits::default() }
    }

    pub(crate) fn hello(&self, replica: usize) -> Hello {
        Hello { version: VERSION, chain: "test".into(), genesis: GENESIS, replica: id(replica) }
    }

    pub(crate) fn config(&self, replica: usize) -> Config {
        Config {
            me: id(replica),
            identity: self.secrets[replica].clone(),
            listen: self.peers[replica].address.parse().unwrap(),
            peers: self.peers.clone(),
            hello: self.hello(replica),
            limits: self.limits.clone(),
            shaping: None,
        }
    }

    pub(crate) async fn start(&self, replica: usize) -> Node {
        Node::start(self.config(replica)).await
    }

    /// Starts a replica that was dropped a moment ago: its listener may still be closing.
    pub(crate) async fn restart(&self, replica: usize) -> Node {
        timeout(DEADLINE, async {
            while std::net::TcpListener::bind(&self.peers[replica].address).is_err() {
                sleep(Duration::from_millis(10)).await;
            }
        })
        .await
        .expect("the port is free in time");
        self.start(replica).await
    }

    pub(crate) async fn start_all(&self) -> Vec<Node> {
        let mut nodes = Vec::new();
        for replica in 0..self.peers.len() {
            nodes.push(self.start(replica).await);
        }
        nodes
    }
}

impl Node {
    pub(crate) async fn start(config: Config) -> Self {
        let mut registry = Registry::default();
        let (network, inbound, address) = start(config, &mut registry).await.unwrap();
        Self { network, inbound, address, registry }
    }

    /// Waits for the first arrival that `wanted` accepts; others are thrown away.
    pub(crate) async fn wait<T>(&mut self, wanted: impl Fn(Inbound) -> Option<T>) -> T {
        timeout(DEADLINE, async {
            loop {
                if let Some(found) = wanted(self.inbound.recv().await.expect("the network runs")) {
                    return found;
                }
            }
        })
        .await
        .expect("the awaited event comes in time")
    }

    pub(crate) async fn wait_up(&mut self, peer: usize) {
        self.wait(|inbound| matches!(inbound, Inbound::PeerUp(from) if from == id(peer)).then_some(())).await;
    }

    pub(crate) async fn wait_down(&mut self, peer: usize) {
        self.wait(|inbound| matches!(inbound, Inbound::PeerDown(from) if from == id(peer)).then_some(())).await;
    }

    /// The next frame, whoever sent it: sender, class, bytes.
    pub(crate) async fn frame(&mut self) -> (ReplicaId, Class, Bytes) {
        self.wait(|inbound| match inbound {
            Inbound::Frame { from, class, bytes, .. } => Some((from, class, bytes)),
            _ => None,
        })
        .await
    }

    /// The next frame's sender, and the frame's place in the sender's window.
    pub(crate) async fn hold(&mut self) -> (ReplicaId, Slot) {
        self.wait(|inbound| match inbound {
            Inbound::Frame { from, slot, .. } => Some((from, slot)),
            _ => None,
        })
        .await
    }

    pub(crate) fn status(&self, peer: usize) -> PeerStatus {
        self.network.peers().into_iter().find(|status| status.replica == id(peer)).unwrap()
    }

    /// Waits until the status of `peer` is as wanted, and leaves what arrives meanwhile in the channel.
    pub(crate) async fn peek_status(&self, peer: usize, wanted: impl Fn(&PeerStatus) -> bool) {
        timeout(DEADLINE, async {
            while !wanted(&self.status(peer)) {
                sleep(Duration::from_millis(10)).await;
            }
        })
        .await
        .expect("the awaited status comes in time");
    }

    /// Waits until the status of `peer` is as wanted. Keeps nothing of what arrives meanwhile.
    pub(crate) async fn wait_status(&mut self, peer: usize, wanted: impl Fn(&PeerStatus) -> bool) -> PeerStatus {
        let found = timeout(DEADLINE, async {
            loop {
                while self.inbound.try_recv().is_ok() {}
                let status = self.status(peer);
                if wanted(&status) {
                    return status;
                }
                sleep(Duration::from_millis(10)).await;
            }
        })
        .await;
        found.unwrap_or_else(|_| panic!("the awaited status comes in time, not {:?}", self.status(peer)))
    }

    /// The value of a metric's line that begins so.
    pub(crate) fn metric(&self, line: &str) -> Option<u64> {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry).unwrap();
        let found = text.lines().find_map(|have| have.strip_prefix(line));
        found.map(|value| value.trim().parse().unwrap())
    }
}

pub(crate) fn id(replica: usize) -> ReplicaId {
    ReplicaId(u16::try_from(replica).unwrap())
}

pub(crate) fn frame(class: Class, content: impl Into<Bytes>) -> Frame {
    Frame { class, kind: "test", stale_after: None, bytes: content.into() }
}
