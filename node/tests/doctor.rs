//! `quorate doctor` and the gossip of evidence, on real processes. What follows from which facts is shown in a table beside the code; here
//! it is shown that the facts are those of the validators, and that they reach whoever asks.

#![cfg(feature = "lab")]

mod common;

use common::{Testnet, answer, run};
use quorate_consensus::{Evidence, Exhibit, Proof, hotstuff::Ballot};
use quorate_crypto::{Ed25519List, Scheme, Statement, VoteSecret};
use quorate_ledger::Genesis;
use quorate_node::{evidence::EvidenceStore, home::Home};
use quorate_types::{BoundedVec, Digest, Height, ReplicaId, View, encode};
use serde_json::Value;
use std::{fs, path::Path, thread::sleep, time::Duration};

/// What the doctor says, and its exit code.
fn doctor(home: &Path) -> (Value, Option<i32>) {
    let output = run(home, &["doctor", "--output", "json"]);
    let complaint = String::from_utf8_lossy(&output.stderr);
    (serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{complaint}")), output.status.code())
}

/// Asks until all of these sentences are said, where a star stands for whatever. How long that takes is the machine's affair, within reason.
fn until(home: &Path, sentences: &[&str]) -> (Value, Option<i32>) {
    for _ in 0..600 {
        let (said, code) = doctor(home);
        let findings = said["findings"].as_array().expect("findings");
        let has = |text: &str, sentence: &str| sentence.split('*').all(|part| text.contains(part));
        let is_said = |sentence: &&str| {
            findings.iter().any(|finding| finding["text"].as_str().is_some_and(|text| has(text, sentence)))
        };
        if sentences.iter().all(is_said) {
            return (said, code);
        }
        sleep(Duration::from_millis(100));
    }
    panic!("not said, of {sentences:?}: {:#}", doctor(home).0)
}

/// Who leads the furthest view of a chain that rests.
fn leader(home: &Path) -> usize {
    let furthest = || {
        let status = answer(home, &["status"]);
        let nodes = status.as_array().expect("a list").clone();
        nodes.into_iter().max_by_key(|node| node["view"].as_u64()).expect("four of them")
    };
    for _ in 0..600 {
        let before = furthest();
        // Empty blocks follow the last one with transactions, to tell everybody that it is committed.
        sleep(Duration::from_millis(500));
        let now = furthest();
        if now["view"] == before["view"] {
            return usize::try_from(now["leader"].as_u64().expect("a number")).expect("small");
        }
    }
    panic!("the chain never rests")
}

#[test]
fn hotstuff_validators_tell_why_there_is_no_block() {
    the_doctor_finds_what_is_missing("hotstuff", "timeouts for view");
}

#[test]
fn pbft_validators_tell_why_there_is_no_block() {
    the_doctor_finds_what_is_missing("pbft", "VIEW-CHANGEs for view");
}

fn the_doctor_finds_what_is_missing(protocol: &str, missing: &str) {
    let dir = tempfile::tempdir().expect("temporary directory");
    let home = dir.path().join("net");
    let testnet = Testnet::start(&home, &["--protocol", protocol]);
    answer(&home, &["tx", "put", "city", "Oslo", "--wait"]);
    let (well, code) = until(&home, &["No transactions wait", "All 4 validators answer"]);
    assert_eq!((&well["verdict"], code), (&"well".into(), Some(0)), "{well}");

    let leader = leader(&home);
    let name = |index: usize| format!("node{}", index % 4);
    let (first, second, left) = (name(leader), name(leader + 1), name(leader + 2));
    answer(&home, &["fault", "kill", &first]);
    let down = [
        format!("{first} does not answer: it was killed"),
        format!("{first} *, and does not answer: what comes next waits"),
    ];
    let (ailing, code) = until(&home, &down.each_ref().map(String::as_str));
    assert_eq!((&ailing["verdict"], code), (&"ailing".into(), Some(1)), "{ailing}");

    answer(&home, &["fault", "pause", &second, "--beyond-f"]);
    answer(&home, &["tx", "put", "city", "Bodo", "--node", &left]);
    let mut pair = [first.as_str(), second.as_str()];
    pair.sort_unstable();
    let sentences = [
        format!("{second} does not answer: it is paused"),
        "No quorum is left: only node".to_owned(),
        "and it takes 3 of 4. Nothing is committed until one more can.".to_owned(),
        "There is work, and no block has come for".to_owned(),
        format!("Missing are the {missing}"),
        format!(" of {} (does not answer) and {} (does not answer). There are 2 of them, of node", pair[0], pair[1]),
    ];
    let (stuck, code) = until(&home, &sentences.each_ref().map(String::as_str));
    assert_eq!((&stuck["verdict"], code), (&"stuck".into(), Some(4)), "{stuck}");
    let one = answer(&home, &["status", "--node", &left])[0]["url"].clone();
    let asked = run(&home, &["doctor", "--api", one.as_str().expect("an address")]);
    let text = String::from_utf8_lossy(&asked.stdout).into_owned();
    assert!(text.starts_with("stuck\n") && text.contains(&format!("Missing are the {missing}")), "{text}");

    answer(&home, &["fault", "reset"]);
    let (well, code) = until(&home, &["No transactions wait", "All 4 validators answer"]);
    assert_eq!((&well["verdict"], code), (&"well".into(), Some(0)), "{well}");
    assert_eq!(testnet.stop().1, Some(0));
    assert_eq!(run(&home, &["doctor"]).status.code(), Some(5), "nobody answers");
}

/// Two votes of a validator in one view, under its own key.
fn plant(home: &Path, liar: u16) {
    let genesis = Genesis::from_json(&fs::read_to_string(home.join("genesis.json")).expect("made")).expect("good");
    let secret = VoteSecret::load(&Home::new(home.join(format!("node{liar}"))).validator_key()).expect("not encrypted");
    let scheme = Ed25519List::new(genesis.committee().expect("good"));
    let exhibit = |block: u8| {
        let ballot = Ballot { view: View(1), height: Height(1), block: Digest([block; 32]) };
        let signature = encode(&scheme.sign(&secret, &ballot));
        Exhibit {
            content: BoundedVec::new(encode(&ballot)).expect("small"),
            proof: Proof::Vote(BoundedVec::new(signature).expect("small")),
        }
    };
    let evidence = Evidence {
        accused: ReplicaId(liar),
        kind: Ballot::KIND.into(),
        view: View(1),
        height: None,
        first: exhibit(1),
        second: exhibit(2),
    };
    let directory = Home::new(home.join("node0")).evidence();
    EvidenceStore::open(directory, genesis.digest(), |_| Ok(())).expect("its own directory").keep(&evidence);
}

#[test]
fn what_one_validator_can_prove_all_can_and_so_can_anybody_with_the_genesis() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let home = dir.path().join("net");
    assert_eq!(Testnet::start(&home, &[]).stop().1, Some(0));
    plant(&home, 3);
    let testnet = Testnet::start(&home, &[]);
    until(&home, &["node3 has broken the protocol: node0, node1, node2 and node3 can prove it"]);
    for node in ["0", "1", "2", "3"] {
        let list = answer(&home, &["evidence", "list", "--node", node]);
        assert_eq!((&list["total"], &list["evidence"][0]["accused"]), (&1.into(), &3.into()), "{list}");
    }
    let piece = run(&home, &["evidence", "show", "0", "--node", "2", "--output", "json"]).stdout;
    assert_eq!(testnet.stop().1, Some(0));
    assert_eq!(fs::read_dir(Home::new(home.join("node1")).evidence()).expect("made").count(), 1, "it is on its disk");

    let file = dir.path().join("piece.json");
    let verify = |text: &[u8]| {
        fs::write(&file, text).expect("written");
        let (file, genesis) = (file.to_str().expect("text"), home.join("genesis.json"));
        run(dir.path(), &["evidence", "verify", file, "--genesis", genesis.to_str().expect("text")])
    };
    let verdict = verify(&piece);
    let said = String::from_utf8_lossy(&verdict.stdout).into_owned();
    assert_eq!(
        (verdict.status.code(), said.trim()),
        (Some(0), "ok: replica 3 (node3) is guilty: hotstuff/vote in view 1")
    );
    let mut framed: Value = serde_json::from_slice(&piece).expect("JSON");
    let bytes = framed["evidence"].as_str().expect("hexadecimal").replacen("0300", "0100", 1);
    framed["evidence"] = bytes.into();
    framed["accused"] = 1.into();
    let verdict = verify(framed.to_string().as_bytes());
    let why = String::from_utf8_lossy(&verdict.stderr).into_owned();
    assert!(verdict.status.code() == Some(1) && why.contains("it proves nothing against replica 1"), "{why}");
}

/// In HotStuff a vote goes to one leader alone, so what one of them has seen twice the others know from it.
#[test]
fn a_validator_that_lies_is_convicted_by_all_of_them() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let home = dir.path().join("net");
    let testnet = Testnet::start(&home, &["--load", "20"]);
    answer(&home, &["fault", "attack", "start", "double-vote", "--node", "3"]);
    let lies = "A fault is in force at node3: it lies (double-vote).";
    let (said, _) = until(&home, &[lies, "node3 has broken the protocol: node0, node1, node2 and node3 can prove it"]);
    let others = said["findings"].as_array().expect("findings").iter().filter(|finding| finding["code"] == "convicted");
    assert_eq!(others.count(), 1, "and nobody else: {said}");
    let (end, code) = testnet.stop();
    assert_eq!((&end["result"]["verdict"], code), (&"agree".into(), Some(0)), "{end}");
}
