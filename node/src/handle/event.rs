//! What happens in a validator, told as it happens.

use quorate_types::{Digest, Height, ReplicaId, View};
use serde::Serialize;

/// What happened in a validator. Subscribers that are too slow miss the oldest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum NodeEvent {
    /// A block was committed.
    Block {
        /// Its height.
        #[schema(value_type = u64)]
        height: Height,
        /// The view in which it was proposed.
        #[schema(value_type = u64)]
        view: View,
        /// Its name.
        #[schema(value_type = String)]
        digest: Digest,
        /// Who proposed it.
        #[schema(value_type = u16)]
        proposer: ReplicaId,
        /// How many transactions it holds.
        transactions: usize,
        /// In how many batches.
        batches: usize,
        /// Milliseconds since the Unix epoch, by the proposer's clock.
        timestamp: u64,
    },
    /// The replica entered a view.
    ViewChange {
        /// The view entered.
        #[schema(value_type = u64)]
        view: View,
        /// What brought it there: `certificate` or `timeout`.
        reason: String,
        /// Who leads it.
        #[schema(value_type = u16)]
        leader: ReplicaId,
    },
    /// Which transactions of a committed block took effect, or used their nonces up. Told only to who asks for it.
    Transactions {
        /// The block's height.
        #[schema(value_type = u64)]
        height: Height,
        /// Their names. Those that were skipped are not among them.
        #[schema(value_type = Vec<String>)]
        digests: Vec<Digest>,
    },
    /// One flush of commits reached the disk: everything up to this height is durable here.
    Commit {
        /// The greatest height.
        #[schema(value_type = u64)]
        height: Height,
        /// Transactions in the flush.
        transactions: usize,
    },
    /// The runtime has ended; no event follows.
    Stopped {
        /// Why.
        reason: String,
    },
}
