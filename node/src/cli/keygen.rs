//! `quorate keygen`: the keys of a validator, and with them the first record of its journal.
//!
//! A validator that finds no journal knows that it lost one and signs nothing (it may have voted already). So the journal
//! begins here, together with the keys, and nowhere else.

use super::Context;
use crate::{
    config::Config,
    exit::Failure,
    home::{Home, file_failure, write_private},
};
use clap::Args;
use quorate_crypto::{ClientSecret, IdentitySecret, KeyFileError, VoteSecret};
use quorate_ledger::{FileDisk, Journal, Validator};
use serde_json::json;
use std::path::PathBuf;

/// Make a validator's keys, configuration and journal under --home, or a client's key with --client.
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
}

pub(super) fn run(args: &KeygenArgs, context: &Context) -> Result<(), Failure> {
    if let Some(path) = &args.client {
        let secret = ClientSecret::generate();
        secret.save(path).map_err(key_failure)?;
        let data = json!({ "key": path, "account": secret.account() });
        return context.output.data(&data, |_| secret.account().to_string());
    }
    let home = Home::new(args.home.clone().unwrap_or_default());
    let validator = make_validator(&home, &args.name, args.address.clone())?;
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
pub(crate) fn make_validator(home: &Home, name: &str, address: Option<String>) -> Result<Validator, Failure> {
    home.create()?;
    // Keys that exist may have signed already: a fresh journal beside them would be a validator that forgot.
    for key in [home.node_key(), home.validator_key()] {
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
    identity.save(&home.node_key()).map_err(key_failure)?;
    vote.save(&home.validator_key()).map_err(key_failure)?;
    Ok(Validator { name: name.to_owned(), identity: identity.public(), vote: vote.public(), address })
}

fn key_failure(error: KeyFileError) -> Failure {
    Failure::environment(error.to_string())
}
