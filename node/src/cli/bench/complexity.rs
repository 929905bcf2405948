//! `quorate bench complexity`: what one decision costs, beside what theory says.

use super::provenance::provenance;
use crate::{
    cli::{Context, sim::gauge::Gauge},
    exit::{Exit, Failure},
};
use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};
use quorate_bench::{
    complexity::{Case, Fault, Row, measure},
    report::{Finding, Report, each, number},
};
use quorate_ledger::{Protocol, SchemeKind};
use serde::Serialize;
use std::{fs, io, path::PathBuf};

/// What one decision costs in messages, bytes and authenticators, beside theory
///
/// Counts are exact, so they are the same on every machine; only processor time is measured. Exit code 0: every formula was met.
#[derive(Debug, Args)]
pub(in crate::cli) struct ComplexityArgs {
    /// Which protocols
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "pbft,hotstuff", value_parser = crate::cli::genesis::protocol())]
    protocols: Vec<Protocol>,
    /// Which vote schemes
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "ed25519,bls-multi,bls-threshold", value_parser = scheme())]
    schemes: Vec<SchemeKind>,
    /// How many validators, up to 400
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "4,7,10,16,31,64,100", value_parser = clap::value_parser!(u16).range(4..=400))]
    n: Vec<u16>,
    /// What goes wrong: none, silent-leader, equivocating-leader, f-silent, partition
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "none", value_parser = fault())]
    faults: Vec<Fault>,
    /// Blocks to decide in each run
    #[arg(long, value_name = "BLOCKS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    decisions: u64,
    /// What is drawn follows from this
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
    /// Write report.html, report.md, report.csv, report.json and plots/ here
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

fn fault() -> impl TypedValueParser<Value = Fault> {
    PossibleValuesParser::new(Fault::ALL.map(Fault::name)).try_map(|name| name.parse::<Fault>())
}

fn scheme() -> impl TypedValueParser<Value = SchemeKind> {
    PossibleValuesParser::new(SchemeKind::ALL.map(SchemeKind::name)).try_map(|name| name.parse::<SchemeKind>())
}

/// The report and where it was written.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    report: &'a Report,
    /// Files.
    written: Vec<PathBuf>,
}

pub(super) fn run(args: &ComplexityArgs, context: &Context) -> Result<Exit, Failure> {
    // Before minutes of measuring, rather than after them.
    args.out.as_ref().map_or(Ok(()), fs::create_dir_all).map_err(|error| unwritable(&error))?;
    let cases = cases(args);
    let gauge = Gauge::new(context.output, "configurations", cases.len() as u64);
    let mut rows = Vec::new();
    for (done, case) in cases.iter().enumerate() {
        gauge.show(done as u64, 0);
        let failed = |why| {
            let Case { protocol, scheme, n, fault, .. } = case;
            Failure::failed(format!("{protocol}, {scheme}, n = {n}, {fault}: {why}"))
        };
        rows.push(measure(case).map_err(failed)?);
    }
    gauge.clear();
    let report = Report::new("What a decision costs".to_owned(), provenance(Some(args.seed)), notes(&rows), rows);
    let written = match &args.out {
        Some(folder) => report.write(folder).map_err(|error| unwritable(&error))?,
        None => Vec::new(),
    };
    let is_met = report.findings.iter().all(|finding| finding.of == finding.met);
    context.output.data(&Shown { report: &report, written }, |shown| text(shown.report, &shown.written))?;
    Ok(if is_met { Exit::Success } else { Exit::Failure })
}

fn unwritable(error: &io::Error) -> Failure {
    Failure::new(Exit::Environment, format!("the report cannot be written: {error}"))
        .hint("--out names a folder that may be written")
}

/// Protocol by protocol, scheme by scheme, ascending, each once.
fn cases(args: &ComplexityArgs) -> Vec<Case> {
    let mut sizes = args.n.clone();
    sizes.sort_unstable();
    sizes.dedup();
    let mut cases = Vec::new();
    for &protocol in &args.protocols {
        for &fault in &args.faults {
            for &scheme in &args.schemes {
                cases.extend(sizes.iter().map(|n| Case {
                    protocol: protocol.name().to_owned(),
                    scheme: scheme.name().to_owned(),
                    n: usize::from(*n),
                    fault,
                    seed: args.seed,
                    decisions: args.decisions,
                }));
            }
        }
    }
    cases
}

fn notes(rows: &[Row]) -> Vec<String> {
    let mut notes = Vec::new();
    if rows.iter().any(|row| row.scheme.starts_with("symbolic")) {
        notes.push(
            "Rows whose scheme begins with \"symbolic as\" were run with symbolic signatures and certificates of the real scheme's lengths: \
             their messages, bytes and authenticators are those of the scheme, their processor time is calculated."
                .to_owned(),
        );
    }
    notes
}

fn text(report: &Report, written: &[PathBuf]) -> String {
    let mut table = crate::table::Table::new([
        "protocol",
        "scheme",
        "n",
        "fault",
        "blocks",
        "messages",
        "theory",
        "authenticators",
        "bytes",
        "cpu us",
        "delays",
    ]);
    for row in &report.rows {
        let of = |total: u64| number(each(row, total));
        table.row([
            row.protocol.clone(),
            row.scheme.clone(),
            row.n.to_string(),
            row.fault.to_string(),
            row.decisions.to_string(),
            of(row.ordering.messages),
            row.theory.messages.map_or_else(|| "-".to_owned(), of),
            of(row.ordering.authenticators),
            of(row.ordering.bytes),
            row.cpu_micros.map_or_else(|| "-".to_owned(), |micros| format!("{micros:.0}")),
            row.latency_delays.map_or_else(|| "-".to_owned(), number),
        ]);
    }
    let mut text = format!("For one decision, all replicas together:\n\n{table}\n");
    report.findings.iter().for_each(|finding| text += &said(finding));
    for crossover in &report.crossovers {
        let (low, high) = crossover.between;
        text += &format!(
            "{}: {} costs less processor time up to n = {low}, {} from n = {high} on\n",
            crossover.protocol, crossover.from, crossover.to
        );
    }
    if let Some(page) = written.first() {
        text += &format!("\nwritten: {} and {} more files beside it\n", page.display(), written.len() - 1);
    }
    text
}

fn said(finding: &Finding) -> String {
    let head = format!("{} {}, {}: {}", finding.protocol, finding.scheme, finding.what, finding.fit);
    if finding.of == 0 {
        head + "\n"
    } else {
        format!("{head}; formula {} ({} of {} sizes)\n", finding.verdict(), finding.met, finding.of)
    }
}
