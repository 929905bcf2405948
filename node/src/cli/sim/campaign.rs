//! `quorate sim campaign`: many seeds.

use super::{
    ENDINGS, exit_of,
    progress::Progress,
    rate,
    save::save,
    subject::{Subject, seeds},
};
use crate::{
    cli::Context,
    exit::{Exit, Failure},
};
use clap::Args;
use quorate_sim::campaign::{Campaign, Failure as Failed, Report, attacks, watched};
use serde::Serialize;
use std::{num::NonZero, ops::Range, path::PathBuf, thread, time::Instant};

/// Run many seeds
///
/// Each is a run of its own. With a real scheme each hundredth seed has its signatures, all others symbolic ones.
#[derive(Debug, Args)]
#[command(after_help = ENDINGS)]
pub(in crate::cli) struct CampaignArgs {
    #[command(flatten)]
    subject: Subject,
    /// Which seeds, as 0..1000: the last is not run
    #[arg(long, value_name = "A..B", value_parser = seeds)]
    seeds: Range<u64>,
    /// How many threads [default: one for each processor]
    #[arg(long, value_name = "J", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Attackers use these attacks, as `quorate sim attacks` calls them [default: all]. `none`: nobody lies
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    attacks: Option<Vec<String>>,
    /// Cut the first runs that fail to small ones, and save them here as scenarios
    #[arg(long, value_name = "DIR", default_value = "sim-failures")]
    save: PathBuf,
    /// Neither cut nor save runs that fail
    #[arg(long, conflicts_with = "save")]
    no_save: bool,
}

/// A campaign as JSON tells it.
#[derive(Serialize)]
struct ReportView {
    protocol: &'static str,
    scheme: &'static str,
    n: u16,
    ending: &'static str,
    seeds: u64,
    /// Of them with real signatures.
    real: u64,
    violations: usize,
    stuck: usize,
    blocks: u64,
    events: u64,
    /// The trace hashes of all seeds, put together without regard to their order.
    traces: String,
    /// Real seconds.
    took: f64,
    seeds_a_second: f64,
    failures: Vec<FailureView>,
    /// Files of runs cut small, for `quorate sim replay`.
    saved: Vec<PathBuf>,
    #[serde(skip)]
    text: String,
}

/// A run that failed.
#[derive(Serialize)]
pub(super) struct FailureView {
    seed: u64,
    ending: &'static str,
    /// None where the code under test panicked.
    rule: Option<String>,
    what: String,
}

impl From<&Failed> for FailureView {
    fn from(failed: &Failed) -> Self {
        Self {
            seed: failed.seed,
            ending: failed.ending().name(),
            rule: failed.rule.map(|rule| rule.to_string()),
            what: failed.what.clone(),
        }
    }
}

pub(super) fn run(args: &CampaignArgs, context: &Context) -> Result<Exit, Failure> {
    let (campaign, votes) = (campaign(args)?, args.subject.scheme);
    let began = Instant::now();
    let progress = Progress::new(context.output, args.seeds.end - args.seeds.start);
    let report = watched(&campaign, args.seeds.clone(), &|failure| progress.tick(failure));
    progress.clear();
    let mut view = view(args, &report, campaign.threads, began);
    if !args.no_save {
        view.saved = save(&campaign, votes, &report, &args.save, context.output)?;
    }
    context.output.data(&view, |view| view.text.clone()).map(|()| exit_of(report.ending()))
}

fn campaign(args: &CampaignArgs) -> Result<Campaign, Failure> {
    let Subject { protocol, scheme, n } = args.subject;
    let known = attacks(protocol);
    let named = args.attacks.clone().map(|names| if names == ["none"] { Vec::new() } else { names });
    if let Some(unknown) = named.iter().flatten().find(|name| !known.contains(&name.as_str())) {
        return Err(Failure::usage(format!("{protocol} knows no attack `{unknown}`")).hint("quorate sim attacks"));
    }
    Ok(Campaign {
        real: scheme.real().map(quorate_sim_real::runner),
        threads: args.jobs.map_or_else(|| thread::available_parallelism().map_or(1, NonZero::get), usize::from),
        attacks: named,
        ..Campaign::new(protocol, usize::from(n))
    })
}

fn view(args: &CampaignArgs, report: &Report, jobs: usize, began: Instant) -> ReportView {
    let Subject { protocol, scheme, n } = args.subject;
    let (took, seeds_a_second) = (began.elapsed().as_secs_f64(), rate(report.seeds, began));
    let name = scheme.name();
    let text = format!(
        "{protocol}, {name}, n={n}: {report}{took:.1} s with {jobs} jobs: {seeds_a_second} seeds a second\n{}",
        report.ending()
    );
    ReportView {
        protocol: protocol.name(),
        scheme: name,
        n,
        ending: report.ending().name(),
        seeds: report.seeds,
        real: report.real,
        violations: report.violations.len(),
        stuck: report.stuck.len(),
        blocks: report.blocks,
        events: report.events,
        traces: hex::encode(report.traces.0),
        took,
        seeds_a_second,
        failures: report.violations.iter().chain(&report.stuck).map(FailureView::from).collect(),
        saved: Vec::new(),
        text,
    }
}
