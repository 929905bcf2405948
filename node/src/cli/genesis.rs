//! `quorate genesis new|check|show`.

use super::{
    Context,
    deal::{deal, save_shares},
    duration::duration,
    passphrase::PassphraseArgs,
};
use crate::{
    exit::Failure,
    home::{read_genesis, read_text, write_private},
};
use clap::{
    Args, Subcommand, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
};
use quorate_ledger::{AppGenesis, Election, Genesis, GenesisError, Params, Protocol, SchemeKind, Validator};
use quorate_types::{Account, Digest};
use serde_json::json;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

#[derive(Debug, Subcommand)]
pub(super) enum GenesisCommand {
    /// Make a genesis document of validators' entries
    New(NewArgs),
    /// Check a genesis document and print its digest
    Check(FileArg),
    /// Show what a genesis document says
    Show(FileArg),
}

#[derive(Debug, Args)]
pub(super) struct FileArg {
    /// The genesis document
    file: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct NewArgs {
    /// The chain's name
    #[arg(long)]
    chain: String,
    /// A validator's entry as `quorate keygen` prints it; in the order of the committee, once for each
    #[arg(long = "validator", value_name = "FILE", required = true)]
    validators: Vec<PathBuf>,
    /// How validators agree
    #[arg(long, value_name = "PROTOCOL", default_value_t, value_parser = protocol())]
    protocol: Protocol,
    /// What votes are signed with. bls-threshold takes --deal; without a dealer, make an ed25519 draft for `quorate dkg`
    #[arg(long, value_name = "SCHEME", default_value_t, value_parser = scheme())]
    scheme: SchemeKind,
    /// Deal the threshold key here, and write each validator's share as NAME.pem into this new directory. Whoever does this
    /// could keep the key
    #[arg(long, value_name = "DIR")]
    deal: Option<PathBuf>,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    /// Who leads [default: round-robin with hotstuff, stable with pbft]
    #[arg(long, value_name = "ELECTION", value_parser = election())]
    election: Option<Election>,
    /// PBFT: heights between checkpoints
    #[arg(long, value_name = "HEIGHTS", default_value_t = Params::default().checkpoint_interval)]
    checkpoint_interval: u64,
    /// What the chain runs
    #[arg(long, value_enum, default_value_t)]
    app: App,
    /// A funded account of the kv application, once for each
    #[arg(long = "account", value_name = "ACCOUNT=BALANCE", value_parser = account)]
    accounts: Vec<(Account, u64)>,
    /// Propose empty blocks at this pace; without it an idle chain is quiet
    #[arg(long, value_parser = duration)]
    block_interval: Option<Duration>,
    /// Where to write it; standard output unless told
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// An application by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum App {
    /// Keys, values and balances.
    #[default]
    Kv,
    /// Any bytes; for benchmarks.
    Opaque,
}

impl App {
    /// The name in the genesis.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Kv => "kv",
            Self::Opaque => "opaque",
        }
    }
}

/// Reads a protocol's name.
pub(super) fn protocol() -> impl TypedValueParser<Value = Protocol> {
    PossibleValuesParser::new(Protocol::ALL.map(Protocol::name)).try_map(|name| name.parse::<Protocol>())
}

/// Reads a scheme's name.
pub(super) fn scheme() -> impl TypedValueParser<Value = SchemeKind> {
    PossibleValuesParser::new(SchemeKind::ALL.map(SchemeKind::name)).try_map(|name| name.parse::<SchemeKind>())
}

/// Reads an election's name.
pub(super) fn election() -> impl TypedValueParser<Value = Election> {
    PossibleValuesParser::new(Election::ALL.map(Election::name)).try_map(|name| name.parse::<Election>())
}

/// How a chain is to work, where a genesis leaves a choice.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Choices {
    /// How validators agree.
    pub(crate) protocol: Protocol,
    /// What votes are signed with. A threshold scheme comes of a draft under ed25519, and commitments.
    pub(crate) scheme: SchemeKind,
    /// Who leads, unless it is the protocol's usual rule.
    pub(crate) election: Option<Election>,
    /// Heights between checkpoints, unless it is the usual number.
    pub(crate) checkpoint_interval: Option<u64>,
    /// The pace of empty blocks, if there are to be any.
    pub(crate) block_interval: Option<Duration>,
    /// Length of the first view, unless it is the usual one.
    pub(crate) timeout: Option<Duration>,
    /// All parameters, in place of the usual ones and of those above.
    pub(crate) params: Option<Params>,
    /// Whether faults may be injected.
    pub(crate) fault_injection: bool,
}

