//! Messages: from a process, through interception and links, to another.

use super::{
    Cluster,
    events::{Event, Parcel},
};
use crate::{SimProtocol, Violation, checker::Rule, node::SimWire};
use quorate_consensus::{Kind, hotstuff::HotStuff};
use quorate_crypto::Symbolic;
use quorate_types::{ReplicaId, decode, encode};
use quorate_validator::{
    Checked,
    sync::{SyncReply, SyncRequest},
};
use std::{sync::Arc, time::Duration};

/// What a test does with a message on a link.
pub enum Verdict<P: SimProtocol = HotStuff<Symbolic>> {
    /// Lets it go its way.
    Pass,
    /// Takes it.
    Drop,
    /// Holds it for so long before it goes its way.
    Delay(Duration),
    /// Puts these in its place, as if its sender had sent them.
    Replace(Vec<SimWire<P>>),
}

/// Looks at every message: from, to, what.
pub(super) type Intercept<P> = Box<dyn FnMut(ReplicaId, ReplicaId, &SimWire<P>) -> Verdict<P>>;

/// What becomes of an answer: from, to, question, answer.
pub(super) type Corrupt = Box<dyn FnMut(ReplicaId, ReplicaId, SyncRequest, SyncReply) -> Option<SyncReply>>;

impl<P: SimProtocol> Cluster<P> {
    /// From now on `corrupt` decides what replicas answer to whoever catches up; `None`: nothing.
    pub fn corrupt_answers(
        &mut self,
        corrupt: impl FnMut(ReplicaId, ReplicaId, SyncRequest, SyncReply) -> Option<SyncReply> + 'static,
    ) {
        self.corrupt = Some(Box::new(corrupt));
    }

    /// From now on `verdict` decides about every message between two replicas, before the link does.
    pub fn intercept(&mut self, verdict: impl FnMut(ReplicaId, ReplicaId, &SimWire<P>) -> Verdict<P> + 'static) {
        self.intercept = Some(Box::new(verdict));
    }

    /// Messages go their way again.
    pub fn stop_intercepting(&mut self) {
        self.intercept = None;
    }

    /// Sends a message as if `from` had sent it. If it does not verify as `from`'s, its receiver rejects it.
    pub fn inject(&mut self, from: u16, to: u16, wire: SimWire<P>) {
        if let Some(parcel) = self.pack(ReplicaId(from), &[ReplicaId(to)], wire, false) {
            self.ship(ReplicaId(from), ReplicaId(to), &parcel, Duration::ZERO);
        }
    }

    /// A process sends `wire` to each of `to`.
    pub(super) fn post(&mut self, from: ReplicaId, to: &[ReplicaId], wire: SimWire<P>) {
        self.overhear(from, &wire);
        self.tell_prepared(from, &wire);
        let Some(mut intercept) = self.intercept.take() else {
            if let Some(parcel) = self.pack(from, to, wire, true) {
                to.iter().for_each(|to| self.ship(from, *to, &parcel, Duration::ZERO));
            }
            return;
        };
        for &to in to {
            let (wires, delay, is_own) = match intercept(from, to, &wire) {
                Verdict::Pass => (vec![wire.clone()], Duration::ZERO, true),
                Verdict::Drop => continue,
                Verdict::Delay(delay) => (vec![wire.clone()], delay, true),
                Verdict::Replace(wires) => (wires, Duration::ZERO, false),
            };
            for wire in wires {
                if let Some(parcel) = self.pack(from, &[to], wire, is_own) {
                    self.ship(from, to, &parcel, delay);
                }
            }
        }
        self.intercept = Some(intercept);
    }

    /// A process sends bytes that may be no message: what does not decode is thrown away where it arrives.
    pub(super) fn post_bytes(&mut self, from: ReplicaId, to: ReplicaId, bytes: &[u8]) {
        match decode::<SimWire<P>>(bytes) {
            Ok(wire) => self.post(from, &[to], wire),
            Err(_) => {
                *self.counts.entry("garbage").or_default() += 1;
                self.rejected += 1;
                let content = self.story.as_mut().and_then(|story| story.keep(&bytes));
                self.tell_refused(from, &[to], ("garbage", bytes.len(), content));
            }
        }
    }

    /// Through the codec and the check that every receiver makes. What an honest replica sends of its own passes both.
    fn pack(&mut self, from: ReplicaId, to: &[ReplicaId], wire: SimWire<P>, is_own: bool) -> Option<Arc<Parcel<P>>> {
        let bytes = encode(&wire);
        let (kind, length) = (wire.kind(), bytes.len());
        let content = self.story.as_mut().and_then(|story| story.keep(&wire));
        let decoded: Result<SimWire<P>, _> = decode(&bytes);
        let checked = decoded
            .map_err(quorate_consensus::Rejection::from)
            .and_then(|wire| Checked::check(wire, from, &self.setup.keys));
        match checked {
            Ok(checked) => Some(Arc::new(Parcel { wire, checked, kind, length, content })),
            Err(rejection) => {
                self.rejected += 1;
                self.tell_refused(from, to, (kind, length, content));
                if is_own && !self.checkers.dishonest.contains(&from) {
                    let what = format!("a {kind} of {from}, which is honest, is rejected: {rejection}");
                    self.violated(Violation::new(Rule::Honesty, what));
                }
                None
            }
        }
    }

    fn ship(&mut self, from: ReplicaId, to: ReplicaId, parcel: &Arc<Parcel<P>>, delay: Duration) {
        *self.counts.entry(parcel.kind).or_default() += 1;
        let now = self.queue.now() + delay;
        self.count_sent(from, &parcel.wire, parcel.length, now);
        let arrivals = self.network.send(from, to, now, parcel.length);
        if let Some(story) = &mut self.story {
            story.sent((from, to), (parcel.kind, parcel.length, parcel.content), now, arrivals.iter());
        }
        for at in arrivals.iter() {
            self.queue.post(at, Event::Arrives { from, to, parcel: parcel.clone() });
        }
    }
}
