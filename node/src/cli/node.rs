//! `quorate node`: one validator.

use super::{Context, passphrase::PassphraseArgs};
use crate::{
    api,
    config::{self, Config, DurabilityChoice, Overrides},
    exit::{Exit, Failure},
    handle::{Handle, NodeConfig, StartError, Stopped},
    home::Home,
    lock::DataLock,
    runtime,
    signals::{Signal, Signals},
};
use clap::Args;
use quorate_crypto::{IdentitySecret, VoteSecret};
use quorate_ledger::Genesis;
use quorate_types::ReplicaId;
use quorate_validator::VoteSecrets;
use std::{io::Read, net::SocketAddr, path::PathBuf, time::Duration};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Run one validator
///
/// Until SIGTERM or Ctrl-C. A second signal ends it at once. Settings come from config/config.toml, over
/// it QUORATE_<SECTION>_<KEY> from the environment, over that the flags.
#[derive(Debug, Args)]
pub(super) struct NodeArgs {
    /// The validator's home directory
    #[arg(long)]
    home: PathBuf,
    /// Where other validators connect to
    #[arg(long, value_name = "IP:PORT")]
    listen: Option<SocketAddr>,
    /// Where API clients connect to
    #[arg(long, value_name = "IP:PORT")]
    api_listen: Option<SocketAddr>,
    /// When promises reach the disk
    #[arg(long, value_enum)]
    durability: Option<DurabilityChoice>,
    /// Stop when standard input closes: a testnet's validators do not outlive it
    #[arg(long, hide = true)]
    until_stdin_closes: bool,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

pub(super) fn run(args: &NodeArgs, context: &Context) -> Result<Exit, Failure> {
    let home = Home::new(&args.home);
    let flags = Overrides { listen: args.listen, api_listen: args.api_listen, durability: args.durability };
    let config = load_config(&home, &flags)?;
    context.init_logs(&config.log.filter, config.log.format)?;
    let genesis = home.genesis()?;
    let passphrase = args.passphrase.for_home(&home)?;
    let (identity, secrets) = home.keys(genesis.scheme, passphrase.as_ref())?;
    let me = find_me(&genesis, &identity, &secrets.vote, &home)?;
    let _lock = DataLock::take(&home)?;
    context.block_on(serve(args, config, genesis, me, (identity, secrets), &home))
}

/// A home's settings, with the environment and the flags over them.
pub(super) fn load_config(home: &Home, flags: &Overrides) -> Result<Config, Failure> {
    // Variables that are not UTF-8 are none of ours.
    let environment =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    config::load(home, &environment.collect(), flags)
}

/// Which validator of the genesis has these keys.
pub(super) fn find_me(
    genesis: &Genesis,
    identity: &IdentitySecret,
    vote: &VoteSecret,
    home: &Home,
) -> Result<ReplicaId, Failure> {
    let (identity, vote) = (identity.public(), vote.public());
    let by_identity = genesis.validators.iter().position(|validator| validator.identity == identity);
    let by_vote = genesis.validators.iter().position(|validator| validator.vote == vote);
    match (by_identity, by_vote) {
        (Some(one), Some(other)) if one == other => {
            Ok(ReplicaId(u16::try_from(one).expect("a checked genesis has at most 1024 validators")))
        }
        (None, None) => Err(Failure::failed(format!(
            "the keys in {} are of no validator in {}",
            home.config_dir().display(),
            home.genesis_file().display()
        ))
        .hint(format!("the genesis this validator was made for; its vote key is {vote}"))),
        _ => Err(Failure::failed(format!(
            "{} and {} are of different validators in the genesis",
            home.node_key().display(),
            home.validator_key().display()
        ))
        .hint("put back the pair that `quorate keygen` made together")),
    }
}

async fn serve(
    args: &NodeArgs,
    config: Config,
    genesis: Genesis,
    me: ReplicaId,
    (identity, secrets): (IdentitySecret, VoteSecrets),
    home: &Home,
) -> Result<Exit, Failure> {
    let mut signals = Signals::new()?;
    let listener = TcpListener::bind(config.api.listen).await.map_err(|error| {
        Failure::environment(format!("the API cannot listen on {}: {error}", config.api.listen))
            .hint("--api-listen with another port, or end the process that has this one")
    })?;
    let api_address = listener.local_addr().unwrap_or(config.api.listen);
    let durability = config.journal.durability;
    if durability == DurabilityChoice::None {
        warn!("durability none: after a power failure this validator may contradict itself; for measurements only");
    }
    let handle = start(node_config(&config, genesis.clone(), me, identity, secrets, home)?).await?;
    let status = handle.status();
    info!(
        name = status.name, replica = me.0, chain = genesis.chain, genesis = %genesis.digest(), height = status.height.0,
        %durability, listen = %config.network.listen, api = %api_address, pid = std::process::id(), "validator started"
    );
    let stop = CancellationToken::new();
    let router = api::router(handle.clone(), genesis, config.api.max_subscribers, stop.clone());
    let served = tokio::spawn(api::serve(listener, router, config.api.max_connections, stop.clone()));
    let ended = run_until_told(&handle, &mut signals, args.until_stdin_closes).await;
    stop.cancel();
    let _ = served.await;
    ended
}

/// Starts the runtime.
pub(super) async fn start(config: NodeConfig) -> Result<Handle, Failure> {
    runtime::start(config).await.map_err(|error| match &error {
        StartError::Environment(_) => Failure::environment(error.to_string()),
        StartError::Damaged(_) => Failure::failed(error.to_string()),
    })
}

/// What a validator's settings say, with the chain's data where the home has them.
pub(super) fn node_config(
    config: &Config,
    genesis: Genesis,
    me: ReplicaId,
    identity: IdentitySecret,
    secrets: VoteSecrets,
    home: &Home,
) -> Result<NodeConfig, Failure> {
    let unknown = config.network.peers.keys().find(|name| genesis.validators.iter().all(|known| known.name != **name));
    if let Some(name) = unknown {
        let known: Vec<_> = genesis.validators.iter().map(|validator| validator.name.as_str()).collect();
        return Err(Failure::usage(format!("[network.peers] names `{name}`, which the genesis does not know"))
            .hint(format!("one of {}", known.join(", "))));
    }
    let address = |(index, validator): (usize, &quorate_ledger::Validator)| {
        let own = || (index == me.index()).then(|| config.network.listen.to_string());
        let found = config.network.peers.get(&validator.name).or(validator.address.as_ref()).cloned().or_else(own);
        found.ok_or_else(|| {
            Failure::usage(format!("nobody says where validator `{}` is", validator.name)).hint(format!(
                "[network.peers] {} = \"host:port\" in {}",
                validator.name,
                home.config_file().display()
            ))
        })
    };
    let peers = genesis.validators.iter().enumerate().map(address).collect::<Result<_, _>>()?;
    Ok(NodeConfig {
        me,
        identity,
        secrets,
        data_dir: home.data_dir(),
        listen: config.network.listen,
        peers,
        durability: config.journal.durability.into(),
        group_interval: Duration::from_millis(config.journal.group_interval_ms),
        batch_interval: Duration::from_millis(config.mempool.batch_interval_ms),
        mempool_bytes: config.mempool.max_bytes,
        snapshot_gap: Some(config.sync.snapshot_behind).filter(|behind| *behind > 0),
        verify_threads: config.verify.resolved(),
        #[cfg(feature = "lab")]
        fault_token: crate::lab::FaultToken::load(&home.fault_token())?,
        genesis,
    })
}

/// Runs until the runtime ends, a signal comes, or our parent goes; then stops it gracefully.
async fn run_until_told(handle: &Handle, signals: &mut Signals, until_stdin_closes: bool) -> Result<Exit, Failure> {
    let exit = tokio::select! {
        stopped = handle.stopped() => return ended(stopped, Exit::Success),
        signal = signals.next() => match signal {
            Signal::Interrupt => Exit::Interrupted,
            Signal::Terminate => Exit::Success,
        },
        () = stdin_closed(), if until_stdin_closes => Exit::Success,
    };
    info!("stopping; a second signal stops at once");
    tokio::select! {
        stopped = handle.shutdown() => ended(stopped, exit),
        _ = signals.next() => Ok(Exit::Interrupted),
    }
}

fn ended(stopped: Stopped, exit: Exit) -> Result<Exit, Failure> {
    match stopped {
        Stopped::Asked => {
            info!("stopped");
            Ok(exit)
        }
        Stopped::Failed(why) => Err(Failure::failed(format!("the validator cannot go on: {why}"))),
    }
}

/// Reads standard input until it ends, on a thread that nobody waits for at the end.
pub(super) async fn stdin_closed() {
    let read = || {
        let mut bytes = [0; 64];
        let mut stdin = std::io::stdin().lock();
        while stdin.read(&mut bytes).is_ok_and(|read| read > 0) {}
    };
    let _ = tokio::task::spawn_blocking(read).await;
}
