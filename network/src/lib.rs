//! Authenticated, bounded, prioritised links between the replicas of one committee, over libp2p.
//!
//! Start at [`Network`], the one trait the rest of the node sees, and [`start`], which returns its real
//! implementation. libp2p stays inside this crate.
//!
//! **Shape.** Every pair of replicas shares one TCP connection (Noise, Yamux). On it each side opens one stream of
//! its own per [`Class`] and only writes there: votes never queue behind batches. Both sides begin a stream with a
//! [`Hello`] and close the connection when it does not match. Block sync is request and response on streams of their
//! own, refused until a hello has passed.
//!
//! **Promises.** No delivery: frames are lost when a queue is full, when a connection breaks, or when they are
//! stale; the protocol above retransmits. Frames of one class to one peer that do arrive, arrive in order. Nothing
//! here blocks the caller, and no peer can make another peer wait: each has its own queues (`queue`), its
//! own tasks, and at most one frame per stream in front of the bounded inbound channel, whose waiting senders are
//! served in turn.
//!
//! ```text
//! send/broadcast -> queue (per peer and class) -> writer task -> stream ) libp2p ( stream -> reader task -> Inbound
//!                                                 dial task -> driver (owns the swarm: connections, pings, sync)
//! ```
//!
//! With a [`Shaping`] in the configuration, what leaves the queues is delayed, lost and doubled on its way to the streams.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod codec;
mod config;
mod context;
mod dial;
mod driver;
mod error;
mod gate;
mod handle;
mod hello;
mod metrics;
mod opener;
mod peer;
mod queue;
mod reader;
mod request;
mod roster;
mod shape;
mod stats;
mod swarm;
mod sync;
mod sync_codec;
mod window;
mod writer;

pub use config::{ClassLimits, Config, Limits, Peer};
pub use error::NetworkError;
pub use handle::{Libp2p, start};
pub use hello::{Hello, Mismatch};
pub use request::{RequestError, Responder, ResponseTooLarge};
pub use shape::{BadLink, RoundTrip, Shaping};
pub use stats::{Count, PeerStatus, QueueStatus};
pub use window::Slot;

use bytes::Bytes;
use quorate_types::{ReplicaId, View};
use tokio::sync::oneshot;

/// Version of the wire protocol that this crate speaks; what [`Hello::version`] normally holds.
pub const VERSION: u16 = 1;

/// What a frame is to the scheduler: one persistent stream per peer and class, the first in this order goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Votes, timeouts, certificates: small, and everybody waits for them.
    Vote,
    /// Proposals: a view's progress.
    Proposal,
    /// Transactions on their way to everybody: large, and nobody waits for a single one.
    Batch,
}

impl Class {
    /// All classes, most urgent first.
    pub const ALL: [Self; 3] = [Self::Vote, Self::Proposal, Self::Batch];

    /// Lower-case name, as metrics and logs show it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Vote => "vote",
            Self::Proposal => "proposal",
            Self::Batch => "batch",
        }
    }

    pub(crate) fn index(self) -> usize {
        match self {
            Self::Vote => 0,
            Self::Proposal => 1,
            Self::Batch => 2,
        }
    }
}

/// One encoded message on its way out. Cloning shares the bytes.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Which stream and which queue.
    pub class: Class,
    /// The message's kind, for counting: the bench compares protocols by it.
    pub kind: &'static str,
    /// Not worth sending once [`Network::set_view`] has passed this view; `None` for what never gets old.
    pub stale_after: Option<View>,
    /// The encoded message.
    pub bytes: Bytes,
}

/// What arrives from the committee.
#[derive(Debug)]
pub enum Inbound {
    /// A message. `from` is authenticated; `bytes` are whatever that replica chose to send, up to the class's limit.
    Frame {
        /// The replica whose identity key the connection proved.
        from: ReplicaId,
        /// The stream it came on.
        class: Class,
        /// Not yet decoded, let alone believed.
        bytes: Bytes,
        /// To be dropped when the node is done with the frame.
        slot: Slot,
    },
    /// A block sync request.
    Request {
        /// Who asks.
        from: ReplicaId,
        /// What, not yet decoded.
        bytes: Bytes,
        /// Where the answer goes; dropping it tells the peer that there is none.
        respond: Responder,
    },
    /// Votes can now be sent to this replica: its hello matched ours. Frames of its own may have come before.
    PeerUp(ReplicaId),
    /// The stream that [`Inbound::PeerUp`] announced is gone. Reconnecting is the network's business.
    PeerDown(ReplicaId),
}

/// How the node talks to its committee. Object safe; no method blocks or fails: losing messages is part of the model.
pub trait Network: Send + Sync + 'static {
    /// Queues a frame for one replica. When its queue for the class is full the oldest frame there is dropped and
    /// counted. Frames to ourselves or to nobody are dropped.
    fn send(&self, to: ReplicaId, frame: Frame);

    /// Queues a frame for every replica but ourselves. The bytes are shared, not copied.
    fn broadcast(&self, frame: Frame);

    /// Tells the network how far we are: queued frames with `stale_after < view` are dropped instead of sent. The
    /// view never goes back.
    fn set_view(&self, view: View);

    /// Asks one replica (block sync). The answer, or the reason there is none, comes on the channel within
    /// [`Limits::request_timeout`] or a little more.
    fn request(&self, to: ReplicaId, bytes: Bytes) -> oneshot::Receiver<Result<Bytes, RequestError>>;

    /// The state of every other replica, ordered by index.
    fn peers(&self) -> Vec<PeerStatus>;
}
