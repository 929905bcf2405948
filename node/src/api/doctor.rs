//! Why there is no block, as far as this node can tell.

use super::{app::App, problem::Problem};
use crate::doctor::{Case, Facts, LinkFacts, Report, Surroundings, diagnose};
use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /v1/doctor`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DoctorView {
    /// The validators' names, by index.
    pub names: Vec<String>,
    /// How many of them decide.
    pub quorum: usize,
    /// What this one knows.
    pub facts: Facts,
    /// What follows from that alone. `quorate doctor` asks all of them.
    pub report: Report,
}

/// Why there is no block, or that there is no reason to worry, as far as this node can tell.
#[utoipa::path(get, path = "/v1/doctor",
    responses((status = 200, body = DoctorView), (status = 503, body = super::ProblemBody)))]
pub(crate) async fn doctor(app: State<App>) -> Result<Json<DoctorView>, Problem> {
    let Some(examined) = app.handle.examine().await else {
        let detail = "the consensus thread does not answer: the node is stopping, or overloaded";
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail));
    };
    let status = app.handle.status();
    let disconnected = app.handle.peers().into_iter().filter(|peer| !peer.connected);
    let around = Surroundings {
        replica: app.me,
        genesis: app.digest,
        role: status.role,
        height: status.height,
        rejected: app.handle.rejected(),
        disconnected: disconnected.map(|peer| LinkFacts { replica: peer.replica, why: peer.last_error }).collect(),
    };
    let facts = Facts::new(examined, around);
    let names: Vec<_> = app.genesis.validators.iter().map(|validator| validator.name.clone()).collect();
    let quorum = app.genesis.committee().map_err(|error| Problem::internal(error.to_string()))?.quorum();
    let report = diagnose(&Case::of_one(names.clone(), quorum, facts.clone()));
    Ok(Json(DoctorView { names, quorum, facts, report }))
}
