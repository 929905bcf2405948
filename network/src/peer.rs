//! One peer: its queues, its link, and what is known about it.
//!
//! The driver alone changes the link; the peer's dial task and three writer tasks watch it. They must: when *we* close a
//! connection, yamux leaves whoever reads or writes on its streams waiting for ever. A change of standing is
//! logged once, at the level it deserves; repetitions of the same trouble are logged at debug.

use crate::{
    Class, Peer, PeerStatus, QueueStatus,
    context::Context,
    metrics::{Meter, Metrics},
    queue::Queue,
    shape::Passage,
    swarm::Purpose,
    window::Window,
};
use libp2p::PeerId;
use quorate_types::ReplicaId;
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

/// Streams of one peer that may be in their hello at once: one per purpose, and as many that replace them.
const HANDSHAKES: usize = 2 * Purpose::COUNT;

/// Connections to a peer, as the driver counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Link {
    /// Open connections: 0 or 1, for moments 2.
    pub(crate) open: usize,
    /// Connections so far.
    pub(crate) total: u64,
    /// Those that are closed again.
    pub(crate) closed: u64,
}

/// How we stand with a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing known yet.
    New,
    /// Votes can be sent.
    Up,
    /// Was up, is gone.
    Lost,
    /// Cannot be reached.
    Unreachable,
    /// Reached, but we or it will have nothing to do with the other: an operator must act.
    Refused,
}

/// What the hello on the present connection said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    None,
    Greeted,
    Refused,
}

#[derive(Debug)]
struct Known {
    standing: Standing,
    last_error: Option<String>,
    rtt: Option<Duration>,
    verdict: Verdict,
    /// A hello has passed since the dial task last asked.
    good_session: bool,
    readers: [Option<CancellationToken>; Purpose::COUNT],
}

/// See [`PeerState::writing`].
#[derive(Debug)]
pub(crate) struct Writing<'a>(&'a AtomicUsize);

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Everything about one peer.
#[derive(Debug)]
pub(crate) struct PeerState {
    pub(crate) replica: ReplicaId,
    pub(crate) id: PeerId,
    pub(crate) address: String,
    name: String,
    pub(crate) queue: Queue,
    /// Between the queue and the streams, if our links are shaped.
    pub(crate) passage: Option<Passage>,
    pub(crate) meter: Arc<Meter>,
    pub(crate) handshakes: Arc<Semaphore>,
    /// By class.
    pub(crate) windows: [Window; 3],
    /// Writers that may hold frames which are in no queue any more and not yet flushed.
    writing: AtomicUsize,
    link: watch::Sender<Link>,
    known: Mutex<Known>,
}

impl Link {
    pub(crate) fn is_open(&self) -> bool {
        self.open > 0
    }
}

impl PeerState {
    pub(crate) fn new(peer: &Peer, id: PeerId, context: &Context) -> Self {
        let known = Known {
            standing: Standing::New,
            last_error: None,
            rtt: None,
            verdict: Verdict::None,
            good_session: false,
            readers: [const { None }; Purpose::COUNT],
        };
        let shaping = context.shaping.clone();
        Self {
            replica: peer.replica,
            id,
            address: peer.address.clone(),
            name: peer.name.clone(),
            queue: Queue::new(&context.limits),
            passage: shaping.map(|shaping| Passage::new(shaping, peer.replica, &context.limits)),
            meter: Arc::new(Meter::new(context.metrics.clone())),
            handshakes: Arc::new(Semaphore::new(HANDSHAKES)),
            windows: Class::ALL.map(|class| Window::new(context.limits.class(class).window)),
            writing: AtomicUsize::new(0),
            link: watch::Sender::new(Link::default()),
            known: Mutex::new(known),
        }
    }

    pub(crate) fn watch_link(&self) -> watch::Receiver<Link> {
        self.link.subscribe()
    }

    /// The driver has a connection more.
    pub(crate) fn on_connected(&self, metrics: &Metrics) {
        self.link.send_modify(|link| {
            link.open += 1;
            link.total += 1;
            if link.total > 1 {
                metrics.reconnects.inc();
            }
        });
    }

    /// The driver has a connection less. With the last one goes what was known about it.
    pub(crate) fn on_disconnected(&self, cause: &str) {
        let last = self.link.borrow().open <= 1;
        if last {
            self.on_gone(cause);
        }
        self.link.send_modify(|link| {
            link.open = link.open.saturating_sub(1);
            link.closed += 1;
        });
    }

