//! A report of what decisions cost, in the terminal.

use crate::table::Table;
use quorate_bench::{
    complexity::{Real, Row},
    report::{Finding, Report, each, number},
};
use std::path::PathBuf;

/// The table of rows, what was found, and what its reader has to know.
pub(super) fn text(report: &Report, written: &[PathBuf]) -> String {
    let is_real = report.rows.iter().any(|row| row.real.is_some());
    let table = if is_real { of_testnets(&report.rows) } else { of_simulator(&report.rows) };
    let mut text = format!("For one decision, all replicas together:\n\n{table}\n");
    report.findings.iter().for_each(|finding| text += &said(finding));
    for crossover in &report.crossovers {
        let (low, high) = crossover.between;
        text += &format!(
            "{}: {} costs less processor time up to n = {low}, {} from n = {high} on\n",
            crossover.protocol, crossover.from, crossover.to
        );
    }
    report.notes.iter().for_each(|note| text += &format!("\n{note}\n"));
    if let Some(page) = written.first() {
        text += &format!("\nwritten: {} and {} more files beside it\n", page.display(), written.len() - 1);
    }
    text
}

/// What both tables begin with.
const COUNTED: [&str; 9] =
    ["protocol", "scheme", "n", "fault", "blocks", "messages", "theory", "authenticators", "bytes"];

fn counted(row: &Row) -> [String; 9] {
    let of = |total: u64| number(each(row, total));
    [
        row.protocol.clone(),
        row.scheme.clone(),
        row.n.to_string(),
        row.fault.to_string(),
        row.decisions.to_string(),
        of(row.ordering.messages),
        row.theory.messages.map_or_else(none, of),
        of(row.ordering.authenticators),
        of(row.ordering.bytes),
    ]
}

fn none() -> String {
    "-".to_owned()
}

fn of_simulator(rows: &[Row]) -> String {
    let mut table = Table::<11>::new(joined(COUNTED, ["cpu us", "delays"]));
    for row in rows {
        let cpu = row.cpu_micros.map_or_else(none, |micros| format!("{micros:.0}"));
        table.row(joined(counted(row), [cpu, row.latency_delays.map_or_else(none, number)]));
    }
    table.to_string()
}

/// Batches and libp2p's own bytes are told there: they are what goes over the wire.
fn of_testnets(rows: &[Row]) -> String {
    let more = ["+ batches", "libp2p", "flushes", "ms", "exact"];
    let mut table = Table::<14>::new(joined(COUNTED, more));
    for row in rows {
        let of = |total: u64| format!("{:.0}", each(row, total));
        let [mut libp2p, mut millis, mut exact] = [none(), none(), none()];
        if let Some(Real { stretches, libp2p_bytes, commit_millis }) = row.real {
            (libp2p, millis) = (of(libp2p_bytes), format!("{commit_millis:.1}"));
            exact = row.theory.messages.map_or(exact, |_| format!("{} of {}", stretches.exact, stretches.of));
        }
        let all = of(row.ordering.bytes + row.dissemination.bytes);
        let flushes = number(each(row, row.ordering.flushes));
        table.row(joined(counted(row), [all, libp2p, flushes, millis, exact]));
    }
    table.to_string()
}

fn joined<T, const A: usize, const B: usize, const C: usize>(left: [T; A], right: [T; B]) -> [T; C] {
    let mut cells = left.into_iter().chain(right);
    std::array::from_fn(|_| cells.next().expect("C is A + B"))
}

fn said(finding: &Finding) -> String {
    let head = format!("{} {}, {}: {}", finding.protocol, finding.scheme, finding.what, finding.fit);
    if finding.of == 0 {
        head + "\n"
    } else {
        format!(
            "{head}; formula {} ({} of {} sizes{})\n",
            finding.verdict(),
            finding.met,
            finding.of,
            finding.in_stretches()
        )
    }
}
