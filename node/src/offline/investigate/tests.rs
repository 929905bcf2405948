use super::*;
use crate::{
    cli::{Choices, build_genesis},
    evidence::write_pieces,
    home::Home,
};
use quorate_consensus::pbft::{Ballot, Commit, CommitProof, Record};
use quorate_crypto::{Certificate, Ed25519List, IdentitySecret, Scheme, VoteSecret};
use quorate_ledger::{AppGenesis, Binding, FileDisk, Journal, Ledger, MemoryIndex, Protocol as Name, Validator};
use quorate_types::{ReplicaId, View, encode};
use std::{path::PathBuf, sync::LazyLock};

fn secret(member: u8) -> VoteSecret {
    VoteSecret::from_seed([member + 1; 32])
}

/// Made once: a genesis begins when it is made.
static GENESIS: LazyLock<Genesis> = LazyLock::new(|| {
    let validator = |member: u8| Validator {
        name: format!("v{member}"),
        identity: IdentitySecret::from_seed([member + 101; 32]).public(),
        vote: secret(member).public(),
        bls: None,
        address: None,
    };
    let choices = Choices { protocol: Name::Pbft, ..Choices::default() };
    build_genesis("ours".into(), (0..4).map(validator).collect(), AppGenesis::Opaque, choices).expect("good")
});

/// A home whose ledger holds a block for each of `chain`: its time, which tells blocks apart, and who signed its COMMITs.
fn home(directory: PathBuf, chain: &[(u64, [u8; 3])]) -> Home {
    let (home, genesis) = (Home::new(directory), &*GENESIS);
    home.create().expect("a new home");
    let scheme = Ed25519List::new(genesis.committee().expect("good"));
    let disk = |path| FileDisk::open(path).expect("a new directory");
    for path in [home.blocks(), home.journal()] {
        std::fs::create_dir_all(path).expect("a new directory");
    }
    drop(Journal::<_, Record<Ed25519List>>::begin(disk(home.journal()), Binding::of(genesis), Vec::new()));
    let mut ledger = Ledger::open(disk(home.blocks()), MemoryIndex::default(), genesis).expect("an empty ledger");
    for (time, signers) in chain {
        let parent = ledger.head().clone();
        let now = parent.timestamp + time;
        let block = ledger.build(&parent.digest(), View(1), ReplicaId(1), vec![], now).expect("it fits");
        let commit = Commit(Ballot { view: View(1), height: block.header.height, block: block.digest() });
        let sign = |member: &u8| (ReplicaId(u16::from(*member)), scheme.sign(&secret(*member), &commit));
        let proof = scheme.combine(&commit, &signers.iter().map(sign).collect()).expect("a quorum");
        let proof = encode(&CommitProof::<Ed25519List>::Commit(Certificate { statement: commit, proof }));
        ledger.commit(&block.digest(), proof).expect("executed");
    }
    ledger.sync().expect("durable");
    home
}

fn compare(homes: &[&Home]) -> Findings {
    let open = |home: &&Home| OfflineLedger::open(home, GENESIS.clone()).expect("a sound ledger");
    investigate(&homes.iter().map(open).collect::<Vec<_>>(), &GENESIS).expect("readable")
}

fn accused(findings: &Findings) -> Vec<u16> {
    findings.evidence.iter().map(|piece| piece.accused.0).collect()
}

#[test]
fn ledgers_that_differ_convict_who_signed_for_both() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let at = |name: &str| directory.path().join(name);
    let one = home(at("one"), &[(1, [0, 1, 2]), (1, [0, 1, 2]), (1, [0, 1, 2])]);
    let other = home(at("other"), &[(1, [0, 1, 2]), (2, [1, 2, 3])]);
    let behind = home(at("behind"), &[(1, [0, 1, 2])]);
    let findings = compare(&[&one, &other]);
    assert_eq!(accused(&findings), [1, 2]);
    let fork = findings.fork.expect("they differ");
    assert_eq!((fork.height, fork.branches.len()), (Height(2), 2));
    for pair in [[&one, &behind], [&behind, &other]] {
        let findings = compare(&pair);
        assert!(findings.fork.is_none() && findings.evidence.is_empty(), "one is only behind");
    }
}

#[test]
fn what_a_validator_kept_counts_if_it_proves_something() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let at = |name: &str| directory.path().join(name);
    let (one, other) = (home(at("one"), &[(1, [0, 1, 2])]), home(at("other"), &[(2, [1, 2, 3])]));
    let mut pieces = compare(&[&one, &other]).evidence;
    pieces[0].accused = ReplicaId(3);
    write_pieces(&one.evidence(), &GENESIS.digest(), &pieces).expect("a new directory");
    let agreeing = home(at("agreeing"), &[(1, [0, 1, 2])]);
    let findings = compare(&[&one, &agreeing]);
    assert_eq!(accused(&findings), [2]);
    assert_eq!(findings.refused.len(), 1);
    assert!(findings.refused[0].contains("the accused is not among those who signed"), "{}", findings.refused[0]);
    assert!(write_pieces(&one.evidence(), &GENESIS.digest(), &[]).is_err(), "nothing is written over");
}
