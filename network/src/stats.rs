//! What the node may know about a peer, and the numbers behind it.

use quorate_types::ReplicaId;
use std::{collections::BTreeMap, time::Duration};

/// Messages and their bytes, without framing and encryption.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// How many.
    pub messages: u64,
    /// How many bytes in all.
    pub bytes: u64,
}

impl Count {
    pub(crate) fn add(&mut self, bytes: usize) {
        self.messages += 1;
        self.bytes += bytes as u64;
    }
}

/// What waits in one queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueStatus {
    /// Frames waiting.
    pub frames: usize,
    /// Their bytes.
    pub bytes: usize,
}

/// One peer as the network sees it at this moment.
#[derive(Clone, Debug)]
pub struct PeerStatus {
    /// Its index in the committee.
    pub replica: ReplicaId,
    /// Its name in the configuration.
    pub name: String,
    /// `host:port` in the configuration.
    pub address: String,
    /// Whether votes can be sent to it: connected, and its hello matched.
    pub connected: bool,
    /// The last ping's round trip on the present connection.
    pub rtt: Option<Duration>,
    /// What waits for it, by class: vote, proposal, batch. What is on its way over a shaped link is counted here.
    pub queued: [QueueStatus; 3],
    /// What was given to its streams, by kind; sync as `request` and `response`.
    pub sent: BTreeMap<&'static str, Count>,
    /// What came from it, by class; sync as `request` and `response`.
    pub received: BTreeMap<&'static str, Count>,
    /// What was not sent to it or not taken from it, by reason: `queue_full`, `stale`, `oversized`, `shaped`
    /// (lost on a shaped link), ...
    pub dropped: BTreeMap<&'static str, u64>,
    /// Connections so far, this one included.
    pub connections: u64,
    /// Why it is not connected: unreachable, refused or lost. `None` while it is, or before anything was tried.
    pub last_error: Option<String>,
}

/// The counting half of a [`PeerStatus`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) sent: BTreeMap<&'static str, Count>,
    pub(crate) received: BTreeMap<&'static str, Count>,
    pub(crate) dropped: BTreeMap<&'static str, u64>,
}
