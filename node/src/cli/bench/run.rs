//! `quorate bench run`: several configurations under one load.

use super::{
    super::{
        Context,
        genesis::{protocol, scheme},
    },
    files,
    load::Common,
    provenance::provenance,
};
use crate::{
    bench,
    exit::{Exit, Failure},
    logs::LogFormat,
};
use clap::Args;
use quorate_bench::load::Series;
use quorate_ledger::{Protocol, SchemeKind};
use std::path::PathBuf;

/// Run protocols and schemes under one load, in alternation, and print medians and ratios
///
/// Each configuration gets the same transactions at the same times, on a testnet of its own made anew. They take turns, so that what
/// else the machine does falls on all of them. Ratios are to the first configuration. A run that must not be called a result is left
/// out of the medians, and told.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    common: Common,
    /// How the validators agree
    #[arg(long, value_name = "PROTOCOLS", value_delimiter = ',', default_value = "pbft,hotstuff", value_parser = protocol())]
    protocols: Vec<Protocol>,
    /// What they sign votes with
    #[arg(long, value_name = "SCHEMES", value_delimiter = ',', default_value = "ed25519", value_parser = scheme())]
    schemes: Vec<SchemeKind>,
    /// Runs of each configuration
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    repeat: u32,
    /// Write run.json, run.md and run.csv here
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn run(args: RunArgs, context: &Context) -> Result<Exit, Failure> {
    context.init_logs("warn", LogFormat::Text)?;
    if args.common.duration.is_zero() {
        return Err(Failure::usage("--duration 0s leaves nothing to measure"));
    }
    let pairs = args.protocols.iter().flat_map(|protocol| args.schemes.iter().map(|scheme| (*protocol, *scheme)));
    let pairs: Vec<_> = pairs.collect();
    let (mut loads, mut worst) = (Vec::new(), Exit::Success);
    for turn in 1..=args.repeat {
        for (protocol, scheme) in &pairs {
            context.output.note(format!("run {turn} of {}", args.repeat));
            let wanted = args.common.wanted(*protocol, *scheme, context);
            let Some(load) = context.block_on(bench::load(&wanted, provenance(Some(wanted.seed)), context.output))?
            else {
                return Ok(Exit::Interrupted);
            };
            worst = if bench::exit(&load) == Exit::Diverged { Exit::Diverged } else { worst };
            load.refusals.iter().for_each(|why| context.output.note(format!("left out: {why}")));
            loads.push(load);
        }
    }
    let series = Series::new(provenance(Some(args.common.seed)), loads);
    if let Some(dir) = &args.out {
        let json = serde_json::to_string_pretty(&series).expect("a series has a JSON form") + "\n";
        files::write(dir, &[("run.json", json), ("run.md", series.markdown()), ("run.csv", series.csv())])?;
    }
    let is_empty = series.medians.iter().any(|medians| medians.of == 0);
    context.output.data(&series, text)?;
    match worst {
        Exit::Success if is_empty => Err(Failure::failed("a configuration has no run that can be called a result")
            .hint("a lower --rate, or a longer --duration")),
        exit => Ok(exit),
    }
}

/// Columns that line up, however many there are.
fn text(series: &Series) -> String {
    let rows = series.rows();
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate();
        let cells = cells.map(
            |(at, (cell, width))| {
                if at == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
            },
        );
        cells.collect::<Vec<_>>().join("  ")
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}
