//! Many transactions at once, in binary.

use super::{
    app::App,
    extract::{Body, Params},
    model::{BatchSubmittedView, RejectedView, WaitParams},
    problem::Problem,
    txs,
};
use crate::handle::Submitted;
use axum::{Json, extract::State};
use quorate_types::{BoundedVec, Transaction, decode, limits};

/// What the body is the canonical borsh encoding of: a `u32` count (little endian), then the transactions.
pub(crate) type Transactions = BoundedVec<Transaction, { limits::BATCH_TRANSACTIONS }>;

/// Submits up to 4,096 signed transactions: borsh of a list of transactions, at most 4 MiB.
///
/// The transactions share nothing but the request: some may be accepted and others refused.
#[utoipa::path(post, path = "/v1/txs/batch", params(WaitParams),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = BatchSubmittedView), (status = 400, body = super::ProblemBody), (status = 413, body = super::ProblemBody),
    (status = 503, body = super::ProblemBody), (status = 504, body = super::ProblemBody)))]
pub(crate) async fn submit(
    app: State<App>,
    Params(params): Params<WaitParams>,
    Body(body): Body,
) -> Result<Json<BatchSubmittedView>, Problem> {
    let transactions = decode::<Transactions>(&body)
        .map_err(|error| {
            Problem::bad_request("malformed-batch", error.to_string())
                .hint("a u32 count in little endian and that many borsh transactions, at most 4096")
        })?
        .into_inner();
    let digests: Vec<_> = transactions.iter().map(Transaction::digest).collect();
    let Some(last) = digests.last() else { return Ok(Json(BatchSubmittedView::default())) };
    let submitted = txs::in_time(params, last, app.handle.submit(transactions, params.wait)).await??;
    let mut view = BatchSubmittedView::default();
    for (index, (digest, submitted)) in digests.into_iter().zip(submitted).enumerate() {
        match submitted {
            Submitted::Queued => view.queued += 1,
            Submitted::Accepted => view.accepted += 1,
            Submitted::Committed { .. } => view.committed += 1,
            Submitted::Rejected { code, why } => view.rejected.push(RejectedView { index, digest, code, detail: why }),
        }
    }
    Ok(Json(view))
}
