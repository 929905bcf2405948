//! What a network is started with, and every bound in it.

use crate::{Class, Hello, Shaping};
use quorate_crypto::{IdentityKey, IdentitySecret};
use quorate_types::ReplicaId;
use std::{net::SocketAddr, time::Duration};

/// Everything [`start`](crate::start) needs.
#[derive(Debug)]
pub struct Config {
    /// Our index in the committee.
    pub me: ReplicaId,
    /// Authenticates our connections; libp2p's peer id follows from it.
    pub identity: IdentitySecret,
    /// Where to listen. Port 0 takes a free one; `start` returns which. `[::]` means IPv6 only, on every system.
    pub listen: SocketAddr,
    /// The committee. An entry for ourselves is allowed, and then must carry our identity key.
    pub peers: Vec<Peer>,
    /// What we say first on every stream. Its replica must be `me`.
    pub hello: Hello,
    /// Bounds and deadlines; the default suits a committee on the internet.
    pub limits: Limits,
    /// What our links do to what we send. `None`: nothing, and no echo is sent or answered.
    pub shaping: Option<Shaping>,
}

/// A replica to talk to.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Its index in the committee.
    pub replica: ReplicaId,
    /// What it must prove to hold.
    pub identity: IdentityKey,
    /// `host:port`. The host is resolved again at each dial, so it may move.
    pub address: String,
    /// For people.
    pub name: String,
}

/// The bounds of one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassLimits {
    /// Bytes of one frame, in both directions. Part of the wire protocol: all replicas must agree.
    pub frame: usize,
    /// Frames waiting per peer. One more drops the oldest.
    pub queue_frames: usize,
    /// Bytes waiting per peer. At least `frame`.
    pub queue_bytes: usize,
    /// Bytes of a peer's frames that the node is at; its stream is read on when they are done with. A frame counts as at least
    /// 1 KiB, and one that is larger than this is taken alone.
    pub window: usize,
}

/// Every bound and deadline of the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Votes, timeouts, certificates. A certificate of 1024 replicas is about 64 KiB; the limit leaves room.
    pub vote: ClassLimits,
    /// Proposals.
    pub proposal: ClassLimits,
    /// Batches.
    pub batch: ClassLimits,
    /// Bytes of a sync request.
    pub request: usize,
    /// Bytes of a sync response.
    pub response: usize,
    /// From asking to the last byte of the answer.
    pub request_timeout: Duration,
    /// Our own requests in flight to one peer; more fail with [`RequestError::Busy`](crate::RequestError::Busy).
    pub requests_out: usize,
    /// A peer's requests that wait for our answer; more are dropped unanswered.
    pub requests_in: usize,
    /// Frames between the network and the node. When the node is slow, readers wait here in turn.
    pub inbound: usize,
    /// From opening a stream to a checked hello.
    pub handshake_timeout: Duration,
    /// A stream on which the peer accepts nothing for so long is closed and opened again.
    pub write_timeout: Duration,
    /// An incoming stream that stops in the middle of a frame for so long is closed.
    pub read_timeout: Duration,
    /// Resolving, connecting, and proving who we are: each.
    pub dial_timeout: Duration,
    /// The first pause between two dials; it doubles up to `reconnect_max`, with full jitter.
    pub reconnect_min: Duration,
    /// The longest pause between two dials.
    pub reconnect_max: Duration,
    /// How long the side with the greater peer id waits for the other to dial.
    pub dial_grace: Duration,
    /// Pause between pings.
    pub ping_interval: Duration,
    /// How long a ping may take. Two lost in a row close the connection.
    pub ping_timeout: Duration,
    /// Incoming connections that have not yet proved who they are.
    pub pending_incoming: u32,
    /// The same from one address (a /64 counts as one), so that one host cannot take all of them.
    pub pending_per_address: u32,
}

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

impl Default for Limits {
    fn default() -> Self {
        Self {
            vote: ClassLimits { frame: MIB, queue_frames: 4096, queue_bytes: 8 * MIB, window: 4 * MIB },
            proposal: ClassLimits { frame: MIB, queue_frames: 256, queue_bytes: 8 * MIB, window: 4 * MIB },
            batch: ClassLimits { frame: MIB, queue_frames: 256, queue_bytes: 16 * MIB, window: 4 * MIB },
            request: 64 * KIB,
            response: 64 * MIB,
            request_timeout: Duration::from_secs(20),
            requests_out: 8,
            requests_in: 4,
            inbound: 64,
            handshake_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(30),
            read_timeout: Duration::from_secs(30),
            dial_timeout: Duration::from_secs(5),
            reconnect_min: Duration::from_millis(100),
            reconnect_max: Duration::from_secs(5),
            dial_grace: Duration::from_millis(300),
            ping_interval: Duration::from_secs(2),
            ping_timeout: Duration::from_secs(4),
            pending_incoming: 64,
            pending_per_address: 16,
        }
    }
}

impl Limits {
    /// The bounds of `class`.
    pub fn class(&self, class: Class) -> ClassLimits {
        match class {
            Class::Vote => self.vote,
            Class::Proposal => self.proposal,
            Class::Batch => self.batch,
        }
    }
}
