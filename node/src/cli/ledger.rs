//! `quorate ledger verify|export DIR`: a ledger on disk, looked at without a node.

use super::Context;
use crate::{
    exit::{Exit, Failure},
    home::{Home, read_genesis},
    offline::OfflineLedger,
    output::print,
};
use clap::{Args, Subcommand};
use quorate_types::Height;
use serde_json::json;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(super) enum LedgerCommand {
    /// Check every block: frames, hash chain, payloads, and the certificates against the genesis
    Verify(LedgerArgs),
    /// Print every block as one JSON document a line
    Export(LedgerArgs),
}

#[derive(Debug, Args)]
pub(super) struct LedgerArgs {
    /// A validator's home, or its data/ or data/blocks/ directory
    dir: PathBuf,
    /// The genesis; the home's unless told
    #[arg(long, value_name = "FILE")]
    genesis: Option<PathBuf>,
}

pub(super) fn run(command: LedgerCommand, context: &Context) -> Result<(), Failure> {
    match command {
        LedgerCommand::Verify(args) => verify(&args, context),
        LedgerCommand::Export(args) => export(&args),
    }
}

fn open(args: &LedgerArgs) -> Result<OfflineLedger, Failure> {
    let home = home_of(&args.dir);
    let genesis = match &args.genesis {
        Some(path) => read_genesis(path)?,
        None => home.genesis()?,
    };
    OfflineLedger::open(&home, genesis)
}

/// The home that a directory is, or lies in.
pub(super) fn home_of(dir: &std::path::Path) -> Home {
    let named = |path: &std::path::Path, name: &str| path.file_name().is_some_and(|last| last == name);
    let up = |path: &std::path::Path| path.parent().map(std::path::Path::to_owned).unwrap_or_default();
    match dir {
        dir if named(dir, "blocks") => Home::new(up(&up(dir))),
        dir if named(dir, "data") => Home::new(up(dir)),
        dir => Home::new(dir),
    }
}

fn verify(args: &LedgerArgs, context: &Context) -> Result<(), Failure> {
    let ledger = open(args)?;
    let base = ledger.base()?;
    let (mut transactions, mut blocks) = (0, 0);
    let mut head = None;
    for block in ledger.blocks() {
        let block = block?;
        transactions += block.transactions;
        blocks += u64::from(block.height > Height::GENESIS);
        head = Some((block.height, block.digest));
    }
    let (height, digest) = head.max(base).ok_or_else(|| Failure::new(Exit::Failure, "the ledger has no blocks"))?;
    for (file, bytes) in ledger.torn() {
        let note = format!(
            "{file} ends in an interrupted write of {bytes} bytes, which the validator will cut when it starts"
        );
        context.output.note(note);
    }
    let data = json!({
        "ok": true, "snapshot": base.map(|(height, _)| height), "blocks": blocks, "torn_bytes": ledger.torn().values().sum::<u64>(), "height": height, "head": digest, "transactions": transactions, "genesis": ledger.genesis().digest(),
        "scheme": ledger.genesis().scheme, "attributable": ledger.genesis().scheme.is_attributable(),
    });
    context.output.data(&data, |_| {
        let from = base.map_or_else(|| "genesis".to_owned(), |(height, _)| format!("the snapshot at {height}"));
        let kind = if ledger.genesis().scheme.is_attributable() { "" } else { "; certificates are not attributable" };
        format!("ok: {blocks} blocks above {from}, {transactions} transactions, head {digest}{kind}")
    })
}

fn export(args: &LedgerArgs) -> Result<(), Failure> {
    for block in open(args)?.blocks() {
        let line = serde_json::to_string(&block?.json()).unwrap_or_default();
        print(&format!("{line}\n"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn any_directory_of_a_home_names_the_home() {
        for dir in ["/h/v", "/h/v/data", "/h/v/data/blocks", "/h/v/data/"] {
            assert_eq!(home_of(Path::new(dir)).path(), Path::new("/h/v"), "{dir}");
        }
    }
}
