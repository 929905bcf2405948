//! Where `quorate fault` asks: HTTP on a loopback port of its own, for whoever holds the testnet's token.

use super::{Answer, Console, ConsoleFile, Measured, Order, Refused, Status};
use crate::{
    api::{self, Problem},
    exit::Failure,
    lab::FaultToken,
    testnet::TestnetHome,
};
use axum::{
    Json, Router,
    body::Bytes,
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use std::{net::Ipv4Addr, sync::Arc};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// Requests at a time; orders wait for each other anyway.
const CONNECTIONS: usize = 16;

/// A console that listens.
pub(crate) struct Endpoint {
    home: TestnetHome,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Endpoint {
    /// Listens, and says in the testnet's home where.
    pub(crate) async fn open(console: Arc<Console>, home: &TestnetHome, token: FaultToken) -> Result<Self, Failure> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(|error| Failure::environment(format!("the fault console cannot listen: {error}")))?;
        let address = listener
            .local_addr()
            .map_err(|error| Failure::environment(format!("the fault console has no address: {error}")))?;
        ConsoleFile { address, pid: std::process::id() }.save(home)?;
        let stop = CancellationToken::new();
        let task = tokio::spawn(api::serve(listener, router(console, token), CONNECTIONS, stop.clone()));
        Ok(Self { home: home.clone(), stop, task })
    }

    /// Takes no more orders.
    pub(crate) async fn close(self) {
        ConsoleFile::remove(&self.home);
        self.stop.cancel();
        let _ = self.task.await;
    }
}

fn router(console: Arc<Console>, token: FaultToken) -> Router {
    Router::new()
        .route("/v1/console", get(status).post(order))
        .route("/v1/console/links", get(links))
        .route("/v1/console/reset", post(reset))
        .layer(from_fn_with_state(token, admitted))
        .with_state(console)
}

/// Only whoever can read the testnet's private files.
async fn admitted(State(token): State<FaultToken>, request: Request, next: Next) -> Response {
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    match given.and_then(|text| text.strip_prefix("Bearer ")) {
        Some(text) if token.is(text) => next.run(request).await,
        Some(_) => forbidden("this is not the token of this testnet's run"),
        None => forbidden("the fault console takes orders from whoever bears the testnet's token"),
    }
}

fn forbidden(why: &str) -> Response {
    let hint = "`quorate fault` with the testnet's --home, as the user who started it";
    Problem::new(StatusCode::FORBIDDEN, "no-token", why).hint(hint).into_response()
}

async fn status(State(console): State<Arc<Console>>) -> Json<Status> {
    Json(console.status().await)
}

async fn links(State(console): State<Arc<Console>>) -> Json<Vec<Measured>> {
    Json(console.links().await)
}

async fn order(State(console): State<Arc<Console>>, body: Bytes) -> Result<Json<Answer>, Problem> {
    let order: Order =
        serde_json::from_slice(&body).map_err(|error| Problem::bad_request("no-order", error.to_string()))?;
    // On a task of its own: an order that was begun is carried out, though whoever gave it may leave.
    let carried_out = tokio::spawn(async move { console.apply(&order).await });
    carried_out.await.map_err(|error| Problem::internal(error.to_string()))?.map(Json).map_err(Problem::from)
}

async fn reset(State(console): State<Arc<Console>>) -> Result<Json<Answer>, Problem> {
    let carried_out = tokio::spawn(async move { console.reset().await });
    carried_out.await.map_err(|error| Problem::internal(error.to_string()))?.map(Json).map_err(Problem::from)
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let what = refused.to_string();
        match refused {
            Refused::Senseless(_) => Self::bad_request("no-sense", what),
            Refused::TooMuch(_) => Self::new(StatusCode::CONFLICT, "fault-budget", what)
                .hint("`quorate fault status` says what is in force; end a fault first, or --beyond-f"),
            Refused::Foreign(_) => Self::new(StatusCode::CONFLICT, "not-ours", what).hint("end that process by hand"),
            Refused::Failed(_) => Self::new(StatusCode::BAD_GATEWAY, "not-done", what)
                .hint("`quorate fault status` says what is in force"),
        }
    }
}
