//! The shaped way of frames to one peer: from its queue over its wire to its streams.

use super::{Shaping, echo::Echoes, flight::Flight, wire::Wire};
use crate::{
    Class, Frame, Limits, QueueStatus,
    metrics::{Drop, Meter},
    queue::Queue,
};
use quorate_types::{ReplicaId, View};
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// What a writer does next.
#[derive(Debug)]
pub(crate) enum Next {
    /// Write this.
    Frame(Frame),
    /// Wait for the queue, or until then.
    Nothing {
        /// Since the shaping's epoch.
        until: Option<Duration>,
    },
}

/// One peer's wire, and what is on it.
#[derive(Debug)]
pub(crate) struct Passage {
    pub(crate) wire: Wire,
    pub(crate) echoes: Echoes,
    /// By class.
    flights: [Mutex<Flight<Frame>>; 3],
}

impl Passage {
    pub(crate) fn new(shaping: Shaping, peer: ReplicaId, limits: &Limits) -> Self {
        let flights = Class::ALL.map(|class| Mutex::new(Flight::new(&limits.class(class))));
        Self { wire: Wire::new(shaping, peer), echoes: Echoes::default(), flights }
    }

    /// A new stream: what was on its way to the old one is lost, as it would be in the sockets of a connection that breaks.
    pub(crate) fn begin(&self, class: Class, meter: &Meter) {
        let lost = self.flight(class).clear();
        meter.dropped(class.name(), Drop::Shaped, lost as u64);
    }

    /// The next frame of `class` that has arrived. Before it looks, it sends what the wire takes.
    pub(crate) fn next(&self, class: Class, queue: &Queue, meter: &Meter, view: View) -> Next {
        let mut flight = self.flight(class);
        flight.follow(self.wire.change());
        loop {
            let now = self.wire.now();
            while let Some(frame) = flight.arrived(now) {
                if !self.wire.is_cut() {
                    return Next::Frame(frame);
                }
                meter.dropped(class.name(), Drop::Shaped, 1);
            }
            if !flight.has_room() {
                return Next::Nothing { until: flight.next_at() };
            }
            if let Some(free) = self.wire.busy_until(now) {
                let until = flight.next_at().map_or(free, |arrival| arrival.min(free));
                return Next::Nothing { until: Some(until) };
            }
            let taken = queue.take(class, view);
            meter.dropped(class.name(), Drop::Stale, taken.stale);
            let Some(frame) = taken.frame else { return Next::Nothing { until: flight.next_at() } };
            self.send(frame, now, &mut flight, meter);
        }
    }

    fn send(&self, frame: Frame, now: Duration, flight: &mut Flight<Frame>, meter: &Meter) {
        let bytes = frame.bytes.len();
        let arrivals = self.wire.send(now, bytes);
        if arrivals.first.is_none() {
            meter.dropped(frame.class.name(), Drop::Shaped, 1);
        }
        for arrives in arrivals.iter() {
            flight.push(arrives, bytes, frame.clone());
        }
    }

    /// What is on its way, by class.
    pub(crate) fn status(&self) -> [QueueStatus; 3] {
        Class::ALL.map(|class| self.flight(class).status())
    }

    fn flight(&self, class: Class) -> MutexGuard<'_, Flight<Frame>> {
        // Nothing below the lock can stop half-way.
        self.flights[class.index()].lock().unwrap_or_else(PoisonError::into_inner)
    }
}
