//! `quorate tx put|del|cas|transfer|send-raw`.

use super::{Context, get::no_genesis, target::Target};
use crate::{
    api::model::TransactionIn,
    client::{Api, Light, Verified, payload},
    exit::Failure,
    handle::Wait,
    home::read_text,
    output::print,
};
use clap::{Args, Subcommand};
use quorate_types::{Account, BoundedVec, ChainId, Digest, Transaction, TransactionBody};
use serde_json::json;
use std::{io::Read, path::PathBuf};

#[derive(Debug, Subcommand)]
pub(super) enum TxCommand {
    /// Set a key to a value
    Put {
        /// The key
        key: String,
        /// The value
        value: String,
        #[command(flatten)]
        send: SendArgs,
    },
    /// Delete a key
    Del {
        /// The key
        key: String,
        #[command(flatten)]
        send: SendArgs,
    },
    /// Compare and swap: set a key if its value is the expected one
    Cas {
        /// The key
        key: String,
        /// The value it must have; leave out for: it must have none
        #[arg(long)]
        expect: Option<String>,
        /// The value to set; leave out to delete
        #[arg(long)]
        new: Option<String>,
        #[command(flatten)]
        send: SendArgs,
    },
    /// Send balance to another account
    Transfer {
        /// The receiver, 64 hexadecimal characters
        to: Digest,
        /// How much
        amount: u64,
        #[command(flatten)]
        send: SendArgs,
    },
    /// Send a signed transaction as --sign-only prints it, or sign and send any payload
    SendRaw {
        /// A file with the signed transaction as JSON; `-` is standard input
        #[arg(required_unless_present = "payload")]
        file: Option<PathBuf>,
        /// Sign and send this payload (hexadecimal) instead
        #[arg(long, value_name = "HEX", conflicts_with = "file")]
        payload: Option<String>,
        #[command(flatten)]
        send: SendArgs,
    },
}

// How to send. No doc comment: it would replace the help of each command that takes these.
#[derive(Debug, Args)]
pub(super) struct SendArgs {
    /// How long to wait; without a value: until committed, and verified here
    #[arg(long, value_enum, default_value = "accepted", default_missing_value = "committed", num_args = 0..=1)]
    wait: Wait,
    /// The sender's key; the testnet's development key unless told
    #[arg(long = "key", value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// The sender's sequence number; asked from the node unless told
    #[arg(long)]
    nonce: Option<u64>,
    /// The genesis to sign for and to verify against; the home's unless told
    #[arg(long, value_name = "FILE")]
    genesis: Option<PathBuf>,
    /// Print the signed transaction as JSON for POST /v1/txs and send nothing
    #[arg(long)]
    sign_only: bool,
    #[command(flatten)]
    target: Target,
}

pub(super) fn run(command: TxCommand, context: &Context) -> Result<(), Failure> {
    let (bytes, send) = match command {
        TxCommand::Put { key, value, send } => (payload::put(key.as_bytes(), value.as_bytes())?, send),
        TxCommand::Del { key, send } => (payload::delete(key.as_bytes())?, send),
        TxCommand::Cas { key, expect, new, send } => {
            let bytes = |text: &Option<String>| text.as_ref().map(|text| text.as_bytes().to_vec());
            (payload::compare_and_swap(key.as_bytes(), bytes(&expect), bytes(&new))?, send)
        }
        TxCommand::Transfer { to, amount, send } => (payload::transfer(Account(to), amount), send),
        TxCommand::SendRaw { payload: Some(text), send, .. } => {
            let bytes = hex::decode(&text).map_err(|error| Failure::usage(format!("--payload: {error}")))?;
            (bytes, send)
        }
        TxCommand::SendRaw { file, payload: None, send } => {
            return context.block_on(send_signed(&file.unwrap_or_default(), &send, context));
        }
    };
    context.block_on(sign_and_send(bytes, &send, context))
}

async fn sign_and_send(bytes: Vec<u8>, send: &SendArgs, context: &Context) -> Result<(), Failure> {
    let api = send.target.api()?;
    let chain = chain(send, &api).await?;
    let secret = send.target.key(send.key_file.as_deref())?;
    let nonce = match send.nonce {
        Some(nonce) => nonce,
        None => api.account(&secret.account()).await.map_err(|error| api.failure(error))?.nonce,
    };
    let payload = BoundedVec::new(bytes).map_err(|error| Failure::usage(format!("the payload: {error}")))?;
    let transaction = secret.sign(TransactionBody { chain, sender: secret.account(), nonce, payload });
    if send.sign_only {
        let json = serde_json::to_string(&TransactionIn::from(&transaction)).unwrap_or_default();
        return print(&format!("{json}\n"));
    }
    submit(&transaction, send, &api, context).await
}

