//! `quorate completions SHELL`.

use crate::{exit::Failure, output::print};
use clap::{Args, CommandFactory};
use clap_complete::Shell;

/// Print a completion script for a shell
#[derive(Debug, Args)]
#[command(after_help = "For bash:  source <(quorate completions bash)")]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn run(args: &CompletionsArgs) -> Result<(), Failure> {
    // Into memory first: the generator panics when its reader goes away.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::Cli::command(), "quorate", &mut script);
    print(&String::from_utf8_lossy(&script))
}