pub(super) fn run(command: GenesisCommand, context: &Context) -> Result<(), Failure> {
    match command {
        GenesisCommand::New(args) => new(&args, context),
        GenesisCommand::Check(args) => {
            let digest = read_genesis(&args.file)?.digest();
            context.output.data(&json!({ "ok": true, "digest": digest }), |_| digest.to_string())
        }
        GenesisCommand::Show(args) => show(&read_genesis(&args.file)?, context),
    }
}

fn new(args: &NewArgs, context: &Context) -> Result<(), Failure> {
    // Before anything is made: shares without their genesis are of no use.
    if let Some(path) = args.out.as_deref().filter(|path| path.exists()) {
        return Err(exists_already(path).hint("another --out"));
    }
    let validators = args.validators.iter().map(|path| {
        let text = read_text(path)?;
        serde_json::from_str::<Validator>(&text).map_err(|error| {
            Failure::failed(format!("{}: {error}", path.display())).hint("quorate keygen prints entries")
        })
    });
    let validators = validators.collect::<Result<Vec<_>, _>>()?;
    let application = match args.app {
        App::Kv => AppGenesis::Kv { accounts: args.accounts.iter().copied().collect() },
        App::Opaque if args.accounts.is_empty() => AppGenesis::Opaque,
        App::Opaque => return Err(Failure::usage("--app opaque has no accounts, and --account was given")),
    };
    let choices = Choices {
        protocol: args.protocol,
        scheme: if args.scheme.is_threshold() { SchemeKind::Ed25519 } else { args.scheme },
        election: args.election,
        checkpoint_interval: Some(args.checkpoint_interval),
        block_interval: args.block_interval,
        timeout: None,
        params: None,
        fault_injection: false,
    };
    let mut genesis = build(args.chain.clone(), validators, application, choices)?;
    if let Some(dir) = deal_into(args)? {
        let passphrase = args.passphrase.for_new(context.output)?;
        let (dealt, shares) = deal(genesis, args.scheme, context.output)?;
        save_shares(dir, &dealt, &shares, passphrase.as_ref(), context.output)?;
        genesis = dealt;
    }
    let text = genesis.to_json();
    context.output.note(format!("genesis digest {}", genesis.digest()));
    match &args.out {
        None => crate::output::print(&format!("{}\n", text.trim_end())),
        Some(path) => write_private(path, &text),
    }
}

fn exists_already(path: &Path) -> Failure {
    Failure::environment(format!("{} exists already", path.display()))
}

/// Where shares go, if a key is to be dealt.
fn deal_into(args: &NewArgs) -> Result<Option<&Path>, Failure> {
    match (&args.deal, args.scheme.is_threshold()) {
        (Some(dir), true) if dir.exists() => Err(exists_already(dir).hint("another --deal")),
        (Some(dir), true) => Ok(Some(dir)),
        (None, false) => Ok(None),
        (Some(_), false) => Err(Failure::usage(format!("--deal, but {} has no shares", args.scheme))),
        (None, true) => Err(Failure::usage(format!("{} takes shares of one key", args.scheme))
            .hint("--scheme ed25519 for a draft, of which the validators make a key of bls-threshold: quorate dkg")
            .hint("--deal DIR to deal them here, if everybody trusts this machine")),
    }
}

