//! Key generations among real processes. What else cheaters try is shown in the simulator (`tests/tests/dkg.rs`).

mod common;

use common::{Testnet, answer, run};
use serde_json::Value;
use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

/// Key files are encrypted under it.
const PASSPHRASE: &str = "correct horse battery staple";
const NAMES: [&str; 4] = ["ada", "bob", "cyd", "dot"];

fn quorate(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quorate"));
    command.args(arguments).env_remove("RUST_LOG").env_remove("QUORATE_NODE");
    command
}

fn succeeds(mut command: Command) -> String {
    let output = command.output().expect("runs");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).expect("there")).expect("JSON")
}

/// Four validators of an ed25519 draft, each with a home of its own.
struct Members {
    dir: tempfile::TempDir,
}

impl Members {
    fn new() -> Self {
        let members = Self { dir: tempfile::tempdir().expect("temporary directory") };
        fs::write(members.passphrase(), PASSPHRASE).expect("written");
        // Held together, so that they differ.
        let listeners = NAMES.map(|_| TcpListener::bind("127.0.0.1:0").expect("a free port"));
        let addresses = listeners.each_ref().map(|listener| listener.local_addr().expect("bound").to_string());
        // A primary stays: under HotStuff each turn of an absent leader would cost a timeout.
        let mut new = quorate(&["genesis", "new", "--chain", "dkg-test", "--protocol", "pbft"]);
        for (name, address) in NAMES.iter().zip(&addresses) {
            let mut keygen = quorate(&["keygen", "--name", name, "--address", address, "--home"]);
            keygen.arg(members.home(name)).arg("--password-file").arg(members.passphrase());
            let entry = members.dir.path().join(format!("{name}.json"));
            fs::write(&entry, succeeds(keygen)).expect("written");
            new.arg("--validator").arg(entry);
        }
        let genesis = succeeds(new);
        for (name, address) in NAMES.iter().zip(&addresses) {
            let config = members.home(name).join("config");
            fs::write(config.join("genesis.json"), &genesis).expect("written");
            fs::write(config.join("config.toml"), format!("[network]\nlisten = \"{address}\"\n")).expect("written");
        }
        members
    }

    fn home(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn passphrase(&self) -> PathBuf {
        self.dir.path().join("passphrase")
    }

    fn take_part(&self, name: &str, arguments: &[&str]) -> Running {
        let pace = ["dkg", "--phase-heights", "40", "--block-interval", "50ms", "--output", "json"];
        let mut command = quorate(&[&pace, arguments].concat());
        command.arg("--home").arg(self.home(name)).arg("--password-file").arg(self.passphrase());
        Running(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().ok())
    }

    fn share(&self, name: &str) -> String {
        fs::read_to_string(self.home(name).join("config/threshold_share.pem")).expect("a share")
    }
}

/// A process that does not outlive its test.
struct Running(Option<Child>);

impl Running {
    fn end(mut self) -> Output {
        self.0.take().expect("started").wait_with_output().expect("ends")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn report(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn three_of_four_make_a_key_and_name_the_absent_one_who_finds_its_share_when_it_comes() {
    let members = Members::new();
    let running: Vec<_> = NAMES[..3].iter().map(|name| members.take_part(name, &[])).collect();
    let reports: Vec<_> = running.into_iter().map(|running| report(&running.end())).collect();
    for (name, report) in NAMES.iter().zip(&reports) {
        assert_eq!(report["qualified"], serde_json::json!(["ada", "bob", "cyd"]), "{report}");
        let faults: Vec<_> = report["findings"].as_array().expect("a list").iter().collect();
        assert!(faults.iter().all(|fault| fault["validator"] == "dot" && fault["proven"] == false), "{report}");
        assert_eq!(faults.len(), 2, "it neither dealt nor gave a verdict: {report}");
        assert_eq!((&report["group_key"], &report["genesis"]), (&reports[0]["group_key"], &reports[0]["genesis"]));
        assert!(members.share(name).contains("ENCRYPTED"), "{name}");
        let genesis = json(&members.home(name).join("config/genesis.json"));
        assert_eq!((&genesis["scheme"], &genesis["chain"]), (&"bls-threshold".into(), &"dkg-test".into()));
    }
    assert_eq!(json(&members.home("dot").join("config/genesis.json"))["scheme"], "ed25519");

    // Called again, the three say the same at once; with --stay they serve whoever is behind.
    assert_eq!(report(&members.take_part("ada", &[]).end()), reports[0]);
    let staying: Vec<_> = NAMES[..3].iter().map(|name| members.take_part(name, &["--stay"])).collect();
    let late = report(&members.take_part("dot", &[]).end());
    assert_eq!((&late["group_key"], &late["findings"]), (&reports[0]["group_key"], &reports[0]["findings"]));
    assert!(members.share("dot").contains("ENCRYPTED"));
    drop(staying);
}

#[test]
fn a_home_whose_chain_has_run_and_a_contradiction_are_refused() {
    let members = Members::new();
    fs::create_dir_all(members.home("ada").join("data/blocks")).expect("made");
    let refused = members.take_part("ada", &["--until-stdin-closes"]).end();
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(2) && why.contains("has run the chain of its genesis already"), "{why}");

    let interrupted = members.take_part("bob", &["--until-stdin-closes"]).end();
    assert!(interrupted.status.success(), "{}", String::from_utf8_lossy(&interrupted.stderr));
    let mut other_pace = quorate(&["dkg", "--phase-heights", "41", "--home"]);
    other_pace.arg(members.home("bob")).arg("--password-file").arg(members.passphrase());
    let refused = other_pace.output().expect("runs");
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(2) && why.contains("has begun a ceremony with other phases"), "{why}");
}

#[test]
fn a_testnet_makes_its_key_without_a_dealer_and_runs_with_it() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let home = dir.path().join("net");
    let run = |arguments: &[&str]| {
        let mut testnet = quorate(&[&["testnet", "--output", "ndjson"], arguments].concat());
        let out = succeeds({
            testnet.arg("--home").arg(&home);
            testnet
        });
        let events = out.lines().map(|line| serde_json::from_str(line).expect("JSON"));
        events.map(|event: Value| (event["event"].as_str().unwrap_or_default().to_owned(), event)).collect::<Vec<_>>()
    };
    let named = |events: &[(String, Value)], name: &str| {
        events.iter().find(|(known, _)| known == name).map_or(Value::Null, |(_, event)| event.clone())
    };
    let events = run(&["--scheme", "bls-threshold", "--dkg", "--load", "20", "--duration", "3s"]);
    let (made, ready, end) = (named(&events, "dkg"), named(&events, "ready"), named(&events, "end"));
    assert_eq!((&made["threshold"], &made["findings"]), (&3.into(), &serde_json::json!([])), "{made}");
    assert_eq!(made["qualified"].as_array().map(Vec::len), Some(4), "{made}");
    assert_eq!((&ready["scheme"], &ready["genesis"]), (&"bls-threshold".into(), &made["genesis"]), "{ready}");
    assert_eq!(end["result"]["verdict"], "agree", "{end}");
    assert!(end["load"]["committed"].as_u64().is_some_and(|committed| committed > 0), "{end}");

