//! `quorate sim`: the simulator's command line. Here and nowhere else in the node is it known that there is a simulator; a
//! build without the feature `lab` has none.

mod attacks;
mod campaign;
mod file;
pub(super) mod gauge;
mod progress;
mod replay;
mod run;
mod save;
mod subject;
mod told;
mod trace;
mod twins;

pub(crate) use file::read_within as read_scenario;

use super::Context;
use crate::{
    exit::{Exit, Failure},
    verdict::exit_of,
};
use clap::Subcommand;
use std::time::Instant;

/// Run validators in the simulator: virtual time, links and disks, all chance from one seed
#[derive(Debug, Subcommand)]
pub(super) enum SimCommand {
    Run(run::RunArgs),
    Campaign(campaign::CampaignArgs),
    Twins(twins::TwinsArgs),
    Replay(replay::ReplayArgs),
    /// List the attacks, with what each tries to break
    Attacks(attacks::AttacksArgs),
}

/// Prints the attacks that there are.
pub(super) fn list_attacks(protocol: Option<quorate_ledger::Protocol>, context: &Context) -> Result<(), Failure> {
    attacks::list_all(protocol, context)
}

/// Shown below the help of commands that run something.
const ENDINGS: &str = "Endings:\n  pass         exit code 0: everything held\n  broken       exit code 1: a rule other than the next \
    two was broken, or the code panicked\n  diverged     exit code 3: honest ledgers differ, or hold what was never \
    proven\n  no-progress  exit code 4: what was submitted did not take effect in time";

pub(super) fn run(command: SimCommand, context: &Context) -> Result<Exit, Failure> {
    match command {
        SimCommand::Run(args) => run::run(&args, context),
        SimCommand::Campaign(args) => campaign::run(&args, context),
        SimCommand::Twins(args) => twins::run(&args, context),
        SimCommand::Replay(args) => replay::run(&args, context),
        SimCommand::Attacks(args) => attacks::run(&args, context),
    }
}

fn panicked() -> Failure {
    Failure::failed("the code under test panicked: its message stands above")
}

/// Runs in a second.
fn rate(runs: u64, began: Instant) -> f64 {
    let rate = runs as f64 / began.elapsed().as_secs_f64().max(1e-6);
    (rate * 10.0).round() / 10.0
}
