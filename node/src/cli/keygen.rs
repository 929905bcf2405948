//! `quorate keygen`: the keys of a validator, and with them the first record of its journal.
//!
//! A validator that finds no journal knows that it lost one and signs nothing (it may have voted already). So the journal
//! begins here, together with the keys, and nowhere else.

use super::{Context, genesis::scheme, passphrase::PassphraseArgs};
use crate::{
    config::Config,
    exit::Failure,
    home::{Home, file_failure, write_private},
};
use clap::Args;
use quorate_crypto::{
    ClientSecret, IdentitySecret, KeyFile, KeyFileError, Passphrase, VoteSecret,
    bls::{BlsSecret, MinPk, MinSig},
};
use quorate_ledger::{BlsKey, FileDisk, GenesisVariant, Journal, SchemeKind, Validator};
use serde_json::json;
use std::path::PathBuf;

/// Make a validator's keys and journal, or a client's key
///
/// With --home a validator's keys, configuration and journal, with --client a client's key.
#[derive(Debug, Args)]
pub(super) struct KeygenArgs {
    /// The validator's home directory; existing keys are never overwritten
    #[arg(long, required_unless_present = "client")]
    home: Option<PathBuf>,
    /// The validator's name in the genesis
    #[arg(long, default_value = "validator")]
    name: String,
    /// Where other validators will reach it, host:port
    #[arg(long)]
    address: Option<String>,
    /// Make a client's key in this file instead
    #[arg(long, value_name = "FILE", conflicts_with_all = ["home", "address"])]
    client: Option<PathBuf>,
    /// What votes will be signed with; multi-signatures take a BLS key more
    #[arg(long, value_name = "SCHEME", default_value_t, value_parser = scheme(), conflicts_with = "client")]
    scheme: SchemeKind,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

pub(super) fn run(args: &KeygenArgs, context: &Context) -> Result<(), Failure> {
    let passphrase = args.passphrase.for_new(context.output)?;
    let passphrase = passphrase.as_ref();
    if let Some(path) = &args.client {
        let secret = ClientSecret::generate();
        secret.save_with(path, passphrase).map_err(key_failure)?;
        let data = json!({ "key": path, "account": secret.account() });
        return context.output.data(&data, |_| secret.account().to_string());
    }
    let home = Home::new(args.home.clone().unwrap_or_default());
    let validator = make_validator(&home, &args.name, args.address.clone(), args.scheme, passphrase)?;
    if !home.config_file().exists() {
        write_private(&home.config_file(), &Config::default().to_toml())?;
    }
    context.output.note(format!(
        "made the keys and the journal of {} in {}; the lines on standard output are its entry for `quorate genesis new`",
        args.name,
        home.path().display()
    ));
    context.output.data(&validator, |validator| serde_json::to_string_pretty(validator).unwrap_or_default())
}

/// Makes the keys and the journal of a new validator.
pub(crate) fn make_validator(
    home: &Home,
    name: &str,
    address: Option<String>,
    scheme: SchemeKind,
    passphrase: Option<&Passphrase>,
) -> Result<Validator, Failure> {
    home.create()?;
    // Keys that exist may have signed already: a fresh journal beside them would be a validator that forgot.
    for key in [home.node_key(), home.validator_key(), home.bls_key()] {
        if key.exists() {
            let failure =
                Failure::environment(format!("{} exists already, and keys are never replaced", key.display()));
            return Err(failure.hint("another --home"));
        }
    }
    let (identity, vote) = (IdentitySecret::generate(), VoteSecret::generate());
    // The journal first: keys without a journal would look like a validator that lost it.
    let disk = FileDisk::open(home.journal()).map_err(|error| file_failure("make", &home.journal(), &error))?;
    Journal::<_, ()>::create(disk).map_err(|error| {
        Failure::environment(format!("cannot begin a journal in {}: {error}", home.journal().display()))
            .hint("another --home; a journal is never replaced, because its validator would forget what it signed")
    })?;
    identity.save_with(&home.node_key(), passphrase).map_err(key_failure)?;
    vote.save_with(&home.validator_key(), passphrase).map_err(key_failure)?;
    let bls = match scheme {
        SchemeKind::BlsMulti => Some(make_bls_key::<MinSig>(home, passphrase)?),
        SchemeKind::BlsMultiMinPk => Some(make_bls_key::<MinPk>(home, passphrase)?),
        SchemeKind::Ed25519 | SchemeKind::BlsThreshold | SchemeKind::BlsThresholdMinPk => None,
    };
    Ok(Validator { name: name.to_owned(), identity: identity.public(), vote: vote.public(), bls, address })
}

fn make_bls_key<V: GenesisVariant>(home: &Home, passphrase: Option<&Passphrase>) -> Result<BlsKey, Failure> {
    let secret = BlsSecret::<V>::generate();
    secret.save_with(&home.bls_key(), passphrase).map_err(key_failure)?;
    Ok(V::wrap_key(secret.prove()))
}

fn key_failure(error: KeyFileError) -> Failure {
    Failure::environment(error.to_string())
}
