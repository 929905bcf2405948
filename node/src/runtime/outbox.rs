//! Messages into frames: encoded once, on the stream of their class.

use bytes::Bytes;
use quorate_consensus::{Kind, PoolMessage, Protocol};
use quorate_network::{Class, Frame, Network};
use quorate_types::{ReplicaId, View, encode};
use quorate_validator::{Testimony, Wire};
use std::{marker::PhantomData, sync::Arc};

/// The way out to the peers.
#[derive(Clone)]
pub(super) struct Outbox<P> {
    network: Arc<dyn Network>,
    protocol: PhantomData<fn() -> P>,
}

impl<P: Protocol> Outbox<P> {
    pub(super) fn new(network: Arc<dyn Network>) -> Self {
        Self { network, protocol: PhantomData }
    }

    pub(super) fn send(&self, to: ReplicaId, message: P::Message) {
        self.network.send(to, frame::<P>(&Wire::Consensus(message)));
    }

    pub(super) fn broadcast(&self, message: P::Message) {
        self.network.broadcast(frame::<P>(&Wire::Consensus(message)));
    }

    pub(super) fn send_pool(&self, to: ReplicaId, message: PoolMessage) {
        self.network.send(to, frame::<P>(&Wire::Pool(message)));
    }

    pub(super) fn broadcast_pool(&self, message: PoolMessage) {
        self.network.broadcast(frame::<P>(&Wire::Pool(message)));
    }

    pub(super) fn testify(&self, to: ReplicaId, testimony: Testimony) {
        self.network.send(to, frame::<P>(&Wire::Evidence(testimony)));
    }

    pub(super) fn set_view(&self, view: View) {
        self.network.set_view(view);
    }
}

/// The stream that a message goes on. Small and urgent first; bodies last.
pub(super) fn class_of<M: Kind>(wire: &Wire<M>) -> Class {
    match wire {
        Wire::Pool(_) | Wire::Evidence(_) => Class::Batch,
        Wire::Consensus(message) if message.is_large() => Class::Proposal,
        Wire::Consensus(_) => Class::Vote,
    }
}

fn frame<P: Protocol>(wire: &Wire<P::Message>) -> Frame {
    Frame {
        class: class_of(wire),
        kind: wire.kind(),
        stale_after: wire.stale_after(),
        bytes: Bytes::from(encode(wire)),
    }
}
