//! One transaction: in, and where it ended up.

use super::{
    app::App,
    extract::{Body, Params, Segment, json},
    model::{ProofParams, SubmittedView, TransactionIn, TransactionView, WaitParams},
    problem::Problem,
};
use crate::handle::{NodeLedger, Submitted};
use axum::{Json, extract::State, http::StatusCode};
use quorate_types::{Digest, encode};
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
    let transaction = json::<TransactionIn>(&body)?.transaction(app.chain)?;
    let digest = transaction.digest();
    let submitted = in_time(params, &digest, app.handle.submit(vec![transaction], params.wait)).await??;
    let [submitted] = <[_; 1]>::try_from(submitted)
        .map_err(|all| Problem::internal(format!("{} answers for one transaction", all.len())))?;
    let (code, status, height, outcome) = match submitted {
        Submitted::Queued => (StatusCode::ACCEPTED, "queued", None, None),
        Submitted::Accepted => (StatusCode::ACCEPTED, "accepted", None, None),
        Submitted::Committed { height, outcome } => {
            (StatusCode::OK, "committed", Some(height), Some((&outcome).into()))
        }
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
            let record = ledger.transaction(&digest).map_err(internal)?.ok_or_else(|| unknown(&digest, ledger))?;
            let proof = match params.proof {
                true => {
                    Some(ledger.prove_transaction(&digest).map_err(internal)?.ok_or_else(|| unknown(&digest, ledger))?)
                }
                false => None,
            };
            Ok(TransactionView {
                digest,
                height: record.height,
                batch: record.batch as u64,
                position: record.position as u64,
                outcome: (&record.outcome).into(),
                proof: proof.map(|proof| hex::encode(encode(&proof))),
            })
        })
        .await?;
    Ok(Json(view))
}

fn unknown(digest: &Digest, ledger: &NodeLedger) -> Problem {
    if let Some(base) = ledger.base() {
        let began = format!("this validator began from a snapshot at {}", base.header.height);
        let detail =
            format!("no transaction {digest} in the blocks held here: {began} and has only the blocks above it");
        return Problem::not_found("no-such-transaction", detail)
            .hint("ask a validator that has been here from the start, or ask for the account's nonce");
    }
    Problem::not_found("no-such-transaction", format!("no committed transaction {digest}"))
        .hint("it may be pending, or skipped because of its nonce: ask again, or ask for the account's nonce")
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
