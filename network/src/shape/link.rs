//! One link: how it is to behave, what lies on it, and its own chance.

use super::{flight::Change, trips::Trips};
use quorate_links::{Arrivals, Lane, LinkSpec};
use quorate_types::ReplicaId;
use std::time::Duration;

/// A wire that is busy for no longer takes a frame all the same: nobody wakes at the very moment at which it is free.
const AHEAD: Duration = Duration::from_millis(10);

/// The way from us to one peer. Times are since the shaping's epoch.
#[derive(Clone, Debug)]
pub(super) struct Link {
    spec: LinkSpec,
    lane: Lane,
    chance: Chance,
    /// How often it has changed, and when it did last.
    changed: (u64, Duration),
    pub(super) trips: Trips,
}

impl Link {
    pub(super) fn perfect(seed: u64, peer: ReplicaId) -> Self {
        let chance = Chance(seed ^ u64::from(peer.0).wrapping_mul(0xd6e8_feb8_6659_fd93));
        let (spec, lane, trips) = (LinkSpec::default(), Lane::default(), Trips::default());
        Self { spec, lane, chance, changed: (0, Duration::ZERO), trips }
    }

    pub(super) fn spec(&self) -> LinkSpec {
        self.spec
    }

    /// Behaves so from now on. The backlog of the old wire holds up nothing on the new one, and what was measured is void.
    pub(super) fn change(&mut self, spec: LinkSpec, now: Duration) {
        if self.spec == spec {
            return;
        }
        self.spec = spec;
        self.lane = Lane::default();
        self.trips = Trips::default();
        self.changed = (self.changed.0 + 1, now);
    }

    pub(super) fn last_change(&self) -> Change {
        let (count, at) = self.changed;
        Change { count, latest: at.saturating_add(self.spec.delay) }
    }

    pub(super) fn busy_until(&self, now: Duration) -> Option<Duration> {
        let free = self.lane.free_at(&self.spec).saturating_sub(AHEAD);
        (free > now).then_some(free)
    }

    pub(super) fn send(&mut self, now: Duration, bytes: usize) -> Arrivals {
        self.lane.send(&self.spec, now, bytes, || self.chance.next())
    }

    /// An echo that left before the last change says nothing about the link as it is.
    pub(super) fn on_echo(&mut self, left: Duration, now: Duration) {
        if left >= self.changed.1
            && let Some(trip) = now.checked_sub(left)
        {
            self.trips.add(now, trip);
        }
    }
}

/// splitmix64: enough for the toss of a coin, and the same for the same seed.
#[derive(Clone, Debug)]
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
