//! The HTTP API: JSON over HTTP/1.1 on loopback, errors as problem+json, its own description at `/openapi.json`.
//!
//! A handler asks the [`crate::handle::Handle`] and shapes the answer; nothing here can hold up consensus. Everything that
//! a client can pile up is bounded: connections, bodies, header and handler time, ledger queries, event subscribers.

mod app;
mod batch;
mod blocks;
mod costs;
mod doctor;
mod events;
mod evidence;
mod extract;
mod faults;
mod health;
mod metrics;
pub mod model;
mod problem;
mod read_out;
mod serve;
mod state;
mod status;
#[cfg(test)]
mod tests;
mod txs;

pub use doctor::DoctorView;
pub(crate) use evidence::EVIDENCE_BYTES;
pub use evidence::EvidenceList;
pub use extract::json as read_json;
pub use problem::{Problem, ProblemBody};
pub use serve::serve;
pub(crate) use status::application;

use crate::handle::Handle;
use app::App;
use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Request},
    http::StatusCode,
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::get,
};
use quorate_ledger::Genesis;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Bytes of one JSON transaction: its payload in hexadecimal and some room.
pub const TRANSACTION_BODY: usize = 256 * 1024;

/// Bytes of one binary batch.
pub const BATCH_BODY: usize = 4 * 1024 * 1024;

/// No handler takes longer, reading the body included; above the longest wait a client may ask for.
const HANDLER_TIMEOUT: Duration = Duration::from_secs(150);

#[derive(OpenApi)]
#[openapi(info(
    title = "Quorate validator",
    description = "Byzantine fault tolerant ledger. Errors are application/problem+json (RFC 9457) with a stable `code`. \
        Heights, views and nonces are numbers; balances are strings; digests, keys and binary data are hexadecimal. \
        `proof` members are the borsh encoding that `quorate get --prove` verifies against the genesis."
))]
struct Description;

/// The API of one node.
pub fn router(handle: Handle, genesis: Genesis, max_subscribers: usize, stop: CancellationToken) -> Router {
    let requests = metrics::register(&handle);
    let app = App::new(handle, genesis, max_subscribers, stop);
    let (router, description) = OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(health::health))
        .routes(routes!(health::ready))
        .routes(routes!(status::status))
        .routes(routes!(status::validators))
        .routes(routes!(status::peers))
        .routes(routes!(blocks::block))
        .routes(routes!(blocks::proof))
        .routes(routes!(txs::submit))
        .routes(routes!(txs::transaction))
        .routes(routes!(state::state))
        .routes(routes!(state::account))
        .routes(routes!(events::events))
        .routes(routes!(evidence::evidence))
        .routes(routes!(faults::in_force, faults::put))
        .routes(routes!(doctor::doctor))
        .routes(routes!(costs::costs))
        .routes(routes!(metrics::metrics))
        .layer(DefaultBodyLimit::max(TRANSACTION_BODY))
        .merge(OpenApiRouter::new().routes(routes!(batch::submit)).layer(DefaultBodyLimit::max(BATCH_BODY)))
        .split_for_parts();
    let description = serde_json::to_value(&description).expect("the description has a JSON form");
    router
        .route("/openapi.json", get(move || std::future::ready(Json(description.clone()))))
        .route_layer(from_fn_with_state(requests, metrics::count))
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn(in_time))
        .layer(from_fn(read_out::read_out))
        .with_state(app)
}

async fn no_such_path(request: Request) -> Problem {
    Problem::not_found("no-such-path", format!("there is no {}", request.uri().path())).hint("see /openapi.json")
}

async fn no_such_method(request: Request) -> Problem {
    let detail = format!("{} does not take {}", request.uri().path(), request.method());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "no-such-method", detail).hint("see /openapi.json")
}

async fn in_time(request: Request, next: Next) -> Response {
    tokio::time::timeout(HANDLER_TIMEOUT, next.run(request)).await.unwrap_or_else(|_| {
        Problem::new(StatusCode::REQUEST_TIMEOUT, "too-slow", "the request was not complete in time").into_response()
    })
}
