//! What decisions cost this node: as JSON, and as metrics.

use super::{app::App, model::CostsView, problem::Problem};
use crate::handle::{Costs, ReadCosts};
use axum::{Json, extract::State};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, counter::ConstCounter},
};
use quorate_validator::{Outcome, Tally};
use std::fmt;

/// What this validator has sent, signed, checked and flushed since its process began.
#[utoipa::path(get, path = "/v1/costs", responses((status = 200, body = CostsView)))]
pub(crate) async fn costs(app: State<App>) -> Result<Json<CostsView>, Problem> {
    let (status, costs) = (app.handle.status(), app.handle.costs());
    let metrics = app.handle.encode_metrics().map_err(|_| Problem::internal("the metrics could not be encoded"))?;
    let names = (status.protocol, status.scheme);
    Ok(Json(CostsView::new(app.me, names, status.height.0, &costs, libp2p_bytes(&metrics))))
}

/// libp2p tells what it sent nowhere but in its metrics.
fn libp2p_bytes(metrics: &str) -> u64 {
    let is_sent =
        |line: &&str| line.contains("libp2p_bandwidth_bytes_total{") && line.contains("direction=\"Outbound\"");
    let count = |line: &str| line.rsplit(' ').next().and_then(|count| count.parse::<u64>().ok());
    metrics.lines().filter(is_sent).filter_map(count).sum()
}

/// The account as counters, read when somebody asks. What open views cost is not among them: it is booked when they end, and a counter
/// never goes back.
pub(super) struct CostsCollector(pub(super) ReadCosts);

impl fmt::Debug for CostsCollector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CostsCollector")
    }
}

impl CostsCollector {
    fn family(
        encoder: &mut DescriptorEncoder<'_>,
        costs: &Costs,
        (name, help): (&str, &str),
        count: impl Fn(&Tally) -> u64,
    ) -> Result<(), fmt::Error> {
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (line, tally) in costs.lines.iter().filter(|(line, _)| line.outcome != Outcome::Open) {
            let labels = [
                ("kind", line.kind),
                ("phase", line.phase.name()),
                ("role", line.role.name()),
                ("outcome", line.outcome.name()),
            ];
            ConstCounter::new(count(tally)).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

impl Collector for CostsCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let costs = (self.0)();
        let messages = ("costs_messages", "Messages sent, one for each receiver");
        Self::family(&mut encoder, &costs, messages, |tally| tally.messages)?;
        Self::family(&mut encoder, &costs, ("costs_bytes", "Bytes of messages sent"), |tally| tally.bytes)?;
        let authenticators = ("costs_authenticators", "Signatures in messages sent");
        Self::family(&mut encoder, &costs, authenticators, |tally| tally.authenticators)?;
        let work = costs.operations.work;
        for (name, help, value) in [
            ("costs_signatures_made", "Signatures made, single and partial", work.made),
            ("costs_signatures_checked", "Single signatures checked", work.checked),
            ("costs_pairings", "Pairings evaluated", work.pairings),
            ("costs_flushes", "Times that the journal was made durable", costs.flushes),
            ("costs_decided_views", "Views that a block of was committed", costs.decided_views),
            ("costs_failed_views", "Views that failed", costs.failed_views),
        ] {
            let counter = ConstCounter::new(value);
            let encoder = encoder.encode_descriptor(name, help, None, counter.metric_type())?;
            counter.encode(encoder)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libp2p_s_own_count_is_read_from_its_metrics() {
        let line = |direction: &str, bytes: u64| {
            format!(
                "quorate_p2p_libp2p_bandwidth_bytes_total{{protocols=\"/ip4/tcp\",direction=\"{direction}\"}} {bytes}\n"
            )
        };
        let text = [line("Outbound", 3), line("Inbound", 100), line("Outbound", 4), "# EOF\n".to_owned()].concat();
        assert_eq!(libp2p_bytes(&text), 7);
    }
}
