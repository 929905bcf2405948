//! `quorate evidence list|show|verify`: who misbehaved, and whether the proof holds.

use super::{Context, get::no_genesis, target::Target};
use crate::{
    api::EvidenceList,
    evidence::{EvidenceView, parse_all},
    exit::Failure,
    home::file_failure,
    table::Table,
};
use clap::{Args, Subcommand};
use quorate_consensus::{Evidence, Keys, Protocol, Rejection};
use quorate_ledger::Genesis;
use quorate_types::{Digest, Header, Height, ReplicaId, View};
use quorate_validator::{ForProtocol, GenesisScheme, for_protocol_of};
use serde::Serialize;
use std::{
    fs,
    path::{Path, PathBuf},
};

#[derive(Debug, Subcommand)]
pub(super) enum EvidenceCommand {
    /// List the evidence that a node keeps, the newest first
    List(ListArgs),
    /// Print one piece, as `verify` takes it
    Show(ShowArgs),
    Verify(VerifyArgs),
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// Its number in the list
    id: u64,
    #[command(flatten)]
    target: Target,
}

/// Check evidence against a genesis, without a node
///
/// Says of each piece whom it convicts of what. The exit code is 0 if every piece convicts, 1 if one proves nothing.
#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// What `show` printed, a file of a validator's data/evidence/, or what GET /v1/evidence answered
    file: PathBuf,
    /// The genesis; that of --home unless told
    #[arg(long, value_name = "FILE")]
    genesis: Option<PathBuf>,
    #[command(flatten)]
    target: Target,
}

pub(super) fn run(command: EvidenceCommand, context: &Context) -> Result<(), Failure> {
    match command {
        EvidenceCommand::List(args) => {
            let list = fetch(&args.target, context)?;
            context.output.data(&list, |list| table(&list.evidence))
        }
        EvidenceCommand::Show(args) => {
            let pieces = fetch(&args.target, context)?.evidence;
            let piece = pieces.into_iter().find(|piece| piece.id == args.id);
            let missing = || Failure::failed(format!("the node has no evidence {}", args.id));
            let piece = piece.ok_or_else(|| missing().hint("quorate evidence list"))?;
            let text = serde_json::to_string_pretty(&piece).expect("strings and numbers have a JSON form");
            context.output.data(&piece, |_| text)
        }
        EvidenceCommand::Verify(args) => verify(&args, context),
    }
}

fn fetch(target: &Target, context: &Context) -> Result<EvidenceList, Failure> {
    context.block_on(async {
        let api = target.api()?;
        api.get("/v1/evidence?limit=1000").await.map_err(|error| api.failure(error))
    })
}

fn table(pieces: &[EvidenceView]) -> String {
    let mut table = Table::new(["id", "accused", "kind", "view", "height"]);
    for piece in pieces {
        table.row([
            piece.id.to_string(),
            piece.accused.to_string(),
            piece.kind.clone(),
            piece.view.0.to_string(),
            piece.height.map_or_else(String::new, |height| height.0.to_string()),
        ]);
    }
    table.to_string()
}

fn verify(args: &VerifyArgs, context: &Context) -> Result<(), Failure> {
    let genesis = args.target.genesis(args.genesis.as_deref())?.ok_or_else(no_genesis)?;
    let checked = check_all(&args.file, &genesis)?;
    let verdicts: Vec<_> =
        checked.iter().map(|(piece, result)| Verdict::of(piece, result.as_ref().err(), &genesis)).collect();
    context.output.data(&verdicts, |verdicts| verdicts.iter().map(Verdict::line).collect::<Vec<_>>().join("\n"))?;
    let Some(bad) = verdicts.iter().find(|verdict| !verdict.ok) else { return Ok(()) };
    Err(Failure::failed(format!("{}: {}", args.file.display(), bad.line())))
}

/// What a piece is worth.
#[derive(Debug, Serialize)]
struct Verdict {
    ok: bool,
    accused: ReplicaId,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    kind: String,
    view: View,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<Height>,
    genesis: Digest,
    /// Why it proves nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

impl Verdict {
    fn of(piece: &EvidenceView, why: Option<&String>, genesis: &Genesis) -> Self {
        Self {
            ok: why.is_none(),
            accused: piece.accused,
            name: genesis.validators.get(piece.accused.index()).map(|validator| validator.name.clone()),
            kind: piece.kind.clone(),
            view: piece.view,
            height: piece.height,
            genesis: piece.genesis,
            why: why.cloned(),
        }
    }

    fn line(&self) -> String {
        let Self { accused, kind, view, .. } = self;
        let name = self.name.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
        let at = self.height.map(|height| format!(" at {height}")).unwrap_or_default();
        match &self.why {
            None => format!("ok: {accused}{name} is guilty: {kind} in {view}{at}"),
            Some(why) => format!("it proves nothing against {accused}{name}, {kind} in {view}{at}: {why}"),
        }
    }
}

/// A piece, and why it proves nothing if it does not.
type Judged = (EvidenceView, Result<(), String>);

/// The pieces in a file, and whether each convicts somebody on the chain of `genesis`.
fn check_all(file: &Path, genesis: &Genesis) -> Result<Vec<Judged>, Failure> {
    fs::metadata(file).map_err(|error| file_failure("read", file, &error))?;
    let pieces = parse_all(file).map_err(|why| Failure::failed(format!("{}: {why}", file.display())))?;
    Ok(pieces
        .into_iter()
        .map(|piece| {
            let result = check(&piece, genesis);
            (piece, result)
        })
        .collect())
}

fn check(piece: &EvidenceView, genesis: &Genesis) -> Result<(), String> {
    let evidence = piece.decode()?;
    if piece.genesis != genesis.digest() {
        return Err(format!("it is of the genesis {}, and this one is {}", piece.genesis, genesis.digest()));
    }
    let verify = Verify { first: genesis.block().header, evidence };
    for_protocol_of(genesis, verify).map_err(|error| error.to_string())?.map_err(|error| error.to_string())
}

struct Verify {
    first: Header,
    evidence: Evidence,
}

impl ForProtocol for Verify {
    type Out = Result<(), Rejection>;