    fn on_gone(&self, cause: &str) {
        let verdict = {
            let mut known = self.known();
            known.rtt = None;
            for reader in known.readers.iter_mut().filter_map(Option::take) {
                reader.cancel();
            }
            std::mem::replace(&mut known.verdict, Verdict::None)
        };
        match verdict {
            Verdict::Greeted => self.enter(Standing::Lost, cause),
            // The refusal is more telling than the closed connection that follows from it.
            Verdict::Refused => {}
            Verdict::None => self.enter(
                Standing::Unreachable,
                &format!("{cause}, before it said hello; does its genesis hold our identity key?"),
            ),
        }
    }

    /// A hello passed: the peer is who we think, on our chain.
    pub(crate) fn on_greeted(&self) {
        // A stream of a connection that closed meanwhile proves nothing about the next one.
        if !self.link.borrow().is_open() {
            return;
        }
        let mut known = self.known();
        known.verdict = Verdict::Greeted;
        known.good_session = true;
    }

    /// Whether a hello has passed since this was last asked.
    pub(crate) fn take_good_session(&self) -> bool {
        std::mem::take(&mut self.known().good_session)
    }

    /// A hello did not match.
    pub(crate) fn on_refused(&self, why: &str) {
        self.known().verdict = Verdict::Refused;
        self.enter(Standing::Refused, why);
    }

    pub(crate) fn is_greeted(&self) -> bool {
        self.known().verdict == Verdict::Greeted
    }

    pub(crate) fn on_ping(&self, rtt: Duration) {
        self.known().rtt = Some(rtt);
    }

    /// Makes `token` the one that ends the reader of `purpose`; a reader of an older stream ends now.
    pub(crate) fn replace_reader(&self, purpose: Purpose, token: CancellationToken) {
        if let Some(older) = self.known().readers[purpose.index()].replace(token) {
            older.cancel();
        }
    }

    /// A dial failed, but too few have for a complaint.
    pub(crate) fn on_early_failure(&self, why: &str) {
        debug!(replica = self.replica.0, "{why}");
        self.known().last_error = Some(why.to_owned());
    }

    /// Notes how we stand, and logs it if that is news.
    pub(crate) fn enter(&self, standing: Standing, message: &str) {
        let news = {
            let mut known = self.known();
            known.last_error = (standing != Standing::Up).then(|| message.to_owned());
            std::mem::replace(&mut known.standing, standing) != standing
        };
        let (replica, name, address) = (self.replica.0, &self.name, &self.address);
        match standing {
            _ if !news => debug!(replica, name, address, "{standing:?} still: {message}"),
            Standing::New => debug!(replica, name, address, "{message}"),
            Standing::Up => info!(replica, name, address, "peer is up"),
            Standing::Lost => warn!(replica, name, address, "lost the peer, reconnecting: {message}"),
            Standing::Unreachable => warn!(replica, name, address, "cannot reach the peer, trying for ever: {message}"),
            Standing::Refused => error!(replica, name, address, "no agreement with the peer: {message}"),
        }
    }

    pub(crate) fn status(&self) -> PeerStatus {
        let counts = self.meter.snapshot();
        let connections = self.link.borrow().total;
        let known = self.known();
        PeerStatus {
            replica: self.replica,
            name: self.name.clone(),
            address: self.address.clone(),
            connected: known.standing == Standing::Up,
            rtt: known.rtt,
            queued: self.queued(),
            sent: counts.sent,
            received: counts.received,
            dropped: counts.dropped,
            connections,
            last_error: known.last_error.clone(),
        }
    }

    /// What waits in the queues or is on its way over a shaped link.
    fn queued(&self) -> [QueueStatus; 3] {
        let mut queued = self.queue.status();
        let flying = self.passage.as_ref().map(Passage::status).unwrap_or_default();
        for (queued, flying) in queued.iter_mut().zip(flying) {
            queued.frames += flying.frames;
            queued.bytes += flying.bytes;
        }
        queued
    }

    /// Until it is dropped, a writer may hold frames that are in no queue. Taken before the first of them.
    pub(crate) fn writing(&self) -> Writing<'_> {
        self.writing.fetch_add(1, Ordering::SeqCst);
        Writing(&self.writing)
    }

    /// Whether nothing waits to be sent, and what was sent is the connection's: closing it gently sends that.
    pub(crate) fn is_drained(&self) -> bool {
        // The way of a frame: queue, link, writer. Looked at in this order, none is missed.
        self.queued().iter().all(|class| class.frames == 0) && self.writing.load(Ordering::SeqCst) == 0
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Every change is one assignment: a poisoned lock guards a whole value.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
