//! Real processes, sockets and files. Few and short: what can be shown in the simulator is shown there.
//!
//! Here and not in the `tests` crate, because cargo tells a package's own tests where its binary lies.

mod common;

use common::{Testnet, answer, end_of, run, signal};
use std::process::{Command, Stdio};

#[test]
fn hotstuff_commits_and_proves_transactions_while_a_validator_dies_and_returns() {
    transactions_commit_and_are_proven_while_a_validator_dies_and_returns("hotstuff", "ed25519");
}

#[test]
fn hotstuff_with_multi_signatures_commits_and_proves() {
    transactions_commit_and_are_proven_while_a_validator_dies_and_returns("hotstuff", "bls-multi");
}

#[test]
fn pbft_with_threshold_signatures_commits_and_proves() {
    transactions_commit_and_are_proven_while_a_validator_dies_and_returns("pbft", "bls-threshold");
}

#[test]
fn pbft_commits_and_proves_transactions_while_a_validator_dies_and_returns() {
    transactions_commit_and_are_proven_while_a_validator_dies_and_returns("pbft", "ed25519");
}

fn transactions_commit_and_are_proven_while_a_validator_dies_and_returns(protocol: &str, scheme: &str) {
    let dir = tempfile::tempdir().expect("temporary directory");
    let home = dir.path().join("net");
    let mut testnet = Testnet::start(&home, &["--protocol", protocol, "--scheme", scheme]);
    let status = answer(&home, &["status", "--node", "0"]);
    assert_eq!((&testnet.ready["protocol"], &status[0]["protocol"]), (&protocol.into(), &protocol.into()), "{status}");
    assert_eq!((&testnet.ready["scheme"], &status[0]["scheme"]), (&scheme.into(), &scheme.into()), "{status}");

    let sent = answer(&home, &["tx", "put", "city", "Oslo", "--wait"]);
    assert_eq!((&sent["status"], &sent["verified"]), (&"committed".into(), &true.into()), "{sent}");
    answer(&home, &["wait", "--height", &sent["height"].to_string(), "--node", "2"]);
    let got = answer(&home, &["get", "city", "--prove", "--node", "2"]);
    assert_eq!((&got["text"], &got["verified"]), (&"Oslo".into(), &true.into()), "{got}");
    let nothing = answer(&home, &["get", "nothing", "--prove", "--node", "1"]);
    assert_eq!((&nothing["found"], &nothing["verified"]), (&false.into(), &true.into()), "{nothing}");

    signal("-KILL", &testnet.pid(3));
    let died = testnet.event("died");
    assert_eq!((&died["validator"], &died["how"]), (&"node3".into(), &"signal 9".into()), "{died}");
    let sent = answer(&home, &["tx", "put", "city", "Bergen", "--wait"]);

    let restart = died["restart"].as_str().expect("a command");
    let mut returned =
        Command::new("sh").args(["-c", &format!("exec {restart}")]).stderr(Stdio::null()).spawn().expect("runs");
    answer(&home, &["wait", "--height", &sent["height"].to_string(), "--node", "3"]);
    let got = answer(&home, &["get", "city", "--prove", "--node", "3"]);
    assert_eq!(got["text"], "Bergen", "{got}");

    let (end, code) = testnet.stop();
    assert_eq!(end["result"]["verdict"], "agree", "{end}");
    assert_eq!(code, Some(0));
    assert!(returned.try_wait().expect("readable").is_none(), "a process that the testnet did not start is left alone");
    signal("-TERM", &returned.id().to_string());
    assert_eq!(returned.wait().expect("ends").code(), Some(0));
    for node in 0..4 {
        let of = home.join(format!("node{node}"));
        let verified = Command::new(env!("CARGO_BIN_EXE_quorate")).args(["ledger", "verify"]).arg(of).output();
        assert!(verified.expect("runs").status.success(), "node{node}");
    }
}

#[test]
fn the_next_run_resumes_and_a_contradiction_is_refused() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let home = dir.path().join("net");
    let testnet = Testnet::start(&home, &["--load", "20", "--duration", "3s"]);
    let genesis = testnet.ready["genesis"].clone();
    let (end, code) = end_of(testnet);
    assert_eq!((&end["result"]["verdict"], code), (&"agree".into(), Some(0)), "{end}");
    let height = end["result"]["height"].as_u64().expect("a height");
    assert!(height > 0, "{end}");

    let refused = run(&home, &["testnet", "--protocol", "pbft"]);
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        refused.status.code() == Some(2) && why.contains("--protocol pbft") && why.contains("has hotstuff"),
        "{why}"
    );
    let refused = run(&home, &["testnet", "--nodes", "7"]);
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2));
    assert!(text.contains("--nodes 7") && text.contains("has 4") && text.contains("--fresh"), "{text}");

    let testnet = Testnet::start(&home, &["--duration", "1s"]);
    assert_eq!((&testnet.ready["genesis"], &testnet.ready["resumed"]), (&genesis, &true.into()));
    let (end, _) = end_of(testnet);
    assert!(end["result"]["height"].as_u64().is_some_and(|now| now >= height), "{end}");
    let fresh = Testnet::start(&home, &["--fresh", "--nodes", "1", "--duration", "1s"]);
    assert_ne!(fresh.ready["genesis"], genesis);
}