    fn run<P: Protocol<Scheme: GenesisScheme>>(self, scheme: P::Scheme) -> Self::Out {
        self.evidence.verify::<P>(&Keys::new(scheme, &self.first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cli::Choices, evidence::EvidenceStore};
    use quorate_consensus::{Exhibit, Proof, hotstuff::Ballot};
    use quorate_crypto::{Ed25519List, IdentitySecret, Scheme, Statement, VoteSecret};
    use quorate_ledger::{AppGenesis, Validator};
    use quorate_types::{BoundedVec, encode};
    use std::collections::BTreeMap;

    fn vote_key() -> VoteSecret {
        VoteSecret::from_seed([2; 32])
    }

    fn genesis(chain: &str) -> Genesis {
        let validator = Validator {
            name: "solo".into(),
            identity: IdentitySecret::from_seed([1; 32]).public(),
            vote: vote_key().public(),
            bls: None,
            address: None,
        };
        let application = AppGenesis::Kv { accounts: BTreeMap::new() };
        crate::cli::build_genesis(chain.into(), vec![validator], application, Choices::default()).expect("good")
    }

    /// The file of two votes of the only validator, for these blocks.
    fn evidence_of_votes(dir: &Path, genesis: &Genesis, blocks: [u8; 2]) -> PathBuf {
        let scheme = Ed25519List::new(genesis.committee().expect("good"));
        let exhibit = |block: u8| {
            let ballot = Ballot { view: View(4), height: Height(1), block: Digest([block; 32]) };
            let signature = encode(&scheme.sign(&vote_key(), &ballot));
            Exhibit {
                content: BoundedVec::new(encode(&ballot)).expect("small"),
                proof: Proof::Vote(BoundedVec::new(signature).expect("small")),
            }
        };
        let evidence = Evidence {
            accused: ReplicaId(0),
            kind: Ballot::KIND.into(),
            view: View(4),
            height: None,
            first: exhibit(blocks[0]),
            second: exhibit(blocks[1]),
        };
        let store = EvidenceStore::open(dir.join("evidence"), genesis.digest(), |_| Ok(())).expect("new");
        store.keep(&evidence);
        dir.join("evidence/000000-replica-0-hotstuff-vote-view-4.json")
    }

    /// Why each piece in the file proves nothing, if it does not.
    fn refusals(file: &Path, genesis: &Genesis) -> Vec<Option<String>> {
        let checked = check_all(file, genesis).expect("pieces of evidence");
        checked
            .into_iter()
            .map(|(piece, result)| {
                assert_eq!(piece.accused, ReplicaId(0));
                result.err()
            })
            .collect()
    }

    #[test]
    fn a_kept_file_convicts_with_nothing_but_the_genesis() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let (ours, other) = (genesis("ours"), genesis("other"));
        let file = evidence_of_votes(dir.path(), &ours, [1, 2]);
        assert_eq!(refusals(&file, &ours), [None]);
        let why = refusals(&file, &other);
        assert!(why[0].as_ref().is_some_and(|why| why.contains("it is of the genesis")), "{why:?}");
        // Even under the other chain's name: the chain is in what is signed.
        let text = std::fs::read_to_string(&file).expect("readable");
        std::fs::write(&file, text.replace(&ours.digest().to_string(), &other.digest().to_string())).expect("written");
        assert_eq!(refusals(&file, &other), [Some("bad signature of replica 0".to_owned())]);
    }

    #[test]
    fn the_same_vote_twice_proves_nothing() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let ours = genesis("ours");
        let file = evidence_of_votes(dir.path(), &ours, [1, 1]);
        assert_eq!(refusals(&file, &ours), [Some("the same statement twice".to_owned())]);
        let piece = parse_all(&file).expect("it is one").remove(0);
        let line = Verdict::of(&piece, Some(&"x".into()), &ours).line();
        assert_eq!(line, "it proves nothing against replica 0 (solo), hotstuff/vote in view 4: x");
        assert_eq!(Verdict::of(&piece, None, &ours).line(), "ok: replica 0 (solo) is guilty: hotstuff/vote in view 4");
    }

    #[test]
    fn what_a_node_answers_is_checked_piece_by_piece() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let ours = genesis("ours");
        let mut pieces = Vec::new();
        for (home, blocks) in [("good", [1, 2]), ("bad", [1, 1])] {
            let file = evidence_of_votes(&dir.path().join(home), &ours, blocks);
            pieces.extend(parse_all(&file).expect("one piece"));
        }
        let answer = dir.path().join("answer.json");
        let list = EvidenceList { total: 2, evidence: pieces };
        std::fs::write(&answer, serde_json::to_string(&list).expect("JSON")).expect("written");
        assert_eq!(refusals(&answer, &ours), [None, Some("the same statement twice".to_owned())]);
    }

    #[test]
    fn a_file_that_is_not_there_is_another_matter_than_one_that_is_no_evidence() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let exit = |file: &Path| check_all(file, &genesis("ours")).expect_err("no evidence").exit;
        assert_eq!(exit(&dir.path().join("nowhere")), crate::exit::Exit::Environment);
        let nonsense = dir.path().join("nonsense");
        std::fs::write(&nonsense, "{}").expect("written");
        assert_eq!(exit(&nonsense), crate::exit::Exit::Failure);
    }
}
