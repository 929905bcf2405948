//! One link as those see it who send on it. Times are since the shaping's epoch.

use super::{Shaping, flight::Change};
use quorate_links::Arrivals;
use quorate_types::ReplicaId;
use std::time::Duration;
use tokio::{select, sync::watch, time::sleep};

/// Who lost a question or an answer learns of it so late: as in the simulator.
const UNANSWERED: Duration = Duration::from_secs(1);

/// The link to one peer.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    shaping: Shaping,
    peer: ReplicaId,
}

impl Wire {
    pub(crate) fn new(shaping: Shaping, peer: ReplicaId) -> Self {
        Self { shaping, peer }
    }

    pub(crate) fn now(&self) -> Duration {
        self.shaping.now()
    }

    /// Until when it takes nothing; `None`: it takes something now.
    pub(crate) fn busy_until(&self, now: Duration) -> Option<Duration> {
        self.shaping.with(self.peer, |link| link.busy_until(now))
    }

    /// Sends now. Does not look whether the wire is free.
    pub(crate) fn send(&self, now: Duration, bytes: usize) -> Arrivals {
        self.shaping.with(self.peer, |link| link.send(now, bytes))
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.shaping.with(self.peer, |link| link.spec().cut)
    }

    pub(crate) fn change(&self) -> Change {
        self.shaping.with(self.peer, |link| link.last_change())
    }

    /// Notices changes from now on, of whichever link.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.shaping.shared.changes.subscribe()
    }

    /// An echo is back that left at `left`.
    pub(crate) fn on_echo(&self, left: Duration) {
        let now = self.now();
        self.shaping.with(self.peer, |link| link.on_echo(left, now));
    }

    /// Waits until then; without end if there is no such time.
    pub(crate) async fn reaches(&self, at: Option<Duration>) {
        let shared = &self.shaping.shared;
        match at.and_then(|at| shared.epoch.checked_add(at)) {
            Some(at) => shared.clock.reaches(at).await,
            None => std::future::pending().await,
        }
    }

    /// Waits as long as a question or an answer of so many bytes is on its way, and tells whether it arrives. It never does so
    /// twice.
    pub(crate) async fn carry(&self, bytes: usize) -> bool {
        let mut changes = self.changes();
        while let Some(free) = self.busy_until(self.now()) {
            select! {
                () = self.reaches(Some(free)) => {}
                _ = changes.changed() => {}
            }
        }
        let mut arrival = self.send(self.now(), bytes).first;
        while let Some(arrives) = arrival {
            select! {
                () = self.reaches(Some(arrives)) => break,
                _ = changes.changed() => arrival = Some(arrives.min(self.change().latest)),
            }
        }
        let is_lost = arrival.is_none() || self.is_cut();
        if is_lost {
            sleep(UNANSWERED).await;
        }
        !is_lost
    }
}
