//! Blocks and why they are final.

use quorate_types::{Account, Digest, Header, Height, ReplicaId, View};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /v1/blocks/{height}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BlockView {
    /// The block's name.
    #[schema(value_type = String)]
    pub digest: Digest,
    /// What the name covers.
    pub header: HeaderView,
    /// Its batches, in the order in which they ran.
    pub batches: Vec<BatchView>,
    /// How many transactions it holds.
    pub transactions: usize,
}

/// A block's header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeaderView {
    /// The chain's identity.
    #[schema(value_type = String)]
    pub chain: Digest,
    /// The committee's reign.
    pub epoch: u64,
    /// One more than its parent's.
    #[schema(value_type = u64)]
    pub height: Height,
    /// In which it was first proposed.
    #[schema(value_type = u64)]
    pub view: View,
    /// The block below.
    #[schema(value_type = String)]
    pub parent: Digest,
    /// Who proposed it.
    #[schema(value_type = u16)]
    pub proposer: ReplicaId,
    /// Root over the batch digests.
    #[schema(value_type = String)]
    pub payload_root: Digest,
    /// The state after it.
    #[schema(value_type = String)]
    pub state_root: Digest,
    /// Milliseconds since the Unix epoch on the proposer's clock.
    pub timestamp: u64,
}

impl From<&Header> for HeaderView {
    fn from(header: &Header) -> Self {
        Self {
            chain: header.chain.0,
            epoch: header.epoch.0,
            height: header.height,
            view: header.view,
            parent: header.parent,
            proposer: header.proposer,
            payload_root: header.payload_root,
            state_root: header.state_root,
            timestamp: header.timestamp,
        }
    }
}

/// One batch of a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BatchView {
    /// The root over its transactions.
    #[schema(value_type = String)]
    pub digest: Digest,
    /// How many transactions it holds.
    pub count: usize,
    /// The transactions, if asked for with `?transactions=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transactions: Option<Vec<BlockTransaction>>,
}

/// One transaction of a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BlockTransaction {
    /// Its name.
    #[schema(value_type = String)]
    pub digest: Digest,
    /// Who sent it.
    #[schema(value_type = String)]
    pub sender: Account,
    /// The sender's sequence number.
    pub nonce: u64,
    /// Bytes of its payload.
    pub payload_bytes: usize,
}

/// `GET /v1/blocks/{height}/proof`: why the block is final.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BlockProofView {
    /// The block's name.
    #[schema(value_type = String)]
    pub digest: Digest,
    /// Its header.
    pub header: HeaderView,
    /// The headers above it, up to the block that the certificate proves.
    pub descendants: Vec<HeaderView>,
    /// Whether the certificate tells who signed it.
    pub attributable: bool,
    /// Hex of the borsh encoding of the header and of its finality: what to verify.
    pub proof: String,
}