    // The key stays; it is made once.
    let events = run(&["--dkg", "--duration", "1s"]);
    assert_eq!(named(&events, "dkg"), Value::Null);
    assert_eq!(named(&events, "ready")["genesis"], ready["genesis"]);
}

/// One of four deals bad shares to all others. It has a good one itself, and spoils with it whatever the others combine theirs into.
#[test]
fn a_key_made_beside_a_cheater_bears_the_bad_partials_that_it_sends_then() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let home = dir.path().join("net");
    let cheat = ["--scheme", "bls-threshold", "--dkg", "--cheat", "3:bad-shares", "--load", "20"];
    let testnet = Testnet::start(&home, &cheat);
    let made = json(&home.join("node0/dkg/result.json"));
    let proven = made["findings"].as_array().into_iter().flatten().filter(|finding| finding["proven"] == true);
    let named: Vec<_> = proven.map(|finding| finding["validator"].clone()).collect();
    assert!(!named.is_empty() && named.iter().all(|name| *name == "node3"), "{made}");
    assert_eq!(made["qualified"], serde_json::json!(["node0", "node1", "node2"]), "{made}");

    answer(&home, &["fault", "attack", "start", "bad-partials", "--node", "3"]);
    for city in ["Oslo", "Bergen", "Tromso"] {
        let sent = answer(&home, &["tx", "put", "city", city, "--wait"]);
        for node in ["0", "1", "2"] {
            answer(&home, &["wait", "--height", &sent["height"].to_string(), "--node", node]);
        }
    }
    // Only who has combined a bad one has noticed.
    let convicted = || {
        let said = answer(&home, &["doctor"]);
        let findings = said["findings"].as_array().into_iter().flatten();
        let texts = findings.filter(|finding| finding["code"] == "convicted").map(|finding| finding["text"].clone());
        texts.collect::<Vec<_>>()
    };
    let named = (0..300).find_map(|_| {
        std::thread::sleep(Duration::from_secs(1));
        Some(convicted()).filter(|texts| !texts.is_empty())
    });
    let named = named.expect("somebody notices in five minutes");
    assert!(named.len() == 1 && named[0].as_str().is_some_and(|text| text.starts_with("node3 ")), "{named:?}");
    let (end, code) = testnet.stop();
    assert_eq!((&end["result"]["verdict"], code), (&"agree".into(), Some(0)), "{end}");

    let again = run(&home, &["testnet", "--dkg", "--cheat", "3:silent"]);
    let why = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(again.status.code() == Some(2) && why.contains("has its key already"), "{why}");
}
