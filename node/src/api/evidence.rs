//! Who misbehaved, and the proof.

use super::{app::App, extract::Params};
use crate::evidence::EvidenceView;
use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Pieces in one answer unless told.
const USUAL: usize = 100;

/// Pieces in one answer at most.
const MOST: usize = 1000;

/// Bytes of hexadecimal after which an answer takes no more pieces.
pub(crate) const EVIDENCE_BYTES: usize = 8 * 1024 * 1024;

/// How many to send.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EvidenceParams {
    /// At most so many: 100 unless told, 1000 at most.
    limit: Option<usize>,
}

/// `GET /v1/evidence`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EvidenceList {
    /// How many pieces this node keeps.
    pub total: usize,
    /// The newest of them, the newest first.
    pub evidence: Vec<EvidenceView>,
}

/// Statements of validators that contradict each other, as anybody can check with `quorate evidence verify`.
#[utoipa::path(get, path = "/v1/evidence", params(EvidenceParams),
    responses((status = 200, body = EvidenceList), (status = 400, body = super::ProblemBody)))]
pub(crate) async fn evidence(app: State<App>, Params(params): Params<EvidenceParams>) -> Json<EvidenceList> {
    let pieces = app.handle.evidence().newest_first();
    let limit = params.limit.unwrap_or(USUAL).min(MOST);
    let mut bytes = 0;
    let fits = |piece: &&Arc<EvidenceView>| {
        bytes += piece.evidence.len();
        bytes <= EVIDENCE_BYTES
    };
    let evidence = pieces.iter().take(limit).take_while(fits).map(|piece| EvidenceView::clone(piece)).collect();
    Json(EvidenceList { total: pieces.len(), evidence })
}
