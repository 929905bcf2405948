//! Real processes, sockets and files. Few and short: what can be shown in the simulator is shown there.
//!
//! Here and not in the `tests` crate, because cargo tells a package's own tests where its binary lies.

use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, ChildStdout, Command, Output, Stdio},
};

fn quorate(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quorate"));
    command.args(arguments).arg("--home").arg(home).env_remove("RUST_LOG").env_remove("QUORATE_NODE");
    command
}

fn run(home: &Path, arguments: &[&str]) -> Output {
    quorate(home, arguments).output().expect("runs")
}

/// Runs a command that must succeed and gives its answer.
fn answer(home: &Path, arguments: &[&str]) -> Value {
    let output = run(home, &[arguments, &["--output", "json"]].concat());
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// A running `quorate testnet`; ended when dropped.
struct Testnet {
    process: Child,
    lines: BufReader<ChildStdout>,
    ready: Value,
}

impl Testnet {
    fn start(home: &Path, arguments: &[&str]) -> Self {
        let mut command = quorate(home, &[&["testnet", "--output", "ndjson"], arguments].concat());
        let mut process = command.stdout(Stdio::piped()).spawn().expect("runs");
        let lines = BufReader::new(process.stdout.take().expect("piped"));
        let mut testnet = Self { process, lines, ready: Value::Null };
        testnet.ready = testnet.event("ready");
        testnet
    }

    /// The next event of this name.
    fn event(&mut self, name: &str) -> Value {
        loop {
            let mut line = String::new();
            let read = self.lines.read_line(&mut line).expect("readable");
            assert!(read > 0, "the testnet ended before it said `{name}`");
            let event: Value = serde_json::from_str(&line).expect("one JSON document a line");
            if event["event"] == name {
                return event;
            }
        }
    }

    fn pid(&self, node: usize) -> String {
        self.ready["validators"][node]["pid"].to_string()
    }

    /// Ctrl-C, the verdict, and the exit code.
    fn stop(mut self) -> (Value, Option<i32>) {
        signal("-INT", &self.process.id().to_string());
        let end = self.event("end");
        (end, self.process.wait().expect("ends").code())
    }
}

impl Drop for Testnet {
    fn drop(&mut self) {
        // Its validators see their pipe close and stop.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn signal(kind: &str, pid: &str) {
    assert!(Command::new("kill").args([kind, pid]).status().expect("runs").success());
}

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

/// Waits for a testnet whose time is limited.
fn end_of(mut testnet: Testnet) -> (Value, Option<i32>) {
    let end = testnet.event("end");
    (end, testnet.process.wait().expect("ends").code())
}
