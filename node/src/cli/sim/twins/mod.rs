//! `quorate sim twins`: every scenario of a family, or a sample, or those of a file.

mod view;
mod watch;

use super::exit_of;
use crate::{
    cli::{Context, genesis::protocol},
    exit::{Exit, Failure},
};
use clap::{Args, builder::PossibleValuesParser, builder::TypedValueParser};
use quorate_ledger::Protocol;
use quorate_sim::{
    SymbolicHotStuff, SymbolicPbft,
    twins::{Family, Leading, Scenarios, Shape, ShapeError, random_family},
};
use serde::Serialize;
use std::{
    fs::File,
    io::{BufReader, BufWriter, Write},
    num::NonZero,
    path::{Path, PathBuf},
    thread,
    time::Instant,
};

const ENDINGS: &str = "Endings:\n  pass         exit code 0: everything held\n  broken       exit code 1: an honest \
    replica stopped, panicked, accused an honest one or was refused\n  diverged     exit code 3: honest replicas \
    committed different blocks\n  no-progress  exit code 4: the synchronous tail of a scenario brought too few blocks";

/// Run replicas whose keys run twice, in every split of the network
///
/// A scenario says for each view who leads it and who hears
/// whom; after its last view everybody hears everybody, and must commit.
#[derive(Debug, Args)]
#[command(after_help = ENDINGS)]
pub(in crate::cli) struct TwinsArgs {
    /// How the replicas agree
    #[arg(long, value_name = "PROTOCOL", default_value_t, value_parser = protocol())]
    protocol: Protocol,
    /// Views of each scenario
    #[arg(long, value_name = "K", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=32))]
    views: u8,
    /// How many replicas
    #[arg(long, value_name = "N", default_value_t = 4)]
    n: u8,
    /// How many of them run twice. More than the committee tolerates must break it
    #[arg(long, value_name = "PAIRS", default_value_t = 1)]
    pairs: u8,
    /// Into how many parts the network can fall
    #[arg(long, value_name = "PARTS", default_value_t = 2)]
    parts: u8,
    /// All scenarios up to symmetry (the default)
    #[arg(long, conflicts_with_all = ["sample", "file"])]
    exhaustive: bool,
    /// Who leads, where all scenarios are run: anybody, or each in turn
    #[arg(long, value_name = "LEADERS", default_value = "anybody", value_parser = leading(), conflicts_with_all = ["sample", "file"])]
    leaders: Led,
    /// So many random scenarios
    #[arg(long, value_name = "M")]
    sample: Option<u32>,
    /// What a sample follows from
    #[arg(long, value_name = "SEED", default_value_t = 0, requires = "sample")]
    seed: u64,
    /// The scenarios of this file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["sample", "views", "n", "pairs", "parts"])]
    file: Option<PathBuf>,
    /// Write the scenarios to this file, and run none
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    write: Option<PathBuf>,
    /// How many threads [default: one for each processor]
    #[arg(long, value_name = "J", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
}

/// [`Leading`], which is not `Display`.
#[derive(Clone, Copy, Debug)]
struct Led(Leading);

fn leading() -> impl TypedValueParser<Value = Led> {
    let lead = |name: String| Led(if name == "anybody" { Leading::Anybody } else { Leading::RoundRobin });
    PossibleValuesParser::new(["anybody", "round-robin"]).map(lead)
}

/// What is run: a family that is made on the way, or a list.
enum What {
    Family(Family),
    List(Scenarios),
}

impl What {
    fn shape(&self) -> &Shape {
        match self {
            Self::Family(family) => family.shape(),
            Self::List(list) => &list.shape,
        }
    }

    fn views(&self) -> usize {
        match self {
            Self::Family(family) => family.views(),
            Self::List(list) => list.views,
        }
    }
}

/// What was written.
#[derive(Serialize)]
struct WrittenView {
    file: PathBuf,
    scenarios: usize,
}

pub(super) fn run(args: &TwinsArgs, context: &Context) -> Result<Exit, Failure> {
    let what = what(args)?;
    if let Some(file) = &args.write {
        let written = write(what, file)?;
        let text = |view: &WrittenView| format!("{} scenarios written to {}", view.scenarios, view.file.display());
        return context.output.data(&written, text).map(|()| Exit::Success);
    }
    let began = Instant::now();
    let jobs = args.jobs.map_or_else(|| thread::available_parallelism().map_or(1, NonZero::get), usize::from);
    let report = match args.protocol {
        Protocol::Hotstuff => watch::go::<SymbolicHotStuff>(&what, jobs, context.output),
        Protocol::Pbft => watch::go::<SymbolicPbft>(&what, jobs, context.output),
    };
    let view = view::ReportView::of(args.protocol, &what, jobs, &report, began);
    context.output.data(&view, view::ReportView::text).map(|()| exit_of(report.ending))
}

fn what(args: &TwinsArgs) -> Result<What, Failure> {
    if let Some(path) = &args.file {
        let told = |why: String| format!("cannot read scenarios from {}: {why}", path.display());
        let file = File::open(path).map_err(|error| Failure::environment(told(error.to_string())))?;
        let scenarios =
            Scenarios::read(BufReader::new(file)).map_err(|error| Failure::failed(told(error.to_string())))?;
        return Ok(What::List(scenarios));
    }
    let bad = |error: ShapeError| Failure::usage(error.to_string());
    let shape = Shape::new(usize::from(args.n), usize::from(args.pairs), usize::from(args.parts)).map_err(bad)?;
    let views = usize::from(args.views);
    match args.sample {
        Some(count) => {
            let count = usize::try_from(count).map_err(|error| Failure::usage(error.to_string()))?;
            let scenarios = random_family(&shape, views, count, args.seed).map_err(bad)?;
            Ok(What::List(Scenarios { shape, views, scenarios }))
        }
        None => Ok(What::Family(Family::new(shape, views, args.leaders.0).map_err(bad)?)),
    }
}

fn write(what: What, path: &Path) -> Result<WrittenView, Failure> {
    let list = match what {
        What::List(list) => list,
        What::Family(family) => {
            Scenarios { shape: *family.shape(), views: family.views(), scenarios: family.scenarios() }
        }
    };
    let failed = |error| Failure::environment(format!("cannot write scenarios to {}: {error}", path.display()));
    let mut file = BufWriter::new(File::create(path).map_err(failed)?);
    list.write(&mut file).and_then(|()| file.flush()).map_err(failed)?;
    Ok(WrittenView { file: path.to_owned(), scenarios: list.scenarios.len() })
}
