//! `quorate fault` against real processes. What faults do to the protocols is shown in the simulator; here it is shown that what is
//! asked for happens, to whom it is meant for and to nobody else.

mod common;

use common::{Testnet, answer, run, signal};
use serde_json::Value;
use std::{path::Path, process::Command};

/// A fault that must be in force afterwards.
fn fault(home: &Path, words: &[&str]) -> Value {
    answer(home, &[&["fault"], words].concat())
}

/// A fault that must be refused: the exit code, and why.
fn refused(home: &Path, words: &[&str]) -> (Option<i32>, String) {
    let output = run(home, &[&["fault"], words].concat());
    assert!(!output.status.success(), "{words:?} was not refused");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Commits something and waits until this node has it.
fn commits_up_to(home: &Path, node: &str) {
    let sent = answer(home, &["tx", "put", "city", "Oslo", "--wait"]);
    answer(home, &["wait", "--height", &sent["height"].to_string(), "--node", node]);
}

/// The letter by which the kernel tells what a process does: `T` when it is stopped.
fn state(pid: &Value) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

#[test]
fn processes_are_killed_paused_wiped_and_brought_back_within_the_budget() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let home = dir.path().join("net");
    let testnet = Testnet::start(&home, &[]);
    commits_up_to(&home, "3");

    let killed = fault(&home, &["kill", "3"]);
    assert_eq!((&killed["budget"]["used"], &killed["budget"]["f"]), (&1.into(), &1.into()), "{killed}");
    let pid = &testnet.ready["validators"][3]["pid"];
    assert!(killed["did"][0].as_str().is_some_and(|did| did.contains(&format!("pid {pid}"))), "{killed}");
    assert_eq!(state(pid), None, "it is gone when that is said");
    let (code, why) = refused(&home, &["kill", "node0"]);
    assert!(code == Some(1) && why.contains("more than f = 1") && why.contains("--beyond-f"), "{why}");
    answer(&home, &["tx", "put", "city", "Bergen", "--wait"]);
    fault(&home, &["restart", "3"]);
    commits_up_to(&home, "3");

    let pid = &testnet.ready["validators"][1]["pid"];
    fault(&home, &["pause", "1"]);
    assert_eq!(state(pid), Some('T'), "it stands still when that is said");
    assert_eq!(answer(&home, &["status"])[1]["error"], "no answer in time");
    answer(&home, &["tx", "put", "city", "Tromso", "--wait"]);
    fault(&home, &["resume", "1"]);
    commits_up_to(&home, "1");

    fault(&home, &["wipe", "2"]);
    assert!(!home.join("node2/data/journal").exists() && home.join("node2/config/validator_key.pem").exists());
    let back = fault(&home, &["restart", "2"]);
    assert_eq!(back["budget"]["used"], 1, "it has not taken part yet: {back}");
    commits_up_to(&home, "2");

    fault(&home, &["kill", "0", "1", "--beyond-f"]);
    let over = answer(&home, &["fault", "status"]);
    assert_eq!(over["nodes"][1]["process"], "killed", "{over}");
    let reset = fault(&home, &["reset"]);
    let (end, code) = testnet.stop();
    assert_eq!((&end["result"]["verdict"], code), (&"agree".into(), Some(0)), "{end} {reset}");
    assert!(!home.join("console.json").exists());
}

#[test]
fn nobody_elses_process_is_touched_and_a_testnet_that_does_not_run_is_told_as_one() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let home = dir.path().join("net");
    let (code, why) = refused(&home, &["kill", "3"]);
    assert!(code == Some(5) && why.contains("no testnet runs in"), "{why}");

    let testnet = Testnet::start(&home, &[]);
    fault(&home, &["kill", "3"]);
    let of = home.join("node3");
    let mut foreign =
        Command::new(env!("CARGO_BIN_EXE_quorate")).args(["node", "--home"]).arg(of).spawn().expect("runs");
    commits_up_to(&home, "3");
    let (_, why) = refused(&home, &["restart", "3"]);
    assert!(why.contains("this testnet did not start it"), "{why}");
    fault(&home, &["kill", "3"]);
    let (_, why) = refused(&home, &["wipe", "3"]);
    assert!(why.contains("this testnet did not start it") && home.join("node3/data/journal").exists(), "{why}");
    assert!(foreign.try_wait().expect("readable").is_none());
    signal("-TERM", &foreign.id().to_string());
    assert_eq!(foreign.wait().expect("ends").code(), Some(0));
    fault(&home, &["restart", "3"]);

    for (words, hint) in [
        (&["kill", "7"][..], "there is no replica 7"),
        (&["partition", "0"], "in quotes"),
        (&["attack", "start", "no-such", "--node", "1"], "knows no attack"),
    ] {
        let (code, why) = refused(&home, words);
        assert!(code == Some(2) && why.contains(hint), "{words:?}: {why}");
    }
    let (_, code) = testnet.stop();
    assert_eq!(code, Some(0));
}

