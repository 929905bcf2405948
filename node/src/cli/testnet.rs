//! `quorate testnet`.

use super::{
    Context,
    duration::duration,
    genesis::{App, election, protocol, scheme},
};
use crate::{
    config::DurabilityChoice,
    exit::{Exit, Failure},
    logs::LogFormat,
    testnet::{self, DEFAULT_HOME, Options, TestnetHome},
};
use clap::{Args, ValueEnum};
use quorate_ledger::{Election, Protocol, SchemeKind};
use std::{path::PathBuf, time::Duration};

/// Run a network of validators on this machine
///
/// Each is a process of its own. State is kept under --home and resumed by the next run. Ctrl-C stops the validators and compares their ledgers; if they agree, the exit code is 0. With --scenario things happen to it, and the exit code is that of the verdict.
#[derive(Debug, Args)]
pub(super) struct TestnetArgs {
    /// How many validators [default: 4, or as many as the home has]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=Options::MAX_NODES as i64))]
    nodes: Option<u16>,
    /// Where everything is kept [default: quorate-testnet, or quorate-scenario with --scenario]
    #[arg(long, value_name = "DIR")]
    home: Option<PathBuf>,
    /// The first port; free ones are found unless told
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    base_port: Option<u16>,
    /// Begin anew: remove what an earlier run made under --home, and nothing else
    #[arg(long)]
    fresh: bool,
    /// Stop after this long, such as 30s; until Ctrl-C unless told
    #[arg(long, value_parser = duration)]
    duration: Option<Duration>,
    /// Send this many signed transactions a second
    #[arg(long, value_name = "RATE", value_parser = clap::value_parser!(u32).range(1..))]
    load: Option<u32>,
    /// How the validators agree [default: hotstuff, or what the home has]
    #[arg(long, value_name = "PROTOCOL", value_parser = protocol())]
    protocol: Option<Protocol>,
    /// What votes are signed with [default: ed25519, or what the home has]. This process deals the key of
    /// bls-threshold, unless --dkg
    #[arg(long, value_name = "SCHEME", value_parser = scheme())]
    scheme: Option<SchemeKind>,
    /// The validators make the key of bls-threshold themselves, without a dealer, before they start
    #[arg(long)]
    dkg: bool,
    /// Who leads [default: round-robin with hotstuff, stable with pbft, or what the home has]
    #[arg(long, value_name = "ELECTION", value_parser = election())]
    election: Option<Election>,
    /// What the chain runs [default: kv, or what the home has]
    #[arg(long, value_enum)]
    app: Option<App>,
    /// When promises reach the disk
    #[arg(long, value_enum, default_value_t)]
    durability: DurabilityChoice,
    /// Propose empty blocks at this pace; without it an idle testnet is quiet
    #[arg(long, value_parser = duration)]
    block_interval: Option<Duration>,
    /// Length of the first view, from which failed ones grow [default: 500ms, or what the home has]
    #[arg(long, value_parser = duration)]
    timeout: Option<Duration>,
    /// Key files are encrypted under the passphrase in this file
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    #[cfg(feature = "lab")]
    #[command(flatten)]
    play: Play,
}

// A scenario brings its own network.
#[cfg(feature = "lab")]
#[derive(Debug, Args)]
struct Play {
    /// Run this file, as `quorate sim run` does, in real time on a testnet of its own, and judge it
    #[arg(long, value_name = "FILE", conflicts_with_all = [
        "nodes", "protocol", "scheme", "dkg", "election", "app", "block_interval", "timeout", "duration", "load",
    ])]
    scenario: Option<PathBuf>,
    /// Run it even if more lie than the protocol bears: honest ledgers may differ then
    #[arg(long, requires = "scenario")]
    beyond_f: bool,
    /// With --dkg: this member cheats while the key is made, such as 3:bad-shares
    #[arg(long, value_name = "MEMBER:KIND", requires = "dkg")]
    cheat: Vec<crate::lab::Cheating>,
}

/// Where scenarios run unless told: a home that begins anew each time.
#[cfg(feature = "lab")]
const SCENARIO_HOME: &str = "quorate-scenario";

pub(super) fn run(args: TestnetArgs, context: &Context) -> Result<Exit, Failure> {
    context.init_logs("warn", LogFormat::Text)?;
    #[cfg(feature = "lab")]
    let (home, fresh) = match &args.play.scenario {
        Some(_) => (SCENARIO_HOME, args.fresh || args.home.is_none()),
        None => (DEFAULT_HOME, args.fresh),
    };
    #[cfg(not(feature = "lab"))]
    let (home, fresh) = (DEFAULT_HOME, args.fresh);
    let options = Options {
        home: TestnetHome::new(args.home.unwrap_or_else(|| home.into())),
        nodes: args.nodes.map(usize::from),
        protocol: args.protocol,
        scheme: args.scheme,
        dkg: args.dkg,
        #[cfg(feature = "lab")]
        cheat: args.play.cheat.iter().map(ToString::to_string).collect(),
        #[cfg(not(feature = "lab"))]
        cheat: Vec::new(),
        election: args.election,
        app: args.app.map(|app| app.name().to_owned()),
        block_interval: args.block_interval,
        timeout: args.timeout,
        params: None,
        base_port: args.base_port,
        fresh,
        duration: args.duration,
        load: args.load,
        durability: args.durability,
        password_file: args.password_file.clone(),
    };
    let mut passed_on = Vec::new();
    if let Some(filter) = &context.log {
        passed_on.extend(["--log".to_owned(), filter.clone()]);
    }
    if let Some(format) = context.log_format.and_then(|format| format.to_possible_value()) {
        passed_on.extend(["--log-format".to_owned(), format.get_name().to_owned()]);
    }
    if let Some(path) = args.password_file {
        passed_on.extend(["--password-file".to_owned(), path.display().to_string()]);
    }
    #[cfg(feature = "lab")]
    if let Some(file) = &args.play.scenario {
        let played = testnet::scenario::run(file, (&options, args.play.beyond_f), &passed_on, context.output);
        return context.block_on(played);
    }
    context.block_on(testnet::run(&options, &passed_on, context.output))
}
