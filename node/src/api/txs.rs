//! One transaction: in, and where it ended up.

use super::{
    app::App,
    extract::{Body, Params, Segment, json},
    model::{OutcomeView, ProofParams, SubmittedView, TransactionIn, TransactionView, WaitParams},
    problem::Problem,
};
use crate::handle::Submitted;
use axum::{Json, extract::State, http::StatusCode};
use quorate_ledger::Outcome;
use quorate_types::{BoundedVec, ChainId, Digest, Transaction, TransactionBody, encode};
use std::{future::Future, time::Duration};

const DEFAULT_WAIT: Duration = Duration::from_secs(30);
const LONGEST_WAIT: Duration = Duration::from_secs(120);

/// Submits one signed transaction.
#[utoipa::path(post, path = "/v1/txs", params(WaitParams), request_body = TransactionIn, responses(
    (status = 200, description = "committed", body = SubmittedView),
    (status = 202, description = "queued or accepted", body = SubmittedView),
    (status = 400, body = super::ProblemBody), (status = 409, body = super::ProblemBody), (status = 413, body = super::ProblemBody),
    (status = 422, body = super::ProblemBody), (status = 503, body = super::ProblemBody),
    (status = 504, description = "not committed in time; it may still be", body = super::ProblemBody)))]
pub(crate) async fn submit(
    app: State<App>,
    Params(params): Params<WaitParams>,
    Body(body): Body,
) -> Result<(StatusCode, Json<SubmittedView>), Problem> {
    let transaction = read(json(&body)?, app.chain)?;
    let digest = transaction.digest();
    let submitted = in_time(params, &digest, app.handle.submit(vec![transaction], params.wait)).await??;
    let [submitted] = <[_; 1]>::try_from(submitted)
        .map_err(|all| Problem::internal(format!("{} answers for one transaction", all.len())))?;
    let (code, status, height, outcome) = match submitted {
        Submitted::Queued => (StatusCode::ACCEPTED, "queued", None, None),
        Submitted::Accepted => (StatusCode::ACCEPTED, "accepted", None, None),
        Submitted::Committed { height, outcome } => (StatusCode::OK, "committed", Some(height), Some((&outcome).into())),
        Submitted::Rejected { code, why } => return Err(Problem::rejected(code, &why)),
    };
    Ok((code, Json(SubmittedView { digest, status: status.to_owned(), height, outcome })))
}

/// Where a committed transaction stands and what it did.
#[utoipa::path(get, path = "/v1/txs/{digest}", params(("digest" = String, Path), ProofParams),
    responses((status = 200, body = TransactionView), (status = 404, body = super::ProblemBody)))]
pub(crate) async fn transaction(
    app: State<App>,
    digest: Segment,
    Params(params): Params<ProofParams>,
) -> Result<Json<TransactionView>, Problem> {
    let digest: Digest = digest.parse("a transaction digest, 64 hexadecimal characters")?;
    let view = app
        .query(move |ledger| {
            let internal = |error: quorate_ledger::LedgerError| Problem::internal(error.to_string());
            let record = ledger.transaction(&digest).map_err(internal)?.ok_or_else(|| unknown(&digest))?;
            let proof = match params.proof {
                true => Some(ledger.prove_transaction(&digest).map_err(internal)?.ok_or_else(|| unknown(&digest))?),
                false => None,
            };
            Ok(TransactionView {
                digest,
                height: record.height,
                batch: record.batch.into(),
                position: record.position.into(),
                outcome: (&record.outcome).into(),
                proof: proof.map(|proof| hex::encode(encode(&proof))),
            })
        })
        .await?;
    Ok(Json(view))
}

fn unknown(digest: &Digest) -> Problem {
    Problem::not_found("no-such-transaction", format!("no committed transaction {digest}"))
        .hint("it may be pending, or skipped because of its nonce: ask again, or ask for the account's nonce")
}

/// A transaction from its JSON form.
fn read(json: TransactionIn, chain: ChainId) -> Result<Transaction, Problem> {
    let bad = |field: &str, why: String| Problem::bad_request("wrong-shape", format!("`{field}`: {why}"));
    let payload = hex::decode(&json.payload).map_err(|error| bad("payload", error.to_string()))?;
    let payload = BoundedVec::new(payload).map_err(|error| {
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", format!("`payload`: {error}")).hint("send less at once")
    })?;
    let mut signature = [0; 64];
    hex::decode_to_slice(&json.signature, &mut signature)
        .map_err(|error| bad("signature", format!("{error}; it is 128 hexadecimal characters")))?;
    let body = TransactionBody { chain, sender: json.sender, nonce: json.nonce, payload };
    Ok(Transaction { body, signature })
}

/// Waits for an answer as long as the client wants, within reason.
pub(super) async fn in_time<T>(
    params: WaitParams,
    digest: &Digest,
    answer: impl Future<Output = T>,
) -> Result<T, Problem> {
    let wait = params.timeout_ms.map_or(DEFAULT_WAIT, Duration::from_millis).min(LONGEST_WAIT);
    tokio::time::timeout(wait, answer).await.map_err(|_| {
        let detail = format!("not {} within {wait:?}; it may still commit", params.wait.verb());
        Problem::new(StatusCode::GATEWAY_TIMEOUT, "not-in-time", detail).hint(format!("GET /v1/txs/{digest}"))
    })
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
            sender: quorate_types::Account::from_key([1; 32]),
            nonce: 0,
            payload,
            signature: "00".repeat(64),
        };
        let code = |payload| read(input(payload), ChainId(Digest::ZERO)).map(|_| ()).map_err(|problem| problem.code);
        assert_eq!(code("00".repeat(65_536)), Ok(()));
        assert_eq!(code("00".repeat(65_537)), Err("too-large".into()));
        assert_eq!(code("0".into()), Err("wrong-shape".into()));
    }

    #[test]
    fn reasons_have_kebab_names() {
        assert_eq!(kebab("InsufficientBalance"), "insufficient-balance");
    }
}