#[test]
fn a_paused_validator_does_not_outlive_its_testnet() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let home = dir.path().join("net");
    let mut testnet = Testnet::start(&home, &["--nodes", "1"]);
    let pid = testnet.ready["validators"][0]["pid"].clone();
    fault(&home, &["pause", "0", "--beyond-f"]);
    assert_eq!(state(&pid), Some('T'));
    testnet.process.kill().expect("it runs");
    testnet.process.wait().expect("ends");
    while state(&pid).is_some_and(|state| state != 'Z') {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[test]
fn random_faults_are_those_of_their_seed_and_nothing_that_was_reported_committed_is_lost() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let home = dir.path().join("net");
    let testnet = Testnet::start(&home, &["--load", "20", "--timeout", "300ms"]);
    let words = [
        "fault",
        "random",
        "--steps",
        "6",
        "--over",
        "6s",
        "--kinds",
        "kill,pause,attack,partition",
        "--output",
        "ndjson",
    ];
    let steps = |seed: &str| {
        let output = run(&home, &[&words[..], &["--seed", seed]].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).expect("JSON");
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let sum = lines.last().cloned().unwrap_or_default();
        assert_eq!((&sum["steps"], &sum["refused"]), (&6.into(), &0.into()), "{text}");
        assert_eq!(lines.iter().filter(|line| line.get("step").is_some()).count(), 6, "{text}");
        sum["kinds"].clone()
    };
    assert_eq!(steps("3"), steps("3"));
    let status = answer(&home, &["fault", "status"]);
    assert!(status["cuts"] == Value::Array(Vec::new()) && status["budget"]["used"] == 0, "{status}");
    commits_up_to(&home, "3");
    let (end, code) = testnet.stop();
    assert_eq!((&end["result"]["verdict"], code), (&"agree".into(), Some(0)), "{end}");
    let history = &end["history"];
    assert_eq!(history["reported"], end["load"]["committed"], "{end}");
    let lost = history["missing"].as_object().map(|all| all.values().filter(|one| one["lost"] != 0).count());
    assert_eq!(lost, Some(0), "{end}");
}

/// What happens, short enough to be run in real time.
const SHORT: &str = r#"
name = "short"
seed = 3
lasts = "4s"
expect = ["agree", "commits >= 3", "recovers", "no evidence"]
step = [
  { at = "500ms", crash = 0 },
  { at = "1500ms", restart = 0 },
  { at = "2s", pause = 1 },
  { at = "2500ms", disk = { replica = 2, of = "journal", fault = { slow = "20ms" } } },
  { at = "3s", resume = 1 },
  { when = "height >= 2", skew = { replica = 3, ms = 3600000 } },
]
load = [{ every = "100ms", until = "4s" }]
"#;

fn file(dir: &Path, content: &str) -> String {
    let path = dir.join("scenario.toml");
    std::fs::write(&path, content).expect("written");
    path.to_str().expect("plain").to_owned()
}

/// What each expectation was, and whether it held; and the exit code.
fn verdict(output: &std::process::Output) -> (Vec<(Value, Value)>, Value, Option<i32>) {
    let text = String::from_utf8_lossy(&output.stdout);
    let told = text.lines().rev().find_map(|line| {
        let document: Value = serde_json::from_str(line).ok()?;
        if document["event"] == "verdict" { Some(document["scenario"].clone()) } else { Some(document) }
    });
    let told = told.unwrap_or_else(|| panic!("no verdict: {text}{}", String::from_utf8_lossy(&output.stderr)));
    let held = told["expected"].as_array().into_iter().flatten();
    let held = held.map(|held| (held["expectation"].clone(), held["held"].clone())).collect();
    (held, told["ending"].clone(), output.status.code())
}

#[test]
fn a_scenario_ends_on_processes_as_it_ends_in_the_simulator() {
    let dir = tempfile::tempdir().expect("temporary directory");
    for (content, code) in [(SHORT.to_owned(), 0), (SHORT.replace("commits >= 3", "commits >= 100000"), 4)] {
        let path = file(dir.path(), &content);
        let home = dir.path().join(format!("net{code}"));
        let words = ["testnet", "--scenario", &path, "--output", "ndjson"];
        let processes = verdict(&run(&home, &words));
        let mut simulated = Command::new(env!("CARGO_BIN_EXE_quorate"));
        simulated.args(["sim", "run", "--scenario", &path, "--output", "ndjson"]);
        assert_eq!(processes, verdict(&simulated.output().expect("runs")));
        assert_eq!(processes.2, Some(code), "{processes:?}");
        let again = run(&home, &words);
        assert_eq!(again.status.code(), Some(2), "a testnet is not thrown away unasked");
    }
}

#[test]
fn what_cannot_be_done_to_processes_and_too_many_liars_are_refused_before_anything_starts() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let sectors = SHORT.replace("{ slow = \"20ms\" }", "{ stale-sector = 3 }");
    let liars =
        format!("{SHORT}attacker = [{{ replica = 1, attack = \"silent\" }}, {{ replica = 2, attack = \"late\" }}]\n");
    for (content, hint) in [(sectors, "for the simulator alone"), (liars, "--beyond-f")] {
        let path = file(dir.path(), &content);
        let output = run(&dir.path().join("net"), &["testnet", "--scenario", &path]);
        let why = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && why.contains(hint), "{why}");
        assert!(!dir.path().join("net").exists());
    }
}
