//! Committees whose links are shaped.

use super::{Committee, Node, frame, id};
use bytes::Bytes;
use quorate_links::LinkSpec;
use quorate_network::{Class, Network, Shaping};
use std::{
    collections::BTreeMap,
    ops::{Deref, DerefMut},
    time::Duration,
};

pub(crate) const MS: Duration = Duration::from_millis(1);
/// Longer than any test: what is delayed so long does not come.
pub(crate) const NEVER: Duration = Duration::from_secs(3600);

/// A running replica and its links.
pub(crate) struct Shaped {
    node: Node,
    pub(crate) shaping: Shaping,
}

impl Deref for Shaped {
    type Target = Node;

    fn deref(&self) -> &Node {
        &self.node
    }
}

impl DerefMut for Shaped {
    fn deref_mut(&mut self) -> &mut Node {
        &mut self.node
    }
}

impl Committee {
    /// Starts everybody, and waits until everybody has heard of everybody.
    pub(crate) async fn start_shaped(&self) -> Vec<Shaped> {
        let mut nodes = Vec::new();
        for replica in 0..self.peers.len() {
            let shaping = Shaping::new(replica as u64);
            let mut config = self.config(replica);
            config.shaping = Some(shaping.clone());
            nodes.push(Shaped { node: Node::start(config).await, shaping });
        }
        for (replica, node) in nodes.iter().enumerate() {
            for peer in (0..self.peers.len()).filter(|peer| *peer != replica) {
                node.peek_status(peer, |status| status.connected).await;
            }
        }
        nodes
    }
}

impl Shaped {
    /// Makes the link to one peer so, and all others perfect.
    pub(crate) fn link(&self, peer: usize, spec: LinkSpec) {
        self.shaping.set(BTreeMap::from([(id(peer), spec)])).unwrap();
    }

    pub(crate) fn heal(&self) {
        self.shaping.set(BTreeMap::new()).unwrap();
    }

    pub(crate) fn vote(&self, peer: usize, content: impl Into<Bytes>) {
        self.network.send(id(peer), frame(Class::Vote, content));
    }

    /// Waits until nothing stands in the queues and nothing is on its way to `peer`.
    pub(crate) async fn wait_empty(&self, peer: usize) {
        self.peek_status(peer, |status| status.queued.iter().all(|class| class.frames == 0)).await;
    }

    pub(crate) fn lost(&self, peer: usize) -> u64 {
        self.status(peer).dropped.get("shaped").copied().unwrap_or_default()
    }

    /// The next frame's content.
    pub(crate) async fn content(&mut self) -> Bytes {
        self.frame().await.2
    }
}
