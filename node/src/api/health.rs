//! Whether the process lives, and whether it serves.

use super::{app::App, problem::Problem};
use axum::{extract::State, http::StatusCode};

/// The process lives and its consensus thread has not ended.
#[utoipa::path(get, path = "/health", responses((status = 200, description = "alive", body = String), (status = 503, body = super::ProblemBody)))]
pub(crate) async fn health(app: State<App>) -> Result<&'static str, Problem> {
    match app.handle.status().stopped {
        None => Ok("ok\n"),
        Some(why) => Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "stopped", why.to_string())
            .hint("look at the node's log, then start it again")),
    }
}

/// The node is connected to a quorum and has caught up.
#[utoipa::path(get, path = "/ready", responses((status = 200, description = "ready", body = String), (status = 503, body = super::ProblemBody)))]
pub(crate) async fn ready(app: State<App>) -> Result<&'static str, Problem> {
    let status = app.handle.status();
    match status.stopped.map(|why| why.to_string()).or(status.not_ready) {
        None => Ok("ready\n"),
        Some(why) => Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not-ready", why)
            .hint("again in a second; /v1/peers tells who is connected")),
    }
}
