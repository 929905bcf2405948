//! Validators that lie.

use super::{At, How, grammar};
use crate::{
    cli::{Context, sim},
    exit::Failure,
    testnet::Manifest,
};
use clap::{Args, Subcommand};
use quorate_scenario::{Action, Attacker};
use quorate_types::ReplicaId;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum AttackCommand {
    Start(StartArgs),
    Stop(StopArgs),
    List(ListArgs),
}

/// Let validators lie from now on
///
/// `quorate fault attack list` names the attacks. A validator that lies already changes over to this one. Liars that are separate
/// processes do not know each other's keys: each lies alone, by the same rules.
#[derive(Debug, Args)]
pub(in crate::cli) struct StartArgs {
    /// The attack
    #[arg(value_name = "NAME")]
    attack: String,
    /// Who lies, such as 3 or node3; several with commas
    #[arg(long, required = true, value_name = "VALIDATOR", value_delimiter = ',', value_parser = grammar::member)]
    node: Vec<ReplicaId>,
    /// Be honest before this view
    #[arg(long, value_name = "VIEW", default_value_t = 0)]
    from_view: u64,
    /// Be honest again from this view on
    #[arg(long, value_name = "VIEW")]
    until_view: Option<u64>,
    /// Who suffers, where the attack can choose; several with commas
    #[arg(long, value_name = "VALIDATOR", value_delimiter = ',', value_parser = grammar::member)]
    against: Vec<ReplicaId>,
    #[command(flatten)]
    how: How,
}

/// Let liars be honest again
///
/// What they signed stays signed: they still count among those of whom no more than f may lie in one run.
#[derive(Debug, Args)]
pub(in crate::cli) struct StopArgs {
    /// Who; all who lie unless told
    #[arg(long, value_name = "VALIDATOR", value_delimiter = ',', value_parser = grammar::member)]
    node: Vec<ReplicaId>,
    #[command(flatten)]
    at: At,
}

/// List the attacks on this testnet's protocol, with what each tries to break
#[derive(Debug, Args)]
pub(in crate::cli) struct ListArgs {
    #[command(flatten)]
    at: At,
}

pub(super) fn run(command: AttackCommand, context: &Context) -> Result<(), Failure> {
    match command {
        AttackCommand::Start(args) => start(&args, context),
        AttackCommand::Stop(args) => stop(&args, context),
        AttackCommand::List(args) => {
            let manifest = Manifest::load(&args.at.home())?;
            sim::list_attacks(manifest.map(|manifest| manifest.protocol), context)
        }
    }
}

fn start(args: &StartArgs, context: &Context) -> Result<(), Failure> {
    let attacker = |replica: &ReplicaId| Attacker {
        replica: *replica,
        attack: args.attack.clone(),
        from_view: args.from_view,
        until_view: args.until_view,
        against: args.against.iter().copied().collect(),
    };
    args.how.order(args.node.iter().map(attacker).map(Action::Attack).collect(), context)
}

fn stop(args: &StopArgs, context: &Context) -> Result<(), Failure> {
    let mut liars = args.node.clone();
    if liars.is_empty() {
        let status = context.block_on(async { args.at.remote()?.status().await })?;
        liars.extend(status.nodes.iter().filter_map(|node| Some(node.attack.as_ref()?.replica)));
    }
    if liars.is_empty() {
        return Err(Failure::failed("nobody lies").hint("quorate fault status"));
    }
    args.at.order(liars.into_iter().map(Action::StopAttack).collect(), context)
}
