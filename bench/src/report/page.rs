//! The report as one HTML page: no script, no other file, light or dark as its reader's system is.

use super::{
    Report,
    chart::escape,
    table::{HEADING, REAL_HEADING, cells, number, raft, real_cells},
};
use std::fmt::Write as _;

const STYLE: &str = include_str!("page.css");

/// The page, with these charts in it: name, sentence, SVG.
pub(super) fn page(report: &Report, charts: &[(String, String, String)]) -> String {
    let title = escape(&report.title);
    let mut body = format!("<h1>{title}</h1>\n{}", provenance(report));
    body += "<h2>What was found</h2>\n";
    body += &findings(report);
    for (name, about, svg) in charts {
        let _infallible = writeln!(
            body,
            "<figure id=\"{name}\">{svg}<figcaption>{} <span class=\"file\">plots/{name}.svg</span></figcaption></figure>",
            escape(about)
        );
    }
    body += "<h2>For one decision</h2>\n<p>Totals of the range divided by the blocks decided in it: for a pipelined protocol, whose views \
             overlap, that is the amortised cost. The totals are in report.csv.</p>\n";
    body += &table(&HEADING, report.rows.iter().map(|row| cells(row).to_vec()), "rows");
    body += &real(report);
    body += "<h2>Beside a protocol that tolerates crashes only</h2>\n<p>Raft's message pattern from its formula (Ongaro and Ousterhout 2014): \
             2(n-1) messages for an entry in a cluster of 2f+1. <strong>Not run.</strong></p>\n";
    body +=
        &table(&["f", "n = 3f+1", "Raft of 2f+1, messages"], raft(report).into_iter().map(|row| row.to_vec()), "raft");
    body += "<h2>By kind of message</h2>\n";
    body += &kinds(report);
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title>\n<style>\n{STYLE}</style></head>\n<body>\n{body}</body></html>\n"
    )
}

fn provenance(report: &Report) -> String {
    let mut text = "<dl>".to_owned();
    for (name, value) in report.provenance.lines() {
        let _infallible = write!(text, "<dt>{name}</dt><dd>{}</dd>", escape(&value));
    }
    for note in &report.notes {
        let _infallible = write!(text, "<dt>note</dt><dd>{}</dd>", escape(note));
    }
    text + "</dl>\n"
}

fn findings(report: &Report) -> String {
    let rows = report.findings.iter().map(|finding| {
        let slopes = finding.slopes.iter().map(|(_, _, slope)| format!("{slope:.2}")).collect::<Vec<_>>().join(" ");
        let met = format!("{}: {} of {}{}", finding.verdict(), finding.met, finding.of, finding.in_stretches());
        let place = finding.backend.to_string();
        vec![
            finding.protocol.clone(),
            finding.scheme.clone(),
            place,
            finding.what.to_owned(),
            finding.fit.to_string(),
            slopes,
            met,
        ]
    });
    let heading =
        ["protocol", "scheme", "where", "count", "counted, for a decision", "exponent between neighbours", "formula"];
    let mut text = table(&heading, rows, "findings");
    for crossover in &report.crossovers {
        let (low, high) = crossover.between;
        let _infallible = writeln!(
            text,
            "<p>{}: <code>{}</code> costs less processor time up to n = {low}, <code>{}</code> from n = {high} on.</p>",
            crossover.protocol, crossover.from, crossover.to
        );
    }
    text
}

/// What only real processes show, if any ran.
fn real(report: &Report) -> String {
    let cells: Vec<_> = report.rows.iter().filter_map(real_cells).map(|cells| cells.to_vec()).collect();
    if cells.is_empty() {
        return String::new();
    }
    let about = "A stretch lies between two moments at which nobody has anything to say. Bytes are of everything, for one decision: as our \
                 messages are encoded, and as libp2p counts what it sends on its streams, lengths and pings among it; Noise, yamux and TCP come \
                 on top of either. The last column is the median from handing in a transaction to the answer that it is committed.";
    format!("<h2>On real processes</h2>\n<p>{about}</p>\n{}", table(&REAL_HEADING, cells, "real"))
}

fn kinds(report: &Report) -> String {
    let mut text = String::new();
    for row in &report.rows {
        let name = format!("{}, {}, n = {}, {}, {}", row.protocol, row.scheme, row.n, row.fault, row.backend);
        let lines = row.kinds.iter().map(|kind| {
            let of = |total: u64| number(super::plots::each(row, total));
            let names = [&kind.kind, &kind.phase, &kind.role, &kind.outcome].map(Clone::clone);
            names.into_iter().chain([of(kind.messages), of(kind.bytes), of(kind.authenticators)]).collect()
        });
        let heading = ["kind", "phase", "sender", "view", "messages", "bytes", "authenticators"];
        let _infallible = writeln!(
            text,
            "<details><summary>{}</summary>{}</details>",
            escape(&name),
            table(&heading, lines, "kinds")
        );
    }
    text
}

fn table(heading: &[&str], rows: impl IntoIterator<Item = Vec<String>>, class: &str) -> String {
    let cells = |tag: &str, cells: &mut dyn Iterator<Item = &str>| {
        cells.map(|cell| format!("<{tag}{}>{}</{tag}>", class_of(cell), escape(cell))).collect::<String>()
    };
    let mut text = format!(
        "<div class=\"wide\"><table class=\"{class}\"><tr>{}</tr>\n",
        cells("th", &mut heading.iter().copied())
    );
    for row in rows {
        let _infallible = writeln!(text, "<tr>{}</tr>", cells("td", &mut row.iter().map(String::as_str)));
    }
    text + "</table></div>\n"
}

/// Numbers to the right; what was not met in red.
fn class_of(cell: &str) -> &'static str {
    if cell.parse::<f64>().is_ok() || cell == "-" {
        " class=\"number\""
    } else if cell.starts_with("NOT MET") {
        " class=\"bad\""
    } else if cell.starts_with("confirmed") {
        " class=\"good\""
    } else {
        ""
    }
}
