//! Committed blocks and the proofs that they are final.

use super::{
    app::App,
    extract::{Params, Segment},
    model::{BatchView, BlockProofView, BlockTransaction, BlockView, HeaderView},
    problem::Problem,
};
use crate::handle::NodeLedger;
use axum::{Json, extract::State};
use quorate_ledger::StoredBlock;
use quorate_types::{Batch, Header, Height, encode};
use serde::Deserialize;
use utoipa::IntoParams;

/// Transactions listed of one block; of larger blocks only the first ones are.
const LISTED: usize = 10_000;

/// What to tell of a block.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct BlockParams {
    /// List the transactions, the first 10,000 of them.
    #[serde(default)]
    transactions: bool,
}

/// A committed block, by height, or `latest`.
#[utoipa::path(get, path = "/v1/blocks/{height}", params(("height" = String, Path, description = "a height, or `latest`"), BlockParams),
    responses((status = 200, body = BlockView), (status = 404, body = super::ProblemBody),
    (status = 410, description = "this validator began from a snapshot above it", body = super::ProblemBody)))]
pub(crate) async fn block(
    app: State<App>,
    height: Segment,
    Params(params): Params<BlockParams>,
) -> Result<Json<BlockView>, Problem> {
    let view = app.query(move |ledger| find(ledger, &height).map(|block| view(&block, params.transactions))).await?;
    Ok(Json(view))
}

/// Why a block is final: the headers above it and a quorum's certificate.
#[utoipa::path(get, path = "/v1/blocks/{height}/proof", params(("height" = String, Path, description = "a height, or `latest`")),
    responses((status = 200, body = BlockProofView), (status = 404, body = super::ProblemBody),
    (status = 410, description = "this validator began from a snapshot above it", body = super::ProblemBody)))]
pub(crate) async fn proof(app: State<App>, height: Segment) -> Result<Json<BlockProofView>, Problem> {
    let attributable = app.genesis.scheme.is_attributable();
    let view = app
        .query(move |ledger| {
            let header = find(ledger, &height)?.block.header;
            let finality = ledger.finality(header.height).map_err(|error| Problem::internal(error.to_string()))?;
            let finality = finality.ok_or_else(|| no_proof(&header))?;
            Ok(BlockProofView {
                digest: header.digest(),
                header: (&header).into(),
                attributable,
                descendants: finality.descendants.iter().map(HeaderView::from).collect(),
                proof: hex::encode(encode(&(header, finality))),
            })
        })
        .await?;
    Ok(Json(view))
}

fn no_proof(header: &Header) -> Problem {
    let detail = format!("{} has no certificate: genesis is final by being genesis", header.height);
    Problem::not_found("no-proof", detail)
}

fn find(ledger: &NodeLedger, which: &Segment) -> Result<StoredBlock, Problem> {
    let head = ledger.head().height;
    let height = match which.0.as_str() {
        "latest" => head,
        _ => Height(which.parse("a height or `latest`")?),
    };
    ledger.held(height)?;
    let found = ledger.block(height).map_err(|error| Problem::internal(error.to_string()))?;
    found.ok_or_else(|| Problem::not_found("no-such-block", format!("no block at {height}; the head is at {head}")))
}

fn view(stored: &StoredBlock, list: bool) -> BlockView {
    let mut left = if list { LISTED } else { 0 };
    let batches = stored.batches.iter().map(|batch| batch_view(batch, list, &mut left)).collect();
    BlockView {
        digest: stored.block.digest(),
        header: (&stored.block.header).into(),
        transactions: stored.batches.iter().map(|batch| batch.transactions().len()).sum(),
        batches,
    }
}

fn batch_view(batch: &Batch, list: bool, left: &mut usize) -> BatchView {
    let listed = batch.transactions().iter().take(*left);
    let transactions: Vec<_> = listed
        .map(|transaction| BlockTransaction {
            digest: transaction.digest(),
            sender: transaction.body.sender,
            nonce: transaction.body.nonce,
            payload_bytes: transaction.body.payload.len(),
        })
        .collect();
    *left -= transactions.len();
    BatchView { digest: batch.digest(), count: batch.transactions().len(), transactions: list.then_some(transactions) }
}
