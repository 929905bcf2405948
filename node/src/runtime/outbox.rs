//! Messages into frames: encoded once, on the stream of their class.

use super::NodeMessage;
use bytes::Bytes;
use quorate_consensus::{Kind, PoolMessage};
use quorate_network::{Class, Frame, Network};
use quorate_types::{ReplicaId, View, encode};
use quorate_validator::Wire;
use std::sync::Arc;

/// The way out to the peers.
#[derive(Clone)]
pub(super) struct Outbox(pub(super) Arc<dyn Network>);

impl Outbox {
    pub(super) fn send(&self, to: ReplicaId, message: NodeMessage) {
        self.0.send(to, frame(&Wire::Consensus(message)));
    }

    pub(super) fn broadcast(&self, message: NodeMessage) {
        self.0.broadcast(frame(&Wire::Consensus(message)));
    }

    pub(super) fn send_pool(&self, to: ReplicaId, message: PoolMessage) {
        self.0.send(to, frame(&Wire::Pool(message)));
    }

    pub(super) fn broadcast_pool(&self, message: PoolMessage) {
        self.0.broadcast(frame(&Wire::Pool(message)));
    }

    pub(super) fn set_view(&self, view: View) {
        self.0.set_view(view);
    }
}

fn frame(wire: &Wire<NodeMessage>) -> Frame {
    Frame { class: class(wire), kind: wire.kind(), stale_after: wire.stale_after(), bytes: Bytes::from(encode(wire)) }
}

/// Small and urgent first; bodies last.
fn class(wire: &Wire<NodeMessage>) -> Class {
    match wire {
        Wire::Pool(_) => Class::Batch,
        Wire::Consensus(NodeMessage::Proposal(_) | NodeMessage::Blocks { .. }) => Class::Proposal,
        Wire::Consensus(_) => Class::Vote,
    }
}
