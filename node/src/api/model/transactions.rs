//! Transactions on their way in, and where they ended up.

use crate::handle::{RejectCode, Wait};
use quorate_types::{Account, Digest, Height};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// What executing a transaction did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OutcomeView {
    /// `applied`; `failed`: its nonce is used up and nothing else changed; `skipped`: as if it were not there.
    pub status: String,
    /// Why it failed or was skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The body of `POST /v1/txs`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TransactionIn {
    /// The sender's public key.
    #[schema(value_type = String)]
    pub sender: Account,
    /// The sender's sequence number.
    pub nonce: u64,
    /// Hex of what the application reads.
    pub payload: String,
    /// Hex of the ed25519 signature over the body, which includes the chain's identity.
    pub signature: String,
}

/// How long to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WaitParams {
    /// `none`, `accepted` (default) or `committed`.
    #[serde(default)]
    #[param(value_type = String)]
    pub wait: Wait,
    /// At most how many milliseconds to wait; 30,000 unless told, at most 120,000.
    pub timeout_ms: Option<u64>,
}

/// The answer to `POST /v1/txs`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SubmittedView {
    /// The transaction's name.
    #[schema(value_type = String)]
    pub digest: Digest,
    /// `queued`, `accepted` or `committed`.
    pub status: String,
    /// In which block, if committed.
    #[schema(value_type = Option<u64>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<Height>,
    /// What executing it did, if committed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<OutcomeView>,
}

/// The answer to `POST /v1/txs/batch`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BatchSubmittedView {
    /// Not looked at yet.
    pub queued: usize,
    /// In the mempool.
    pub accepted: usize,
    /// In a committed block.
    pub committed: usize,
    /// Refused, in the order of the body.
    pub rejected: Vec<RejectedView>,
}

/// One refused transaction of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RejectedView {
    /// Its place in the body, from 0.
    pub index: usize,
    /// Its name.
    #[schema(value_type = String)]
    pub digest: Digest,
    /// For programs.
    pub code: RejectCode,
    /// For people.
    pub detail: String,
}

/// `GET /v1/txs/{digest}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TransactionView {
    /// The transaction's name.
    #[schema(value_type = String)]
    pub digest: Digest,
    /// In which block it stands.
    #[schema(value_type = u64)]
    pub height: Height,
    /// In which of the block's batches.
    pub batch: u64,
    /// At which place in that batch.
    pub position: u64,
    /// What executing it did.
    pub outcome: OutcomeView,
    /// With `?proof=true`: hex of the borsh encoding of the proof of inclusion, outcome and finality.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
}
