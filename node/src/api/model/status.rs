//! What a node says of itself and of the others.

use crate::{config::DurabilityChoice, handle::Role};
use quorate_network::PeerStatus;
use quorate_types::{Digest, Height, ReplicaId, View};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// `GET /v1/status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StatusView {
    /// The validator's name in the genesis.
    pub name: String,
    /// Its index there.
    #[schema(value_type = u16)]
    pub replica: ReplicaId,
    /// The chain's name.
    pub chain: String,
    /// Digest of the genesis: the chain's identity.
    #[schema(value_type = String)]
    pub genesis: Digest,
    /// `hotstuff` or `pbft`.
    pub protocol: String,
    /// What votes are signed with, such as `ed25519`.
    pub scheme: String,
    /// Whether certificates tell who signed them.
    pub attributable: bool,
    /// `kv`, `opaque`, `unsigned` or `dkg`.
    pub application: String,
    /// When promises reach the disk.
    #[schema(value_type = String)]
    pub durability: DurabilityChoice,
    /// The view it is in.
    #[schema(value_type = u64)]
    pub view: View,
    /// Who leads that view.
    #[schema(value_type = u16)]
    pub leader: ReplicaId,
    /// What this replica is doing.
    pub role: Role,
    /// Height of the last committed block.
    #[schema(value_type = u64)]
    pub height: Height,
    /// The last committed block.
    #[schema(value_type = String)]
    pub head: Digest,
    /// When it was proposed, in milliseconds since the Unix epoch.
    pub head_time: u64,
    /// View of the greatest certificate seen.
    #[schema(value_type = u64)]
    pub high_qc: View,
    /// View of the certificate it is locked on.
    #[schema(value_type = u64)]
    pub locked: View,
    /// Views timed out since the last commit.
    pub timeouts: u32,
    /// Pieces of evidence kept; `GET /v1/evidence` lists them.
    pub evidence: usize,
    /// What waits.
    pub mempool: MempoolView,
    /// Peers connected.
    pub peers_connected: usize,
    /// Peers there are.
    pub peers_total: usize,
    /// Whether the node serves.
    pub ready: bool,
    /// Why not, if not.
    pub not_ready: Option<String>,
    /// The process.
    pub pid: u32,
    /// The program's version.
    pub version: String,
}

/// What waits in the mempool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MempoolView {
    /// Transactions.
    pub transactions: usize,
    /// Batches.
    pub batches: usize,
    /// Bytes.
    pub bytes: usize,
}

/// One of `GET /v1/validators`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ValidatorView {
    /// Its index.
    #[schema(value_type = u16)]
    pub replica: ReplicaId,
    /// Its name.
    pub name: String,
    /// Authenticates its connections.
    pub identity: String,
    /// Verifies its votes.
    pub vote: String,
    /// Where the genesis says it is, `host:port`.
    pub address: Option<String>,
    /// Whether it is the node that answers.
    pub me: bool,
}

/// One of `GET /v1/peers`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PeerView {
    /// Its index.
    #[schema(value_type = u16)]
    pub replica: ReplicaId,
    /// Its name.
    pub name: String,
    /// `host:port`.
    pub address: String,
    /// Whether votes can be sent to it.
    pub connected: bool,
    /// The last ping's round trip, in milliseconds.
    pub rtt_ms: Option<f64>,
    /// Frames waiting for it: votes, proposals, batches.
    pub queued_frames: [usize; 3],
    /// Messages given to its streams, by kind.
    pub sent: BTreeMap<String, u64>,
    /// Messages that came from it, by class.
    pub received: BTreeMap<String, u64>,
    /// What was not sent to it or not taken from it, by reason.
    pub dropped: BTreeMap<String, u64>,
    /// Connections so far.
    pub connections: u64,
    /// Why it was last unreachable, refused or lost.
    pub last_error: Option<String>,
}

impl From<PeerStatus> for PeerView {
    fn from(peer: PeerStatus) -> Self {
        let messages = |counts: BTreeMap<&'static str, quorate_network::Count>| {
            counts.into_iter().map(|(kind, count)| (kind.to_owned(), count.messages)).collect()
        };
        Self {
            replica: peer.replica,
            name: peer.name,
            address: peer.address,
            connected: peer.connected,
            rtt_ms: peer.rtt.map(|rtt| rtt.as_secs_f64() * 1000.0),
            queued_frames: peer.queued.map(|queue| queue.frames),
            sent: messages(peer.sent),
            received: messages(peer.received),
            dropped: peer.dropped.into_iter().map(|(reason, count)| (reason.to_owned(), count)).collect(),
            connections: peer.connections,
            last_error: peer.last_error,
        }
    }
}
