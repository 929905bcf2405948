//! What is done to validators' processes.

use super::{At, How, grammar};
use crate::{cli::Context, exit::Failure};
use clap::Args;
use quorate_scenario::{Action, Who};

/// Kill validators: SIGKILL, as if the power had failed
///
/// Their disks stay. `quorate fault restart` brings them back.
#[derive(Debug, Args)]
pub(in crate::cli) struct KillArgs {
    /// Which, such as 3 or node3; or all
    #[arg(required = true, value_name = "VALIDATOR")]
    who: Vec<String>,
    #[command(flatten)]
    how: How,
}

/// Let validators stand still: SIGSTOP, as on a machine that swaps or a host that is suspended
///
/// Their connections stay open and fill up. `quorate fault resume` lets them go on.
#[derive(Debug, Args)]
pub(in crate::cli) struct PauseArgs {
    /// Which, such as 3 or node3; or all
    #[arg(required = true, value_name = "VALIDATOR")]
    who: Vec<String>,
    #[command(flatten)]
    how: How,
}

/// Let paused validators go on
#[derive(Debug, Args)]
pub(in crate::cli) struct ResumeArgs {
    /// Which, such as 3 or node3; or all
    #[arg(required = true, value_name = "VALIDATOR")]
    who: Vec<String>,
    #[command(flatten)]
    at: At,
}

/// Start validators again
///
/// One that runs is killed first. What was wrong with its disks is repaired, as its operator would; its links, its clock and its attack
/// stay as they are.
#[derive(Debug, Args)]
pub(in crate::cli) struct RestartArgs {
    /// Which, such as 3 or node3; or all
    #[arg(required = true, value_name = "VALIDATOR")]
    who: Vec<String>,
    #[command(flatten)]
    at: At,
}

/// Let validators lose their disks: kill them, and throw journal and blocks away
///
/// Keys and settings stay. `quorate fault restart` starts them with new disks: they are silent until the others have provably moved
/// on, because nobody knows any more what they have promised.
#[derive(Debug, Args)]
pub(in crate::cli) struct WipeArgs {
    /// Which, such as 3 or node3; or all
    #[arg(required = true, value_name = "VALIDATOR")]
    who: Vec<String>,
    #[command(flatten)]
    how: How,
}

fn who(words: &[String]) -> Result<Who, Failure> {
    grammar::who(words).map_err(Failure::usage)
}

pub(super) fn kill(args: &KillArgs, context: &Context) -> Result<(), Failure> {
    args.how.order(vec![Action::Crash(who(&args.who)?)], context)
}

pub(super) fn pause(args: &PauseArgs, context: &Context) -> Result<(), Failure> {
    args.how.order(vec![Action::Pause(who(&args.who)?)], context)
}

pub(super) fn resume(args: &ResumeArgs, context: &Context) -> Result<(), Failure> {
    args.at.order(vec![Action::Resume(who(&args.who)?)], context)
}

pub(super) fn restart(args: &RestartArgs, context: &Context) -> Result<(), Failure> {
    let who = who(&args.who)?;
    args.at.order(vec![Action::Crash(who.clone()), Action::Restart(who)], context)
}

pub(super) fn wipe(args: &WipeArgs, context: &Context) -> Result<(), Failure> {
    args.how.order(vec![Action::Wipe(who(&args.who)?)], context)
}
