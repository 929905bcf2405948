//! `quorate evidence list|show|verify`: who misbehaved, and whether the proof holds.

use super::{Context, get::no_genesis, target::Target};
use crate::{
    api::EvidenceList,
    evidence::{EvidenceView, parse},
    exit::Failure,
    table::Table,
};
use clap::{Args, Subcommand};
use quorate_consensus::{Evidence, Keys, Protocol, Rejection};
use quorate_ledger::Genesis;
use quorate_types::Header;
use quorate_validator::{ForProtocol, GenesisScheme, for_protocol_of};
use serde_json::json;
use std::path::{Path, PathBuf};

#[derive(Debug, Subcommand)]
pub(super) enum EvidenceCommand {
    /// List the evidence that a node keeps, the newest first
    List(ListArgs),
    /// Print one piece, as `verify` takes it
    Show(ShowArgs),
    /// Check a piece against a genesis, without a node
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

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// What `show` printed, or a file of a validator's data/evidence/
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
    let piece = checked(&args.file, &genesis)?;
    let name = genesis.validators.get(piece.accused.index()).map(|validator| validator.name.clone());
    let data = json!({
        "ok": true, "accused": piece.accused, "name": name, "kind": piece.kind, "view": piece.view,
        "height": piece.height, "genesis": piece.genesis,
    });
    context.output.data(&data, |_| {
        let who = name.map(|name| format!(" ({name})")).unwrap_or_default();
        let at = piece.height.map(|height| format!(" at {height}")).unwrap_or_default();
        format!("ok: {}{who} is guilty: {} in {}{at}", piece.accused, piece.kind, piece.view)
    })
}

/// The piece in a file, if it convicts somebody on the chain of `genesis`.
fn checked(file: &Path, genesis: &Genesis) -> Result<EvidenceView, Failure> {
    let bad = |why: String| Failure::failed(format!("{}: {why}", file.display()));
    let (piece, evidence) = parse(file).map_err(bad)?;
    if piece.genesis != genesis.digest() {
        let why = format!("it is of the genesis {}, and this one is {}", piece.genesis, genesis.digest());
        return Err(bad(why).hint("--genesis names the genesis of the chain that it was seen on"));
    }
    let verify = Verify { first: genesis.block().header, evidence };
    for_protocol_of(genesis, verify)
        .map_err(|error| bad(error.to_string()))?
        .map_err(|error| bad(format!("it proves nothing: {error}")))?;
    Ok(piece)
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
    use quorate_types::{BoundedVec, Digest, Height, ReplicaId, View, encode};
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

    #[test]
    fn a_kept_file_convicts_with_nothing_but_the_genesis() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let (ours, other) = (genesis("ours"), genesis("other"));
        let file = evidence_of_votes(dir.path(), &ours, [1, 2]);
        assert_eq!(checked(&file, &ours).expect("it convicts").accused, ReplicaId(0));
        let failure = checked(&file, &other).expect_err("another chain's");
        assert!(failure.what.contains("it is of the genesis"), "{failure}");
        // Even under the other chain's name: the chain is in what is signed.
        let text = std::fs::read_to_string(&file).expect("readable");
        std::fs::write(&file, text.replace(&ours.digest().to_string(), &other.digest().to_string())).expect("written");
        let failure = checked(&file, &other).expect_err("signed for another chain");
        assert!(failure.what.contains("it proves nothing: bad signature"), "{failure}");
    }

    #[test]
    fn the_same_vote_twice_proves_nothing() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let ours = genesis("ours");
        let file = evidence_of_votes(dir.path(), &ours, [1, 1]);
        let failure = checked(&file, &ours).expect_err("no contradiction");
        assert_eq!(failure.exit, crate::exit::Exit::Failure);
        assert!(failure.what.contains("the same statement twice"), "{failure}");
    }
}
