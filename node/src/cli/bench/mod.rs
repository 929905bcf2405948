//! `quorate bench`: measurements. In builds with the feature `lab` only.

mod complexity;
mod provenance;

use super::Context;
use crate::exit::{Exit, Failure};
use clap::Subcommand;

/// Measure
#[derive(Debug, Subcommand)]
pub(super) enum BenchCommand {
    Complexity(complexity::ComplexityArgs),
}

pub(super) fn run(command: BenchCommand, context: &Context) -> Result<Exit, Failure> {
    match command {
        BenchCommand::Complexity(args) => complexity::run(&args, context),
    }
}
