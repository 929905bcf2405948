//! `quorate get KEY`.

use super::{Context, target::Target};
use crate::{
    client::{Light, StateClaim, Verified},
    exit::Failure,
};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// Read a value, with a proof if wanted
///
/// With --prove the answer is verified here, not believed: the Merkle proof of
/// presence or absence, the chain of headers, and the certificate of a quorum of the genesis's validators.
#[derive(Debug, Args)]
pub(super) struct GetArgs {
    /// The key
    key: String,
    /// The key is hexadecimal
    #[arg(long)]
    hex: bool,
    /// Verify the answer against the genesis
    #[arg(long)]
    prove: bool,
    /// The genesis to verify against; the home's unless told
    #[arg(long, value_name = "FILE")]
    genesis: Option<PathBuf>,
    #[command(flatten)]
    target: Target,
}

pub(super) fn run(args: &GetArgs, context: &Context) -> Result<(), Failure> {
    let key = match args.hex {
        true => {
            hex::decode(&args.key).map_err(|error| Failure::usage(format!("the key is not hexadecimal: {error}")))?
        }
        false => args.key.clone().into_bytes(),
    };
    let light = match args.prove {
        true => {
            let genesis = args.target.genesis(args.genesis.as_deref())?.ok_or_else(no_genesis)?;
            Some(Light::new(&genesis)?)
        }
        false => None,
    };
    context.block_on(async {
        let api = args.target.api()?;
        let answer = api.state(&key, args.prove).await.map_err(|error| api.failure(error))?;
        let claim = StateClaim::read(&answer)?;
        let verified = light.as_ref().map(|light| light.state(&key, &claim, &answer)).transpose()?;
        let data = json!({
            "key": answer.key, "found": answer.found, "value": answer.value, "text": answer.text,
            "height": answer.height, "verified": verified.is_some(),
            "verification": verified.as_ref().map(ToString::to_string),
            "attributable": verified.as_ref().map(Verified::is_attributable),
        });
        context.output.data(&data, |_| match &claim.value {
            Some(value) => String::from_utf8_lossy(value).into_owned(),
            None => "(no value)".to_owned(),
        })?;
        match verified {
            Some(verified) => context.output.note(verified.to_string()),
            None => context.output.note("not verified: this is what the node says; --prove checks it"),
        }
        Ok(())
    })
}

pub(super) fn no_genesis() -> Failure {
    Failure::usage("no genesis to verify against")
        .hint("--genesis FILE, or --home with a testnet's or validator's home")
}
