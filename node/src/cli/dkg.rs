//! `quorate dkg`: one validator's part in a key generation.

use super::{
    Context,
    duration::duration,
    node::{find_me, load_config, node_config, start, stdin_closed},
    passphrase::PassphraseArgs,
};
use crate::{
    ceremony::{self, Begun, Ending, Pace, Report},
    config::{Config, Overrides},
    exit::{Exit, Failure},
    handle::{Handle, Stopped},
    home::Home,
    lock::DataLock,
    signals::{Signal, Signals},
};
use clap::Args;
use quorate_crypto::{IdentitySecret, Passphrase};
use quorate_ledger::SchemeKind;
use quorate_validator::{VoteSecrets, dkg::Participant};
use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// Make a threshold key together with the other validators, without a dealer
///
/// It is for the genesis in --home, and the others do the same. The genesis must be an ed25519
/// draft that nobody has run; the ceremony replaces it by the same genesis under bls-threshold, writes
/// config/threshold_share.pem, and tells who cheated or was silent. What was interrupted goes on when it is called again.
#[derive(Debug, Args)]
pub(super) struct DkgArgs {
    /// The validator's home directory
    #[arg(long)]
    home: PathBuf,
    /// How many blocks each phase lasts; the same for all members [default: 300]
    #[arg(long, value_name = "HEIGHTS", value_parser = clap::value_parser!(u64).range(1..))]
    phase_heights: Option<u64>,
    /// The pace of blocks; the same for all members [default: 100ms]
    #[arg(long, value_parser = duration)]
    block_interval: Option<Duration>,
    /// Where other validators connect to
    #[arg(long, value_name = "IP:PORT")]
    listen: Option<SocketAddr>,
    /// Go on after the end until Ctrl-C, for members that are behind
    #[arg(long)]
    stay: bool,
    /// Stop when standard input closes: a testnet's validators do not outlive it
    #[arg(long, hide = true)]
    until_stdin_closes: bool,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    /// This member cheats, such as 3:bad-shares; the others take no notice of the flag. Only where the genesis allows faults
    #[cfg(feature = "lab")]
    #[arg(long, value_name = "MEMBER:KIND")]
    cheat: Vec<crate::lab::Cheating>,
}

pub(super) fn run(args: &DkgArgs, context: &Context) -> Result<Exit, Failure> {
    let home = Home::new(&args.home);
    let config = load_config(&home, &Overrides { listen: args.listen, ..Overrides::default() })?;
    context.init_logs(&config.log.filter, config.log.format)?;
    let _lock = DataLock::take(&home)?;
    if let (Some(report), false) = (Report::load(&home), args.stay) {
        context.output.note("the ceremony is over; this is what came of it");
        return tell(&report, args, context);
    }
    let passphrase = args.passphrase.for_home(&home)?;
    // The ceremony's votes are signed as a draft's are.
    let keys = home.keys(SchemeKind::Ed25519, passphrase.as_ref())?;
    let pace = Pace { phase_heights: args.phase_heights, interval: args.block_interval };
    let begun = ceremony::begin(&home, pace)?;
    if passphrase.is_none() {
        context.output.note("warning: the share will not be encrypted; --password-file or --ask-password encrypts it");
    }
    match context.block_on(serve(args, &config, &begun, keys, &home, passphrase.as_ref()))? {
        Left::Over(report) => tell(&report, args, context),
        Left::Interrupted(exit) => {
            context.output.note("interrupted; call it again to go on");
            Ok(exit)
        }
    }
}

/// How it was left.
enum Left {
    Over(Box<Report>),
    Interrupted(Exit),
}

async fn serve(
    args: &DkgArgs,
    config: &Config,
    begun: &Begun,
    (identity, secrets): (IdentitySecret, VoteSecrets),
    home: &Home,
    passphrase: Option<&Passphrase>,
) -> Result<Left, Failure> {
    let mut signals = Signals::new()?;
    let me = find_me(&begun.genesis, &identity, &secrets.vote, home)?;
    let participant = Participant::new(begun.ceremony.clone(), begun.genesis.chain_id(), identity.clone());
    let participant = participant.ok_or_else(|| Failure::failed("this validator is no member of the ceremony"))?;
    #[cfg(feature = "lab")]
    let mut voice = crate::lab::member(participant, begun, &args.cheat)?;
    #[cfg(not(feature = "lab"))]
    let mut voice = Box::new(participant);
    let mut node = node_config(config, begun.genesis.clone(), me, identity, secrets, home)?;
    node.data_dir = home.ceremony();
    let handle = start(node).await?;
    let ending = if args.stay { Ending::Never } else { Ending::WithTheOthers };
    let keep = |ended: &_| ceremony::keep(home, begun, ended, passphrase);
    let left = tokio::select! {
        report = ceremony::take_part(&handle, begun, &mut *voice, ending, keep) => report.map(|report| Left::Over(Box::new(report))),
        Stopped::Failed(why) = handle.stopped() => return Err(Failure::failed(format!("the ceremony cannot go on: {why}"))),
        signal = signals.next() => Ok(Left::Interrupted(match signal {
            Signal::Interrupt => Exit::Interrupted,
            Signal::Terminate => Exit::Success,
        })),
        () = stdin_closed(), if args.until_stdin_closes => Ok(Left::Interrupted(Exit::Success)),
    };
    shut_down(&handle, &mut signals).await;
    left
}

/// Gracefully, or at once if a second signal comes.
async fn shut_down(handle: &Handle, signals: &mut Signals) {
    tokio::select! {
        _stopped = handle.shutdown() => {}
        _ = signals.next() => {}
    }
}

fn tell(report: &Report, args: &DkgArgs, context: &Context) -> Result<Exit, Failure> {
    context.output.data(report, Report::text)?;
    match (&report.failed, &report.share) {
        (Some(why), _) => Err(Failure::failed(format!("there is no key: {why}"))
            .hint("a new ceremony without those who are named: a new genesis, in new homes")),
        (None, None) => Err(Failure::failed(
            "there is a key, but this validator has no share of it: a dealer that qualified gave it a bad \
            one, and its complaint came too late",
        )
        .hint("it can follow the chain only as one of the f that may fail")),
        (None, Some(_)) => {
            let home = args.home.display();
            context.output.note(format!("the genesis in {home} names the key now; quorate node --home {home} runs it"));
            Ok(Exit::Success)
        }
    }
}
