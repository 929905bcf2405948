//! `quorate sim run`: one seed or one scenario, told in full.

use super::{
    ENDINGS, exit_of,
    file::read,
    subject::{Subject, runner},
    told::{Told, text},
};
use crate::{
    cli::Context,
    exit::{Exit, Failure},
};
use clap::Args;
use quorate_scenario::Votes;
use quorate_sim::campaign::{Campaign, Plan};
use std::{path::PathBuf, time::Instant};

/// Run one seed, or a scenario. A seed draws links, faults, liars and load; then everything heals, and whatever was submitted must
/// take effect. A scenario says all that itself, and what must hold.
#[derive(Debug, Args)]
#[command(after_help = ENDINGS)]
pub(in crate::cli) struct RunArgs {
    #[command(flatten)]
    subject: Subject,
    /// What all chance follows from [default: 0, or what the scenario says]
    #[arg(long, value_name = "SEED")]
    seed: Option<u64>,
    /// Run this file in place of what a seed draws
    #[arg(long, value_name = "FILE", conflicts_with_all = ["protocol", "scheme", "n"])]
    scenario: Option<PathBuf>,
}

pub(super) fn run(args: &RunArgs, context: &Context) -> Result<Exit, Failure> {
    let (plan, votes, name) = subject(args)?;
    let began = Instant::now();
    let outcome = runner(votes)(&plan);
    let exit = exit_of(outcome.ending());
    let told = Told::new(&plan, votes, name, outcome, began.elapsed().as_secs_f64());
    context.output.data(&told, text).map(|()| exit)
}

fn subject(args: &RunArgs) -> Result<(Plan, Votes, Option<String>), Failure> {
    let Some(path) = &args.scenario else {
        let Subject { protocol, scheme, n } = args.subject;
        let plan = Campaign::new(protocol, usize::from(n)).plan(args.seed.unwrap_or_default());
        return Ok((plan, scheme, None));
    };
    let (scenario, mut plan) = read(path)?;
    plan.seed = args.seed.unwrap_or(plan.seed);
    Ok((plan, scenario.net.votes, Some(scenario.name)))
}
