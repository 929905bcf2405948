//! `quorate bench complexity`: what one decision costs, beside what theory says.

mod shown;
mod wanted;

use super::provenance::provenance;
use crate::{
    bench::{Ground, decisions},
    cli::{Context, sim::gauge::Gauge},
    exit::{Exit, Failure},
    logs::LogFormat,
};
use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};
use quorate_bench::{
    complexity::{Backend, Case, Fault, Row, measure},
    report::Report,
};
use quorate_ledger::{Protocol, SchemeKind};
use serde::Serialize;
use std::{fs, io, path::PathBuf};

/// Where the testnets live unless told.
const HOME: &str = "quorate-bench";

/// What one decision costs in messages, bytes and authenticators, beside theory
///
/// In the simulator counts are exact, so they are the same on every machine; only processor time is measured. With --backend testnet real
/// validators decide one transaction after the other and what they have sent is read from them: how often that is exactly the formula is
/// told beside it. Exit code 0: every formula was met.
#[derive(Debug, Args)]
pub(in crate::cli) struct ComplexityArgs {
    /// Which protocols
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "pbft,hotstuff", value_parser = crate::cli::genesis::protocol())]
    protocols: Vec<Protocol>,
    /// Which vote schemes
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "ed25519,bls-multi,bls-threshold", value_parser = scheme())]
    schemes: Vec<SchemeKind>,
    /// How many validators, up to 400 in the simulator [default: 4,7,10,16,31,64,100; on testnets 4,7]
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = clap::value_parser!(u16).range(4..=400))]
    n: Vec<u16>,
    /// What goes wrong: none, silent-leader, equivocating-leader, f-silent, partition; on testnets none and f-silent
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "none", value_parser = fault())]
    faults: Vec<Fault>,
    /// Where: in the simulator, or on testnets of real processes on this machine
    #[arg(long, value_name = "BACKEND", default_value = "sim", value_parser = backend())]
    backend: Backend,
    /// Blocks with a transaction to decide in each run; on testnets each takes about a second
    #[arg(long, value_name = "BLOCKS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    decisions: u64,
    /// What is drawn follows from this, in the simulator [default: 1]
    #[arg(long, value_name = "SEED")]
    seed: Option<u64>,
    /// Where each testnet lives while it is measured [default: quorate-bench]
    #[arg(long, value_name = "DIR")]
    home: Option<PathBuf>,
    /// Write report.html, report.md, report.csv, report.json and plots/ here
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

fn fault() -> impl TypedValueParser<Value = Fault> {
    PossibleValuesParser::new(Fault::ALL.map(Fault::name)).try_map(|name| name.parse::<Fault>())
}

fn backend() -> impl TypedValueParser<Value = Backend> {
    PossibleValuesParser::new(Backend::ALL.map(Backend::name)).try_map(|name| name.parse::<Backend>())
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
    let cases = args.cases()?;
    // Before minutes of measuring, rather than after them.
    args.out.as_ref().map_or(Ok(()), fs::create_dir_all).map_err(|error| unwritable(&error))?;
    if args.backend == Backend::Testnet {
        context.init_logs("warn", LogFormat::Text)?;
    }
    let gauge = Gauge::new(context.output, "configurations", cases.len() as u64);
    let mut rows = Vec::new();
    for (done, case) in cases.iter().enumerate() {
        gauge.show(done as u64, 0);
        let measured = match args.backend {
            Backend::Sim => measure(case).map(Some).map_err(Failure::failed),
            Backend::Testnet => on_testnet(case, args, context),
        };
        gauge.clear();
        match measured.map_err(|failure| of_case(case, failure))? {
            Some(row) => rows.push(row),
            None => return Ok(Exit::Interrupted),
        }
    }
    let seed = (args.backend == Backend::Sim).then(|| args.seed());
    let report = Report::new("What a decision costs".to_owned(), provenance(seed), notes(&rows), rows);
    let written = match &args.out {
        Some(folder) => report.write(folder).map_err(|error| unwritable(&error))?,
        None => Vec::new(),
    };
    let is_met = report.findings.iter().all(|finding| finding.of == finding.met);
    context.output.data(&Shown { report: &report, written }, |shown| shown::text(shown.report, &shown.written))?;
    Ok(if is_met { Exit::Success } else { Exit::Failure })
}

/// `None` if somebody pressed Ctrl-C.
fn on_testnet(case: &Case, args: &ComplexityArgs, context: &Context) -> Result<Option<Row>, Failure> {
    let named = |name: &str| args.protocols.iter().find(|protocol| protocol.name() == name).copied();
    let ground = Ground {
        home: args.home.clone().unwrap_or_else(|| HOME.into()),
        protocol: named(&case.protocol).unwrap_or_default(),
        scheme: case.scheme.parse().map_err(Failure::failed)?,
        passed_on: context.log.iter().flat_map(|filter| ["--log".to_owned(), filter.clone()]).collect(),
    };
    context.block_on(decisions(case, &ground, context.output))
}

fn of_case(case: &Case, failure: Failure) -> Failure {
    let Case { protocol, scheme, n, fault, .. } = case;
    Failure { what: format!("{protocol}, {scheme}, n = {n}, {fault}: {}", failure.what), ..failure }
}

fn unwritable(error: &io::Error) -> Failure {
    Failure::new(Exit::Environment, format!("the report cannot be written: {error}"))
        .hint("--out names a folder that may be written")
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
    if rows.iter().any(|row| row.real.is_some()) {
        notes.push(
            "Testnets are counted in stretches, from one moment at which nobody has anything to say to the next. A validator that learns of a \
             quorum before it has voted skips a vote that nobody needs any more, and one that lags asks: so on a busy machine a range may cost \
             less than its formula, or a question more. The formula is met if one stretch at least costs it exactly and agreement exceeds it in \
             none. Latency in network delays and processor time are the simulator's; \"ms\" is the median from handing a transaction in to the \
             answer that it is committed, on this machine."
                .to_owned(),
        );
    }
    notes
}
