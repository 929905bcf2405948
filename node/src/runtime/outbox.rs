//! Messages into frames: encoded once, on the stream of their class.

use super::{around::Door, costs::Meter};
use borsh::BorshSerialize;
use bytes::Bytes;
use quorate_consensus::{Kind, PoolMessage, Protocol};
use quorate_network::{Class, Frame, Network};
use quorate_types::{ReplicaId, View, encode};
use quorate_validator::{Testimony, Wire};
use std::sync::Arc;

/// The way out to the peers.
pub(super) struct Outbox<P: Protocol> {
    network: Arc<dyn Network>,
    door: Option<Arc<dyn Door>>,
    meter: Arc<Meter<P>>,
}

impl<P: Protocol> Clone for Outbox<P> {
    fn clone(&self) -> Self {
        Self { network: self.network.clone(), door: self.door.clone(), meter: self.meter.clone() }
    }
}

impl<P: Protocol> Outbox<P> {
    pub(super) fn new(network: Arc<dyn Network>, door: Option<Arc<dyn Door>>, meter: Arc<Meter<P>>) -> Self {
        Self { network, door, meter }
    }

    pub(super) fn send(&self, to: ReplicaId, message: P::Message) {
        self.tell(to, &Wire::Consensus(message));
    }

    pub(super) fn broadcast(&self, message: P::Message) {
        self.tell_all(&Wire::Consensus(message));
    }

    pub(super) fn send_pool(&self, to: ReplicaId, message: PoolMessage) {
        if let Some(message) = self.passed(Some(to), message) {
            self.tell(to, &Wire::Pool(message));
        }
    }

    pub(super) fn broadcast_pool(&self, message: PoolMessage) {
        if let Some(message) = self.passed(None, message) {
            self.tell_all(&Wire::Pool(message));
        }
    }

    fn tell(&self, to: ReplicaId, wire: &Wire<P::Message>) {
        let frame = frame(wire);
        self.meter.sent(Some(to), wire, frame.bytes.len());
        self.network.send(to, frame);
    }

    fn tell_all(&self, wire: &Wire<P::Message>) {
        let frame = frame(wire);
        self.meter.sent(None, wire, frame.bytes.len());
        self.network.broadcast(frame);
    }

    fn passed(&self, to: Option<ReplicaId>, message: PoolMessage) -> Option<PoolMessage> {
        match &self.door {
            Some(door) => door.pass(to, message),
            None => Some(message),
        }
    }

    /// A peer's message about batches has come in.
    pub(super) fn overhear(&self, from: ReplicaId, message: &PoolMessage) {
        if let Some(door) = &self.door {
            door.overhear(from, message);
        }
    }

    /// Sends what the door has to send.
    pub(super) fn post(&self) {
        if let Some(door) = &self.door {
            door.posted().into_iter().for_each(|(to, frame)| self.network.send(to, frame));
        }
    }

    pub(super) fn testify(&self, to: ReplicaId, testimony: Testimony) {
        self.tell(to, &Wire::Evidence(testimony));
    }

    pub(super) fn set_view(&self, view: View) {
        self.network.set_view(view);
    }
}

/// The stream that a message goes on. Small and urgent first; bodies last.
pub(crate) fn class_of<M: Kind>(wire: &Wire<M>) -> Class {
    match wire {
        Wire::Pool(_) | Wire::Evidence(_) => Class::Batch,
        Wire::Consensus(message) if message.is_large() => Class::Proposal,
        Wire::Consensus(_) => Class::Vote,
    }
}

/// A message on its way.
pub(crate) fn frame<M: Kind + BorshSerialize>(wire: &Wire<M>) -> Frame {
    Frame {
        class: class_of(wire),
        kind: wire.kind(),
        stale_after: wire.stale_after(),
        bytes: Bytes::from(encode(wire)),
    }
}
