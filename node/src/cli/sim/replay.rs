//! `quorate sim replay`: a saved run again, and whether it was the same.

use super::{
    ENDINGS, exit_of,
    file::read,
    subject::runner,
    told::{Told, text},
};
use crate::{
    cli::Context,
    exit::{Exit, Failure},
};
use clap::Args;
use quorate_scenario::Recorded;
use quorate_sim::campaign::attempt;
use std::{path::PathBuf, time::Instant};

/// Run a saved scenario again. If its file records a trace, this one must be the same: if it is not, the code has changed since,
/// and the exit code is 1. If it is, the exit code is that of the run.
#[derive(Debug, Args)]
#[command(after_help = ENDINGS)]
pub(in crate::cli) struct ReplayArgs {
    /// A scenario, as `sim campaign` saves it
    file: PathBuf,
}

pub(super) fn run(args: &ReplayArgs, context: &Context) -> Result<Exit, Failure> {
    let (scenario, plan) = read(&args.file)?;
    let began = Instant::now();
    let Some(outcome) = attempt(runner(scenario.net.votes), &plan) else {
        return Err(Failure::failed("the code under test panicked: its message stands above"));
    };
    let (exit, trace) = (exit_of(outcome.ending()), hex::encode(outcome.trace.0));
    let told = Told::new(&plan, scenario.net.votes, Some(scenario.name), outcome, began.elapsed().as_secs_f64());
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
