//! `quorate fault`: breaks a running testnet, and says what to look at. The testnet's own process does it; here orders are read,
//! handed to it, and its answers are told.

mod attack;
mod console;
mod disks;
mod grammar;
mod links;
mod processes;
mod random;
mod show;

use super::Context;
use crate::{
    exit::Failure,
    testnet::{DEFAULT_HOME, TestnetHome, console::Order},
};
use clap::{Args, Subcommand};
pub(super) use console::Remote;
use quorate_scenario::Action;
use std::path::PathBuf;

// A command's help stands at its arguments.
#[derive(Debug, Subcommand)]
pub(super) enum FaultCommand {
    Kill(processes::KillArgs),
    Pause(processes::PauseArgs),
    Resume(processes::ResumeArgs),
    Restart(processes::RestartArgs),
    Wipe(processes::WipeArgs),
    Partition(links::PartitionArgs),
    Heal(links::HealArgs),
    Link(links::LinkArgs),
    Wan(links::WanArgs),
    SlowDisk(disks::SlowDiskArgs),
    DiskFull(disks::DiskFullArgs),
    Skew(disks::SkewArgs),
    /// Let a validator lie, and let it be honest again
    #[command(subcommand)]
    Attack(attack::AttackCommand),
    Status(show::StatusArgs),
    Links(show::LinksArgs),
    Reset(show::ResetArgs),
    Random(random::RandomArgs),
}

// Which testnet. No doc comment: it would replace the help of each command that takes these.
#[derive(Clone, Debug, Args)]
struct At {
    /// The running testnet's home
    #[arg(long, value_name = "DIR", default_value = DEFAULT_HOME)]
    home: PathBuf,
}

// The same for what can go too far.
#[derive(Clone, Debug, Args)]
struct How {
    #[command(flatten)]
    at: At,
    /// Even if more validators are faulty then than the protocol bears: it may stop, or fork
    #[arg(long)]
    beyond_f: bool,
}

pub(super) fn run(command: FaultCommand, context: &Context) -> Result<(), Failure> {
    match command {
        FaultCommand::Kill(args) => processes::kill(&args, context),
        FaultCommand::Pause(args) => processes::pause(&args, context),
        FaultCommand::Resume(args) => processes::resume(&args, context),
        FaultCommand::Restart(args) => processes::restart(&args, context),
        FaultCommand::Wipe(args) => processes::wipe(&args, context),
        FaultCommand::Partition(args) => links::partition(&args, context),
        FaultCommand::Heal(args) => links::heal(&args, context),
        FaultCommand::Link(args) => links::link(&args, context),
        FaultCommand::Wan(args) => links::wan(&args, context),
        FaultCommand::SlowDisk(args) => disks::slow(&args, context),
        FaultCommand::DiskFull(args) => disks::full(&args, context),
        FaultCommand::Skew(args) => disks::skew(&args, context),
        FaultCommand::Attack(command) => attack::run(command, context),
        FaultCommand::Status(args) => show::status(&args, context),
        FaultCommand::Links(args) => show::links(&args, context),
        FaultCommand::Reset(args) => show::reset(&args, context),
        FaultCommand::Random(args) => random::run(&args, context),
    }
}

impl At {
    fn home(&self) -> TestnetHome {
        TestnetHome::new(&self.home)
    }

    fn remote(&self) -> Result<Remote, Failure> {
        Remote::find(&self.home())
    }
}

impl How {
    /// Gives an order, waits until it is in force, and tells what came of it.
    fn order(&self, actions: Vec<Action>, context: &Context) -> Result<(), Failure> {
        let remote = self.at.remote()?;
        let answer = context.block_on(remote.order(&Order { actions, beyond_f: self.beyond_f }))?;
        context.output.data(&answer, show::answer)
    }
}

impl At {
    /// The same for what makes nothing worse.
    fn order(&self, actions: Vec<Action>, context: &Context) -> Result<(), Failure> {
        How { at: self.clone(), beyond_f: false }.order(actions, context)
    }
}
