//! A validator at one moment.

use quorate_ledger::Durability;
use quorate_types::{Digest, Height, ReplicaId, View};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a replica is doing just now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// It leads its view.
    Leader,
    /// It follows the view's leader.
    #[default]
    Follower,
    /// It fetches blocks that others have committed.
    Syncing,
    /// It lost its journal and signs nothing until that is safe.
    Silent,
}

/// A validator at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Which validator of the genesis.
    pub replica: ReplicaId,
    /// Its name there.
    pub name: String,
    /// The view it is in.
    pub view: View,
    /// The last committed block's height.
    pub height: Height,
    /// The last committed block.
    pub head: Digest,
    /// Milliseconds since the Unix epoch at which the head was proposed.
    pub head_time: u64,
    /// Who leads `view`.
    pub leader: ReplicaId,
    /// What this replica is doing.
    pub role: Role,
    /// View of the greatest certificate seen.
    pub high_qc: View,
    /// View of the certificate it is locked on.
    pub locked: View,
    /// Views that timed out since the last commit.
    pub timeouts: u32,
    /// Transactions waiting.
    pub mempool_transactions: usize,
    /// Batches waiting.
    pub mempool_batches: usize,
    /// Their bytes.
    pub mempool_bytes: usize,
    /// Peers connected, without this replica.
    pub peers_connected: usize,
    /// Why the node is not ready to serve, if it is not: too few peers for a quorum, or catching up.
    pub not_ready: Option<String>,
    /// When the journal reaches the disk.
    pub durability: Durability,
    /// `hotstuff` or `pbft`.
    pub protocol: String,
    /// `ed25519`.
    pub scheme: String,
    /// Set once the runtime has ended, to why.
    pub stopped: Option<Stopped>,
}

/// Why a runtime ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// [`Handle::shutdown`](super::Handle::shutdown) was called.
    Asked,
    /// It cannot go on: a disk that failed, a ledger that diverged. The text says what, where and what to try.
    Failed(String),
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked => f.write_str("asked to stop"),
            Self::Failed(why) => f.write_str(why),
        }
    }
}