async fn send_signed(file: &std::path::Path, send: &SendArgs, context: &Context) -> Result<(), Failure> {
    let text = if file.as_os_str() == "-" {
        let mut text = String::new();
        let read = std::io::stdin().lock().take(1 << 20).read_to_string(&mut text);
        read.map_err(|error| Failure::environment(format!("cannot read standard input: {error}")))?;
        text
    } else {
        read_text(file)?
    };
    let api = send.target.api()?;
    let chain = chain(send, &api).await?;
    let input: TransactionIn = serde_json::from_str(&text).map_err(|error| {
        Failure::failed(format!("{}: {error}", file.display())).hint("--sign-only prints what fits")
    })?;
    let transaction = input.transaction(chain).map_err(|problem| Failure::failed(problem.detail))?;
    submit(&transaction, send, &api, context).await
}

/// The chain to sign for: the genesis's if we have one. A foreign node could otherwise make us sign for its chain, and
/// that is only noticed when the two differ.
async fn chain(send: &SendArgs, api: &Api) -> Result<ChainId, Failure> {
    let genesis = send.target.genesis(send.genesis.as_deref())?;
    let theirs = api.status().await.map_err(|error| api.failure(error))?.genesis;
    match genesis.map(|genesis| genesis.chain_id()) {
        Some(ours) if ours.0 != theirs => Err(Failure::failed(format!(
            "{} is on another chain: its genesis is {theirs}, ours is {}",
            api.base(),
            ours.0
        ))
        .hint("--genesis or --home of the chain you mean, or --node of one of its nodes")),
        Some(ours) => Ok(ours),
        None => Ok(ChainId(theirs)),
    }
}

async fn submit(transaction: &Transaction, send: &SendArgs, api: &Api, context: &Context) -> Result<(), Failure> {
    let sent = api.submit(transaction, send.wait).await.map_err(|error| api.failure(error))?;
    if sent.digest != transaction.digest() {
        return Err(Failure::failed(format!("{} speaks of another transaction, {}", api.base(), sent.digest)));
    }
    let verified = match send.wait {
        Wait::Committed => verify(&sent.digest, send, api).await?,
        Wait::None | Wait::Accepted => None,
    };
    let verification = verified.as_ref().map(ToString::to_string);
    let outcome = sent.outcome.as_ref().map(|outcome| match &outcome.reason {
        Some(reason) => format!("{}: {reason}", outcome.status),
        None => outcome.status.clone(),
    });
    let data = json!({
        "digest": sent.digest, "status": sent.status, "height": sent.height, "outcome": sent.outcome,
        "verified": verified.is_some(), "verification": verification,
        "attributable": verified.as_ref().map(Verified::is_attributable),
    });
    context.output.data(&data, |_| {
        let mut lines = vec![format!("transaction {}", sent.digest)];
        match (sent.height, &outcome) {
            (Some(height), Some(outcome)) => lines.push(format!("{} at height {} ({outcome})", sent.status, height.0)),
            _ => lines.push(sent.status.clone()),
        }
        lines.extend(verification.clone());
        lines.join("\n")
    })?;
    match sent.outcome {
        Some(outcome) if outcome.status != "applied" => Err(Failure::failed(format!(
            "the transaction is in the ledger and changed nothing: {}",
            outcome.reason.unwrap_or(outcome.status)
        ))),
        _ => Ok(()),
    }
}

async fn verify(digest: &Digest, send: &SendArgs, api: &Api) -> Result<Option<Verified>, Failure> {
    let Some(genesis) = send.target.genesis(send.genesis.as_deref())? else {
        let failure = no_genesis();
        crate::output::complain(&format!("not verified: {}", failure.what));
        return Ok(None);
    };
    let light = Light::new(&genesis)?;
    let view = api.transaction(digest, true).await.map_err(|error| api.failure(error))?;
    light.transaction(digest, &view).map(Some)
}
