//! Transactions on their way in, and where they ended up.

use crate::{
    api::Problem,
    handle::{RejectCode, Wait},
};
use axum::http::StatusCode;
use quorate_ledger::Outcome;
use quorate_types::{Account, BoundedVec, ChainId, Digest, Height, Transaction, TransactionBody};
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

impl TransactionIn {
    /// The transaction it stands for, on this chain.
    pub fn transaction(self, chain: ChainId) -> Result<Transaction, Problem> {
        let bad = |field: &str, why: String| Problem::bad_request("wrong-shape", format!("`{field}`: {why}"));
        let payload = hex::decode(&self.payload).map_err(|error| bad("payload", error.to_string()))?;
        let payload = BoundedVec::new(payload).map_err(|error| {
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", format!("`payload`: {error}"))
                .hint("send less at once")
        })?;
        let mut signature = [0; 64];
        hex::decode_to_slice(&self.signature, &mut signature)
            .map_err(|error| bad("signature", format!("{error}; it is 128 hexadecimal characters")))?;
        let body = TransactionBody { chain, sender: self.sender, nonce: self.nonce, payload };
        Ok(Transaction { body, signature })
    }
}

impl From<&Transaction> for TransactionIn {
    fn from(transaction: &Transaction) -> Self {
        Self {
            sender: transaction.body.sender,
            nonce: transaction.body.nonce,
            payload: hex::encode(&transaction.body.payload[..]),
            signature: hex::encode(transaction.signature),
        }
    }
}

impl From<&Outcome> for OutcomeView {
    fn from(outcome: &Outcome) -> Self {
        let (status, reason) = match outcome {
            Outcome::Applied => ("applied", None),
            Outcome::Failed(code) => ("failed", Some(kebab(&format!("{code:?}")))),
            Outcome::Skipped(code) => ("skipped", Some(kebab(&format!("{code:?}")))),
        };
        Self { status: status.to_owned(), reason }
    }
}

fn kebab(camel: &str) -> String {
    let mut text = String::new();
    for letter in camel.chars() {
        if letter.is_uppercase() && !text.is_empty() {
            text.push('-');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_over_the_limit_is_told_apart_from_a_bad_one() {
        let input = |payload: String| TransactionIn {
            sender: Account::from_key([1; 32]),
            nonce: 0,
            payload,
            signature: "00".repeat(64),
        };
        let code =
            |payload| input(payload).transaction(ChainId(Digest::ZERO)).map(|_| ()).map_err(|problem| problem.code);
        assert_eq!(code("00".repeat(65_536)), Ok(()));
        assert_eq!(code("00".repeat(65_537)), Err("too-large".into()));
        assert_eq!(code("0".into()), Err("wrong-shape".into()));
    }

    #[test]
    fn reasons_have_kebab_names() {
        assert_eq!(kebab("InsufficientBalance"), "insufficient-balance");
    }
}
