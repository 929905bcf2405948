//! `quorate bench load`.

use super::{
    super::{
        Context,
        duration::duration,
        genesis::{App, protocol, scheme},
    },
    files,
    provenance::provenance,
};
use crate::{
    bench::{self, Wanted},
    config::DurabilityChoice,
    exit::{Exit, Failure},
    logs::LogFormat,
    testnet::Options,
};
use clap::{Args, ValueEnum};
use quorate_bench::load::LoadReport;
use quorate_ledger::{Protocol, SchemeKind};
use quorate_types::limits;
use std::{path::PathBuf, time::Duration};

/// Where the testnet of a load lives unless told.
const HOME: &str = "quorate-bench";

/// Load real validators, and tell what they commit, how fast and at what cost
///
/// An open loop: transactions are due at an even pace whatever became of those before, and latencies run from when each was due, so
/// that a stall counts for all that it delays. A testnet is made for it, and removed unless its ledgers differ. The summary is refused
/// if the client was the bottleneck, if ledgers differ, or if less than 95 % of what was accepted was committed; the exit code is 1
/// then, or 3 if ledgers differ.
#[derive(Debug, Args)]
pub(crate) struct LoadArgs {
    #[command(flatten)]
    common: Common,
    /// Validators that run already, instead of a testnet
    #[arg(long, value_name = "URL,URL", value_delimiter = ',', conflicts_with_all = ["protocol", "scheme", "n", "durability", "app", "client_signatures"])]
    connect: Vec<String>,
    /// How the validators agree
    #[arg(long, value_name = "PROTOCOL", default_value_t, value_parser = protocol())]
    protocol: Protocol,
    /// What they sign votes with
    #[arg(long, value_name = "SCHEME", default_value_t, value_parser = scheme())]
    scheme: SchemeKind,
    /// Look for the greatest rate that is carried, from --rate on, and run at that
    #[arg(long)]
    find_knee: bool,
    /// Write load.json, load.md and load.csv here
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

// What `load` and `run` understand. No doc comment: it would replace their help.
#[derive(Clone, Debug, Args)]
pub(super) struct Common {
    /// Transactions a second
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    rate: u32,
    /// How long is measured
    #[arg(long, default_value = "20s", value_parser = duration)]
    pub(super) duration: Duration,
    /// How long the load runs before that
    #[arg(long, default_value = "5s", value_parser = duration)]
    warm_up: Duration,
    /// Bytes of each transaction's payload
    #[arg(long, value_name = "BYTES", default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..=limits::TRANSACTION_PAYLOAD as i64))]
    payload: u32,
    /// How many validators
    #[arg(long, value_name = "VALIDATORS", default_value_t = Options::DEFAULT_NODES as u16, value_parser = clap::value_parser!(u16).range(1..=Options::MAX_NODES as i64))]
    n: u16,
    /// When promises reach the disk
    #[arg(long, value_enum, default_value_t)]
    durability: DurabilityChoice,
    /// What the chain runs
    #[arg(long, value_enum, default_value_t = App::Opaque)]
    app: App,
    /// Whether clients sign their transactions; those of kv do [default: off with opaque, on with kv]
    #[arg(long, value_enum)]
    client_signatures: Option<Switch>,
    /// Length of the first view, from which failed ones grow [default: 500ms]
    #[arg(long, value_parser = duration)]
    timeout: Option<Duration>,
    /// Client accounts, which take turns
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    accounts: u32,
    /// What the client accounts and payloads are made from
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
    /// Where the testnet lives while it is measured: its disk is what is measured, too
    #[arg(long, value_name = "DIR", default_value = HOME)]
    home: PathBuf,
}

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

impl Common {
    /// A load of this protocol and scheme.
    pub(super) fn wanted(&self, protocol: Protocol, scheme: SchemeKind, context: &Context) -> Wanted {
        let client_signatures = self.client_signatures.map_or(self.app == App::Kv, |switch| switch == Switch::On);
        let mut passed_on = Vec::new();
        if let Some(filter) = &context.log {
            passed_on.extend(["--log".to_owned(), filter.clone()]);
        }
        Wanted {
            connect: Vec::new(),
            home: self.home.clone(),
            protocol,
            scheme,
            validators: usize::from(self.n),
            durability: self.durability,
            application: self.app.name().to_owned(),
            client_signatures,
            timeout: self.timeout,
            rate: self.rate,
            find_knee: false,
            payload: self.payload as usize,
            accounts: self.accounts,
            seed: self.seed,
            duration: self.duration,
            warm_up: self.warm_up,
            passed_on,
        }
    }
}

pub(super) fn run(args: LoadArgs, context: &Context) -> Result<Exit, Failure> {
    context.init_logs("warn", LogFormat::Text)?;
    let wanted = Wanted {
        connect: args.connect,
        find_knee: args.find_knee,
        ..args.common.wanted(args.protocol, args.scheme, context)
    };
    if wanted.duration.is_zero() {
        return Err(Failure::usage("--duration 0s leaves nothing to measure"));
    }
    let Some(report) = context.block_on(bench::load(&wanted, provenance(Some(wanted.seed)), context.output))? else {
        return Ok(Exit::Interrupted);
    };
    if let Some(dir) = &args.out {
        let json = serde_json::to_string_pretty(&report).expect("a report has a JSON form") + "\n";
        files::write(dir, &[("load.json", json), ("load.md", report.markdown()), ("load.csv", report.csv())])?;
    }
    context.output.data(&report, LoadReport::text)?;
    Ok(bench::exit(&report))
}
