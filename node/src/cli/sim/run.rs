//! `quorate sim run`: one seed or one scenario, told in full.

use super::{
    ENDINGS, exit_of,
    file::read_within,
    panicked,
    save::cut,
    subject::{Subject, runner},
    told::{Told, text, title},
    trace::{draw, watch},
};
use crate::{
    cli::Context,
    exit::{Exit, Failure},
};
use clap::Args;
use quorate_scenario::Votes;
use quorate_sim::campaign::{Campaign, Ending, Outcome, Plan, attempt};
use std::{path::PathBuf, time::Instant};

/// Run one seed, or a scenario
///
/// A seed draws links, faults, liars and load; then everything heals, and whatever was submitted must
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
    /// Run it even if more lie than the protocol bears: honest ledgers may differ then
    #[arg(long, requires = "scenario")]
    beyond_f: bool,
    /// Draw the run here, as an HTML page: every message, and what became of each replica
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// If it fails, cut it to a small run that fails alike, and save that here for `sim replay`
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
}

/// What is run, and how it is called.
struct Chosen {
    plan: Plan,
    votes: Votes,
    name: Option<String>,
    about: String,
}

pub(super) fn run(args: &RunArgs, context: &Context) -> Result<Exit, Failure> {
    let Chosen { plan, votes, name, about } = chosen(args)?;
    let began = Instant::now();
    let outcome = attempt(runner(votes), &plan, watch(args.trace.as_deref()));
    if let (Some(path), true) = (&args.save, outcome.as_ref().is_none_or(|outcome| outcome.ending() != Ending::Pass)) {
        cut(&plan, (runner(votes), votes), &what_failed(outcome.as_ref()), path, context.output)?;
    }
    let outcome = outcome.ok_or_else(panicked)?;
    let took = began.elapsed().as_secs_f64();
    draw(args.trace.as_deref(), &plan, &outcome, title(&plan, votes, name.as_deref()), about)?;
    let exit = exit_of(outcome.ending());
    context.output.data(&Told::new(&plan, votes, name, outcome, took), text).map(|()| exit)
}

fn what_failed(outcome: Option<&Outcome>) -> String {
    let Some(outcome) = outcome else { return "the code panicked".to_owned() };
    let unheld = outcome.held.iter().find(|held| !held.holds);
    let unheld = unheld.map(|held| format!("{}: {}", held.expectation, held.figure));
    outcome.violation.as_ref().map(ToString::to_string).or(unheld).unwrap_or_default()
}

fn chosen(args: &RunArgs) -> Result<Chosen, Failure> {
    let Some(path) = &args.scenario else {
        let Subject { protocol, scheme, n } = args.subject;
        let plan = Campaign::new(protocol, usize::from(n)).plan(args.seed.unwrap_or_default());
        return Ok(Chosen { plan, votes: scheme, name: None, about: String::new() });
    };
    let (scenario, mut plan) = read_within(path, args.beyond_f)?;
    plan.seed = args.seed.unwrap_or(plan.seed);
    Ok(Chosen { plan, votes: scenario.net.votes, name: Some(scenario.name), about: scenario.about })
}
