//! Prometheus metrics: the process's registry, plus what the status tells and the API's own request counts.

use super::{app::App, costs::CostsCollector, problem::Problem, serve::OPENMETRICS};
use crate::handle::{Handle, Status};
use axum::{
    extract::{MatchedPath, Request, State},
    http::header,
    middleware::Next,
    response::{IntoResponse, Response},
};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric},
    metrics::{counter::Counter, family::Family, gauge::ConstGauge},
};
use std::{fmt, sync::PoisonError};
use tokio::sync::watch;

/// Requests by route and status.
pub(crate) type Requests = Family<RequestLabels, Counter>;

/// What a request is counted under: the route, never the path, so that clients cannot make labels.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct RequestLabels {
    route: String,
    status: u16,
}

/// Adds the API's metrics to the process's registry.
pub(crate) fn register(handle: &Handle) -> Requests {
    let requests = Requests::default();
    let registry = handle.metrics();
    let mut registry = registry.lock().unwrap_or_else(PoisonError::into_inner);
    let registry = registry.sub_registry_with_prefix("quorate");
    registry.register("api_requests", "API requests answered", requests.clone());
    registry.register_collector(Box::new(StatusCollector(handle.watch())));
    registry.register_collector(Box::new(CostsCollector(handle.cost_reader())));
    requests
}

/// Counts a request once it is answered.
pub(crate) async fn count(State(requests): State<Requests>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let response = next.run(request).await;
    requests.get_or_create(&RequestLabels { route, status: response.status().as_u16() }).inc();
    response
}

/// Every metric of the process, as OpenMetrics text.
#[utoipa::path(get, path = "/metrics", responses((status = 200, content_type = "application/openmetrics-text", body = String)))]
pub(crate) async fn metrics(app: State<App>) -> Result<impl IntoResponse, Problem> {
    let text = app.handle.encode_metrics().map_err(|_| Problem::internal("the metrics could not be encoded"))?;
    Ok(([(header::CONTENT_TYPE, OPENMETRICS)], text))
}

/// Gauges read from the status when somebody asks, so that nothing on the way of a commit has to keep them. What the
/// runtime counts itself (height, view, mempool) is not repeated here.
struct StatusCollector(watch::Receiver<Status>);

impl fmt::Debug for StatusCollector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StatusCollector")
    }
}

impl Collector for StatusCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let status = self.0.borrow().clone();
        let gauges: [(&str, &str, u64); 6] = [
            ("consensus_high_qc_view", "View of the greatest certificate seen", status.high_qc.0),
            ("consensus_locked_view", "View of the certificate locked on", status.locked.0),
            ("consensus_timeouts_in_a_row", "Views timed out since the last commit", status.timeouts.into()),
            ("consensus_head_time_milliseconds", "When the head was proposed", status.head_time),
            ("p2p_peers", "Peers connected", status.peers_connected as u64),
            ("ready", "Whether the node serves", u64::from(status.not_ready.is_none())),
        ];
        for (name, help, value) in gauges {
            let gauge = ConstGauge::new(value);
            let encoder = encoder.encode_descriptor(name, help, None, gauge.metric_type())?;
            gauge.encode(encoder)?;
        }
        Ok(())
    }
}
