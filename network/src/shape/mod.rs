//! Link shaping: what a replica's links do to what it sends, changed while it runs. The link model is that of the simulator
//! (`quorate-links`).
//!
//! Each replica shapes what it *sends*: a link has two directions, and each end holds one. A frame passes in this order:
//! its queue, which is served when the wire is free; the [`Lane`](quorate_links::Lane) of its peer, which says when it
//! arrives, if at all; then it is on its way (`flight`) until it is written to its class's stream. So a slow link does to its
//! queue what a slow peer does: urgent classes overtake, the oldest frame goes when it is full. What is on its way is bounded
//! as the queue is, and counted with it; when that is full, nothing more is taken.
//!
//! Block sync takes as long as frames of its size do, on the same wire; of two that wait for a busy wire either may be first.
//!
//! **A lost frame is gone**, silently, as a frame in a queue that overflows is: streams stay whole, because a frame is
//! either written entirely or not at all, and the protocol above says again what matters. A cut keeps the connection: streams,
//! hellos and pings pass below it. So nobody has to dial, and to wait for the pauses between dials, when it is healed.
//!
//! **A change holds for all that is sent after it**, and what is on its way arrives as if it had been sent with the change, if that
//! is sooner. On a link that is cut nothing arrives, however long ago it was sent.

mod clock;
pub(crate) mod echo;
mod flight;
mod link;
mod passage;
mod trips;
mod wire;

pub(crate) use passage::{Next, Passage};
pub use trips::RoundTrip;

use clock::Clock;
use link::Link;
use quorate_links::{BadSpec, LinkSpec};
use quorate_types::ReplicaId;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// The links from one replica to its peers. Clones are handles of the same links.
#[derive(Clone, Debug)]
pub struct Shaping {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    clock: Clock,
    epoch: Instant,
    seed: u64,
    links: Mutex<BTreeMap<ReplicaId, Link>>,
    /// Wakes whoever waits for what was true before a change.
    changes: watch::Sender<()>,
}

/// A link that cannot exist.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("the link to {peer}: {why}")]
pub struct BadLink {
    /// To whom.
    pub peer: ReplicaId,
    /// What is wrong with it.
    #[source]
    pub why: BadSpec,
}

impl Shaping {
    /// Perfect links. Chance is drawn from `seed`, for each link apart.
    pub fn new(seed: u64) -> Self {
        let (clock, epoch, changes) = (Clock::start(), Instant::now(), watch::Sender::new(()));
        Self { shared: Arc::new(Shared { clock, epoch, seed, links: Mutex::default(), changes }) }
    }

    /// Puts these links in force, all at once, in place of those before; peers that are not named have perfect ones. Every
    /// frame sent after this returns obeys it. A link that stays as it is does not notice. If one cannot exist, none changes.
    pub fn set(&self, mut specs: BTreeMap<ReplicaId, LinkSpec>) -> Result<(), BadLink> {
        for (&peer, spec) in &specs {
            spec.check().map_err(|why| BadLink { peer, why })?;
        }
        let now = self.now();
        let mut links = self.lock();
        for (peer, link) in links.iter_mut() {
            link.change(specs.remove(peer).unwrap_or_default(), now);
        }
        for (peer, spec) in specs {
            links.entry(peer).or_insert_with(|| self.perfect(peer)).change(spec, now);
        }
        drop(links);
        self.shared.changes.send_replace(());
        Ok(())
    }

    /// What is in force. Perfect links are not in it.
    pub fn links(&self) -> BTreeMap<ReplicaId, LinkSpec> {
        let links = self.lock();
        let specs = links.iter().map(|(peer, link)| (*peer, link.spec()));
        specs.filter(|(_, spec)| *spec != LinkSpec::default()).collect()
    }

    /// Measured lately, by small frames of our own that went to the peer and back on the links as they are in both
    /// directions. Peers from which nothing came back are not in it.
    pub fn round_trips(&self) -> BTreeMap<ReplicaId, RoundTrip> {
        let now = self.now();
        let links = self.lock();
        links.iter().filter_map(|(peer, link)| Some((*peer, link.trips.median(now)?))).collect()
    }

    fn now(&self) -> Duration {
        self.shared.epoch.elapsed()
    }

    fn perfect(&self, peer: ReplicaId) -> Link {
        Link::perfect(self.shared.seed, peer)
    }

    fn with<T>(&self, peer: ReplicaId, act: impl FnOnce(&mut Link) -> T) -> T {
        act(self.lock().entry(peer).or_insert_with(|| self.perfect(peer)))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ReplicaId, Link>> {
        // Nothing below the lock can stop half-way.
        self.shared.links.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