/// A checked genesis with the default parameters.
pub(crate) fn build(
    chain: String,
    validators: Vec<Validator>,
    application: AppGenesis,
    choices: Choices,
) -> Result<Genesis, Failure> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let interval_ms = |interval: Duration| u64::try_from(interval.as_millis()).unwrap_or(u64::MAX);
    let mut params = params(choices.block_interval.map(interval_ms));
    params.checkpoint_interval = choices.checkpoint_interval.unwrap_or(params.checkpoint_interval);
    if let Some(timeout) = choices.timeout {
        // As many doublings as usual.
        let doublings = params.timeout_max_ms / params.timeout_base_ms.max(1);
        params.timeout_base_ms = interval_ms(timeout);
        params.timeout_max_ms = params.timeout_base_ms.saturating_mul(doublings.max(1));
    }
    let params = choices.params.unwrap_or(params);
    let genesis = Genesis {
        chain,
        time: u64::try_from(now.as_millis()).unwrap_or(0),
        protocol: choices.protocol,
        scheme: choices.scheme,
        election: choices.election.unwrap_or_else(|| Election::usual(choices.protocol)),
        params,
        validators,
        commitments: None,
        application,
        fault_injection: choices.fault_injection,
    };
    genesis.check().map_err(|error| {
        let failure = Failure::usage(format!("this genesis would not work: {error}"));
        let needs_bls = choices.scheme.is_multi() && matches!(error, GenesisError::Keys(_));
        let makes_it = || format!("quorate keygen --scheme {} makes validators with the keys for it", choices.scheme);
        if needs_bls { failure.hint(makes_it()) } else { failure }
    })?;
    Ok(genesis)
}

/// The default parameters, with timeouts that leave room for the pace of empty blocks: a view without a block times out.
fn params(block_interval_ms: Option<u64>) -> Params {
    let usual = Params::default();
    let timeout_base_ms = usual.timeout_base_ms.max(block_interval_ms.unwrap_or(0).saturating_mul(2));
    Params { block_interval_ms, timeout_base_ms, timeout_max_ms: usual.timeout_max_ms.max(timeout_base_ms), ..usual }
}

fn show(genesis: &Genesis, context: &Context) -> Result<(), Failure> {
    let digest = genesis.digest();
    let document = serde_json::from_str::<serde_json::Value>(&genesis.to_json()).unwrap_or_default();
    context.output.data(&json!({ "digest": digest, "genesis": document }), |_| {
        let mut lines = vec![
            format!("digest       {digest}"),
            format!("chain        {}", genesis.chain),
            format!("protocol     {} with {}", genesis.protocol, genesis.scheme),
            format!("certificates {}", certificates(genesis.scheme)),
            format!("election     {}", genesis.election),
            format!("validators   {}", genesis.validators.len()),
        ];
        for (index, validator) in genesis.validators.iter().enumerate() {
            let address = validator.address.as_deref().unwrap_or("(no address)");
            lines.push(format!("  {index:<3} {:<16} {address:<24} vote {}", validator.name, validator.vote));
        }
        let accounts: BTreeMap<_, _> = match &genesis.application {
            AppGenesis::Kv { accounts } => accounts.iter().collect(),
            AppGenesis::Opaque | AppGenesis::Unsigned | AppGenesis::Dkg(_) => BTreeMap::new(),
        };
        lines.push(format!("application  {}", crate::api::application(&genesis.application)));
        lines.push(format!("accounts     {}", accounts.len()));
        lines.join("\n")
    })
}

/// What a scheme's certificates tell, for people.
fn certificates(scheme: SchemeKind) -> &'static str {
    if scheme.is_attributable() {
        "attributable: each says who signed it"
    } else {
        "not attributable: they prove that a quorum signed, and not who"
    }
}

fn account(text: &str) -> Result<(Account, u64), String> {
    let (account, balance) = text.split_once('=').ok_or("want ACCOUNT=BALANCE")?;
    let account: Digest = account.parse().map_err(|error| format!("{error}"))?;
    let balance = balance.parse().map_err(|error| format!("balance: {error}"))?;
    Ok((Account(account), balance))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_pace_of_empty_blocks_stretches_the_timeouts() {
        assert_eq!(params(None), Params::default());
        let slow = params(Some(20_000));
        assert_eq!((slow.timeout_base_ms, slow.timeout_max_ms), (40_000, 40_000.max(Params::default().timeout_max_ms)));
    }

    #[test]
    fn accounts_are_read_with_their_balance() {
        let text = format!("{}=7", "ab".repeat(32));
        assert_eq!(account(&text), Ok((Account(Digest([0xab; 32])), 7)));
        assert!(account("ab=7").is_err() && account(&"ab".repeat(32)).is_err());
    }
}
