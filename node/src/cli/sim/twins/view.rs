//! What a search has seen, for people and machines.

use super::{super::rate, What};
use quorate_ledger::Protocol;
use quorate_sim::twins::{Finding, Report};
use serde::Serialize;
use std::time::Instant;

/// A search as JSON tells it.
#[derive(Serialize)]
pub(super) struct ReportView {
    protocol: &'static str,
    num_nodes: usize,
    num_twins: usize,
    partitions: usize,
    views: usize,
    ending: &'static str,
    scenarios: u64,
    violations: u64,
    /// Scenarios in which blocks were committed before the tail.
    committing: u64,
    /// Scenarios in which twins were proven to lie.
    accusing: u64,
    jobs: usize,
    /// Real seconds.
    took: f64,
    scenarios_a_second: f64,
    /// The first of the violations.
    findings: Vec<FindingView>,
}

#[derive(Serialize)]
struct FindingView {
    scenario: String,
    breaches: Vec<String>,
}

impl ReportView {
    pub(super) fn of(protocol: Protocol, what: &What, jobs: usize, report: &Report, began: Instant) -> Self {
        let shape = what.shape();
        let finding = |finding: &Finding| FindingView {
            scenario: finding.scenario.display(shape).to_string(),
            breaches: finding.breaches.iter().map(ToString::to_string).collect(),
        };
        Self {
            protocol: protocol.name(),
            num_nodes: shape.nodes(),
            num_twins: shape.pairs(),
            partitions: shape.parts(),
            views: what.views(),
            ending: report.ending.name(),
            scenarios: report.scenarios,
            violations: report.violations,
            committing: report.committing,
            accusing: report.accusing,
            jobs,
            took: began.elapsed().as_secs_f64(),
            scenarios_a_second: rate(report.scenarios, began),
            findings: report.findings.iter().map(finding).collect(),
        }
    }

    pub(super) fn text(&self) -> String {
        let findings = self.findings.iter().map(FindingView::text).collect::<String>();
        let Self { protocol, num_nodes, num_twins, partitions, views, .. } = self;
        let Self { ending, scenarios, violations, committing, accusing, jobs, took, scenarios_a_second, .. } = self;
        format!(
            "{findings}{protocol}, n={num_nodes} with {num_twins} twinned, {partitions} parts, {views} views: {scenarios} scenarios, \
            {violations} violations\nin {committing} blocks were committed before the tail, in {accusing} twins were proven to lie\n\
            {took:.1} s with {jobs} jobs: {scenarios_a_second} scenarios a second\n{ending}"
        )
    }
}

impl FindingView {
    fn text(&self) -> String {
        format!("{}: {}\n", self.scenario, self.breaches.join("; "))
    }
}
