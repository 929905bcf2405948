//! `quorate forensics DIR...`: who is to blame that ledgers differ.

use super::{Context, ledger::home_of};
use crate::{
    evidence::write_pieces,
    exit::{Exit, Failure},
    home::read_genesis,
    offline::{Findings, OfflineLedger, investigate},
    table::Table,
};
use clap::Args;
use quorate_consensus::Evidence;
use quorate_ledger::Genesis;
use quorate_types::ReplicaId;
use serde_json::{Value, json};
use std::{collections::BTreeSet, fmt::Write, path::PathBuf};

/// Compare validators' data directories, and name those without whom they would not differ
///
/// The validators must be stopped. Nothing on the disks changes. The exit code is 3 where ledgers differ.
#[derive(Debug, Args)]
pub(super) struct ForensicsArgs {
    /// Validators' homes, or their data/ directories: two that disagree, or more
    #[arg(required = true, num_args = 2.., value_name = "DIR")]
    dirs: Vec<PathBuf>,
    /// The genesis; that of the first home unless told
    #[arg(long, value_name = "FILE")]
    genesis: Option<PathBuf>,
    /// Write the evidence as files into this new directory, for `quorate evidence verify`
    #[arg(long, value_name = "DIR")]
    write: Option<PathBuf>,
}

pub(super) fn run(args: &ForensicsArgs, context: &Context) -> Result<Exit, Failure> {
    let genesis = match (&args.genesis, args.dirs.first()) {
        (Some(path), _) => read_genesis(path)?,
        (None, Some(first)) => home_of(first).genesis()?,
        (None, None) => return Err(Failure::usage("no directory is given")),
    };
    let open = |dir: &PathBuf| OfflineLedger::open(&home_of(dir), genesis.clone());
    let ledgers = args.dirs.iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let findings = investigate(&ledgers, &genesis)?;
    for why in &findings.refused {
        context.output.note(format!("left out: {why}"));
    }
    if let Some(directory) = &args.write {
        write_pieces(directory, &genesis.digest(), &findings.evidence)?;
    }
    let report = Report { dirs: &args.dirs, ledgers: &ledgers, genesis: &genesis, findings: &findings };
    context.output.data(&report.json(), |_| report.text())?;
    Ok(if findings.fork.is_some() { Exit::Diverged } else { Exit::Success })
}

struct Report<'a> {
    dirs: &'a [PathBuf],
    ledgers: &'a [OfflineLedger],
    genesis: &'a Genesis,
    findings: &'a Findings,
}

impl Report<'_> {
    fn culprits(&self) -> BTreeSet<ReplicaId> {
        self.findings.evidence.iter().map(|piece| piece.accused).collect()
    }

    /// A fork takes so many.
    fn needed(&self) -> usize {
        (self.genesis.validators.len() - 1) / 3 + 1
    }

    fn name(&self, member: ReplicaId) -> String {
        self.genesis.validators.get(member.index()).map(|validator| validator.name.clone()).unwrap_or_default()
    }

    fn json(&self) -> Value {
        let piece = |piece: &Evidence| {
            json!({
                "accused": piece.accused, "name": self.name(piece.accused), "kind": piece.kind, "view": piece.view,
                "height": piece.height,
            })
        };
        let fork = self.findings.fork.as_ref().map(|fork| {
            let branch = |places: &Vec<usize>| places.iter().map(|place| &self.dirs[*place]).collect::<Vec<_>>();
            let branches = fork.branches.iter();
            let branches =
                branches.map(|(block, places)| json!({ "block": block, "in": branch(places) })).collect::<Vec<_>>();
            json!({ "height": fork.height, "branches": branches })
        });
        json!({
            "agree": fork.is_none(), "fork": fork, "needed": self.needed(), "culprits": self.culprits(),
            "attributable": self.genesis.scheme.is_attributable(),
            "evidence": self.findings.evidence.iter().map(piece).collect::<Vec<_>>(),
        })
    }

    fn text(&self) -> String {
        let mut text = self.where_they_differ();
        let _ = write!(text, "\n{}", self.who());
        if !self.findings.evidence.is_empty() {
            let mut table = Table::new(["replica", "name", "kind", "view", "height"]);
            for piece in &self.findings.evidence {
                table.row([
                    piece.accused.to_string(),
                    self.name(piece.accused),
                    piece.kind.clone(),
                    piece.view.0.to_string(),
                    piece.height.map_or_else(String::new, |height| height.0.to_string()),
                ]);
            }
            let _ = write!(text, "\n{table}");
        }
        text
    }

    fn where_they_differ(&self) -> String {
        let Some(fork) = &self.findings.fork else {
            let common = self.ledgers.iter().map(|ledger| ledger.height().0).min().unwrap_or_default();
            return format!("all {} ledgers agree up to height {common}", self.ledgers.len());
        };
        let mut text = format!("the ledgers differ from height {} on:", fork.height.0);
        for (block, places) in &fork.branches {
            let dirs: Vec<_> = places.iter().map(|place| self.dirs[*place].display().to_string()).collect();
            let _ = write!(text, "\n  {block}  {}", dirs.join(", "));
        }
        text
    }

    fn who(&self) -> String {
        let (named, needed) = (self.culprits().len(), self.needed());
        match &self.findings.fork {
            None if named == 0 => "nobody is accused of anything".to_owned(),
            None => format!("{named} convicted of misbehaviour that did no such harm:"),
            Some(_) if named >= needed => format!("{named} convicted; a fork takes {needed}:"),
            Some(_) if !self.genesis.scheme.is_attributable() => format!(
                "{named} convicted, where a fork takes {needed}: certificates under {} do not tell who signed",
                self.genesis.scheme.name()
            ),
            Some(_) => format!(
                "{named} convicted, where a fork takes {needed}: the certificates that tell the rest are in other validators' journals; \
                 give their directories too"
            ),
        }
    }
}
