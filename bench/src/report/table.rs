//! The rows as tables: Markdown, comma-separated values.

use super::{
    Report,
    plots::{each, raft_messages},
};
use crate::complexity::{Real, Row};
use std::fmt::Write as _;

/// Of the table of rows.
pub(super) const HEADING: [&str; 15] = [
    "protocol",
    "scheme",
    "n",
    "fault",
    "where",
    "blocks",
    "views",
    "failed views",
    "messages",
    "theory",
    "bytes",
    "authenticators",
    "pairings",
    "dissemination, messages",
    "delays",
];

/// One row's cells, for one decision each.
pub(super) fn cells(row: &Row) -> [String; 15] {
    let of = |total: u64| number(each(row, total));
    [
        row.protocol.clone(),
        row.scheme.clone(),
        row.n.to_string(),
        row.fault.to_string(),
        row.backend.to_string(),
        row.decisions.to_string(),
        row.views.to_string(),
        row.failed_views.to_string(),
        of(row.ordering.messages),
        row.theory.messages.map_or_else(|| "-".to_owned(), of),
        of(row.ordering.bytes),
        of(row.ordering.authenticators),
        of(row.ordering.pairings),
        of(row.dissemination.messages),
        row.latency_delays.map_or_else(|| "-".to_owned(), number),
    ]
}

/// Of the table of what only real processes show.
pub(super) const REAL_HEADING: [&str; 10] = [
    "protocol",
    "scheme",
    "n",
    "fault",
    "stretches",
    "exactly the formula",
    "above it",
    "bytes, ours",
    "bytes, libp2p's",
    "committed after, ms",
];

/// The cells of a testnet's row; bytes for one decision each.
pub(super) fn real_cells(row: &Row) -> Option<[String; 10]> {
    let Real { stretches, libp2p_bytes, commit_millis } = row.real?;
    let of = |total: u64| format!("{:.0}", each(row, total));
    let compared = |count: u64| row.theory.messages.map_or_else(|| "-".to_owned(), |_| count.to_string());
    Some([
        row.protocol.clone(),
        row.scheme.clone(),
        row.n.to_string(),
        row.fault.to_string(),
        stretches.of.to_string(),
        compared(stretches.exact),
        compared(stretches.above),
        of(row.ordering.bytes + row.dissemination.bytes),
        of(libp2p_bytes),
        format!("{commit_millis:.1}"),
    ])
}

/// Whole numbers as such, others with two digits.
pub fn number(value: f64) -> String {
    if value == value.round() { format!("{value:.0}") } else { format!("{value:.2}") }
}

/// A table in Markdown.
pub(super) fn markdown_table<const COLUMNS: usize>(
    heading: [&str; COLUMNS],
    rows: impl IntoIterator<Item = [String; COLUMNS]>,
) -> String {
    let mut text = format!("| {} |\n|{}\n", heading.join(" | "), "---|".repeat(COLUMNS));
    for row in rows {
        let _infallible = writeln!(text, "| {} |", row.map(|cell| cell.replace('|', "\\|")).join(" | "));
    }
    text
}

/// The whole report in Markdown.
pub(super) fn markdown(report: &Report) -> String {
    let mut text = format!("# {}\n\n", report.title);
    for (name, value) in report.provenance.lines() {
        let _infallible = writeln!(text, "- {name}: {value}");
    }
    for note in &report.notes {
        let _infallible = writeln!(text, "- note: {note}");
    }
    text.push_str("\n## What was found\n\n");
    let findings = report.findings.iter().map(|finding| {
        let fit = finding.fit.to_string();
        let met = format!("{} ({} of {}{})", finding.verdict(), finding.met, finding.of, finding.in_stretches());
        [
            finding.protocol.clone(),
            finding.scheme.clone(),
            finding.backend.to_string(),
            finding.what.to_owned(),
            fit,
            met,
        ]
    });
    text += &markdown_table(["protocol", "scheme", "where", "count", "counted, for a decision", "formula"], findings);
    for crossover in &report.crossovers {
        let (low, high) = crossover.between;
        let _infallible = writeln!(
            text,
            "\n{}: `{}` costs less processor time up to n = {low}, `{}` from n = {high} on.",
            crossover.protocol, crossover.from, crossover.to
        );
    }
    text.push_str("\n## For one decision\n\n");
    text += &markdown_table(HEADING, report.rows.iter().map(cells));
    let real: Vec<_> = report.rows.iter().filter_map(real_cells).collect();
    if !real.is_empty() {
        text.push_str("\n## On real processes\n\n");
        text += &markdown_table(REAL_HEADING, real);
    }
    text.push_str("\n## What Byzantine tolerance costs\n\n");
    text += &markdown_table(["f", "n = 3f+1", "Raft of 2f+1, crashes only (*not run*), messages"], raft(report));
    text
}

/// From its formula, for the same `f`.
pub(super) fn raft(report: &Report) -> Vec<[String; 3]> {
    let mut sizes: Vec<_> = report.rows.iter().map(|row| row.n).collect();
    sizes.sort_unstable();
    sizes.dedup();
    sizes.into_iter().map(|n| [((n - 1) / 3).to_string(), n.to_string(), raft_messages(n).to_string()]).collect()
}

/// Totals, a line for each row: what a spreadsheet or a script wants.
pub(super) fn csv(rows: &[Row]) -> String {
    let mut text = "protocol,scheme,n,fault,backend,decisions,views,failed_views".to_owned();
    for part in ["ordering", "dissemination"] {
        for what in
            ["messages", "bytes", "authenticators", "signatures_made", "signatures_checked", "pairings", "flushes"]
        {
            let _infallible = write!(text, ",{part}_{what}");
        }
    }
    text.push_str(",theory_messages,theory_authenticators,latency_delays,certificate_bytes,cpu_micros,seed");
    text.push_str(",stretches,stretches_exact,stretches_above,libp2p_bytes,commit_millis\n");
    for row in rows {
        let mut cells = vec![row.protocol.clone(), row.scheme.clone(), row.n.to_string(), row.fault.to_string()];
        cells.push(row.backend.to_string());
        cells.extend([row.decisions, row.views, row.failed_views].map(|count| count.to_string()));
        for costs in [&row.ordering, &row.dissemination] {
            let counts =
                [costs.messages, costs.bytes, costs.authenticators, costs.signatures_made, costs.signatures_checked];
            cells.extend(counts.into_iter().chain([costs.pairings, costs.flushes]).map(|count| count.to_string()));
        }
        cells.extend(
            [row.theory.messages, row.theory.authenticators]
                .map(|count| count.map_or(String::new(), |n| n.to_string())),
        );
        cells.push(row.latency_delays.map_or(String::new(), |delays| delays.to_string()));
        cells.push(row.certificate_bytes.to_string());
        cells.push(row.cpu_micros.map_or(String::new(), |micros| format!("{micros:.1}")));
        cells.push(row.seed.to_string());
        cells.extend(row.real.map_or_else(Default::default, |Real { stretches, libp2p_bytes, commit_millis }| {
            let counts = [stretches.of, stretches.exact, stretches.above, libp2p_bytes].map(|count| count.to_string());
            let [of, exact, above, bytes] = counts;
            [of, exact, above, bytes, format!("{commit_millis:.1}")]
        }));
        // Names may hold commas and quotes (RFC 4180).
        let quoted = cells.iter().map(|cell| {
            if cell.contains([',', '"']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.clone() }
        });
        let _infallible = writeln!(text, "{}", quoted.collect::<Vec<_>>().join(","));
    }
    text
}
