//! `quorate sim replay`: a saved run again, and whether it was the same.

use super::{
    ENDINGS, exit_of,
    file::read,
    panicked,
    subject::runner,
    told::{Told, text, title},
    trace::{draw, watch},
};
use crate::{
    cli::Context,
    exit::{Exit, Failure},
};
use clap::Args;
use quorate_scenario::Recorded;
use quorate_sim::campaign::attempt;
use std::{path::PathBuf, time::Instant};

/// Run a saved scenario again, and tell whether it was the same
///
/// If its file records a trace, this one must be the same: if it is not, the code has changed since,
/// and the exit code is 1. If it is, the exit code is that of the run.
#[derive(Debug, Args)]
#[command(after_help = ENDINGS)]
pub(in crate::cli) struct ReplayArgs {
    /// A scenario, as `sim campaign` saves it
    file: PathBuf,
    /// Draw the run here, as an HTML page: every message, and what became of each replica
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
}

pub(super) fn run(args: &ReplayArgs, context: &Context) -> Result<Exit, Failure> {
    let (scenario, plan) = read(&args.file)?;
    let votes = scenario.net.votes;
    let began = Instant::now();
    let outcome = attempt(runner(votes), &plan, watch(args.trace.as_deref())).ok_or_else(panicked)?;
    let (exit, trace) = (exit_of(outcome.ending()), hex::encode(outcome.trace.0));
    let took = began.elapsed().as_secs_f64();
    draw(args.trace.as_deref(), &plan, &outcome, title(&plan, votes, Some(&scenario.name)), scenario.about)?;
    let told = Told::new(&plan, votes, Some(scenario.name), outcome, took);
    context.output.data(&told, text)?;
    match scenario.recorded {
        None => context.output.note("the file records no trace to compare with"),
        Some(recorded) if recorded.trace.as_ref() == Some(&trace) => {
            context.output.note("the trace is the one recorded")
        }
        Some(Recorded { ending, trace, .. }) => {
            let trace = trace.unwrap_or_else(|| "none, for the code panicked".to_owned());
            let what = format!("the trace is not the one recorded: {trace}; that run ended {ending}");
            return Err(Failure::failed(what).hint("the version of the code that saved it"));
        }
    }
    Ok(exit)
}
