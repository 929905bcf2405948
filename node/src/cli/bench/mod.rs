//! `quorate bench`: measurements. In builds with the feature `lab` only.

mod compare;
mod complexity;
mod files;
mod load;
mod provenance;
mod run;

use super::Context;
use crate::exit::{Exit, Failure};
use clap::Subcommand;

/// Measure
#[derive(Debug, Subcommand)]
pub(super) enum BenchCommand {
    Complexity(complexity::ComplexityArgs),
    Load(load::LoadArgs),
    Run(run::RunArgs),
    Compare(compare::CompareArgs),
}

pub(super) fn run(command: BenchCommand, context: &Context) -> Result<Exit, Failure> {
    match command {
        BenchCommand::Complexity(args) => complexity::run(&args, context),
        BenchCommand::Load(args) => load::run(args, context),
        BenchCommand::Run(args) => run::run(args, context),
        BenchCommand::Compare(args) => compare::run(&args, context),
    }
}
