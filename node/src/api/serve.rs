//! Accepting connections, not too many and none for ever.

use axum::{Router, http};
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use std::{net::IpAddr, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

/// A client that has not sent a whole request head by then is cut off; so is an idle connection.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);

/// Where a request comes from, for handlers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Client(pub(crate) IpAddr);

/// How long answers under way may take when the node stops.
const FAREWELL: Duration = Duration::from_secs(3);

/// Serves `router` until `stop` is cancelled, then lets the answers under way finish.
///
/// At most `max_connections` at once: later ones wait in the kernel's queue until a place is free.
pub async fn serve(listener: TcpListener, router: Router, max_connections: usize, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(max_connections));
    let graceful = GracefulShutdown::new();
    loop {
        let place = tokio::select! {
            () = stop.cancelled() => break,
            place = Arc::clone(&places).acquire_owned() => match place {
                Ok(place) => place,
                Err(_) => break,
            },
        };
        let (stream, from) = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, address)) => (stream, Client(address.ip())),
                Err(error) => {
                    // Out of file descriptors, most likely; accepting again at once would spin.
                    warn!(%error, "cannot accept an API connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
        };
        spawn_connection(stream, from, router.clone(), place, &graceful);
    }
    if tokio::time::timeout(FAREWELL, graceful.shutdown()).await.is_err() {
        debug!("API connections were still open when the node stopped");
    }
}

fn spawn_connection(
    stream: TcpStream,
    from: Client,
    router: Router,
    place: OwnedSemaphorePermit,
    graceful: &GracefulShutdown,
) {
    let _ = stream.set_nodelay(true);
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: http::Request<Incoming>| {
        request.extensions_mut().insert(from);
        router.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            debug!(%error, "an API connection ended");
        }
        drop(place);
    });
}

/// The content type of OpenMetrics text.
pub(crate) const OPENMETRICS: http::HeaderValue =
    http::HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
