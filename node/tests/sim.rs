//! `quorate sim` from outside: exit codes, files, the same twice.
#![cfg(feature = "lab")]

use assert_cmd::Command;
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

fn quorate(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quorate"));
    command.args(arguments).env_remove("RUST_LOG").env("NO_COLOR", "1");
    command
}

fn json(arguments: &[&str], exit: i32) -> Value {
    let output = quorate(&[arguments, &["--output", "json"]].concat()).assert().code(exit).get_output().clone();
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn stderr(arguments: &[&str], exit: i32) -> String {
    String::from_utf8_lossy(&quorate(arguments).assert().code(exit).get_output().stderr).into_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

fn file(content: &str) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("temporary directory");
    let path = dir.path().join("scenario.toml");
    fs::write(&path, content).expect("written");
    (dir, path)
}

const HOPELESS: &str = r#"
name = "hopeless"
seed = 3
lasts = "3s"
expect = ["agree", "commits >= 1000"]
attacker = [{ replica = 3, attack = "silent" }]
step = [{ at = "1s", crash = 0 }, { at = "2s", restart = 0 }, { when = "height >= 5", pause = 1 }]
load = [{ every = "100ms", until = "3s" }]
"#;

#[test]
fn a_scenario_is_told_with_what_was_expected_and_ends_with_its_exit_code() {
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/equivocating-leader.toml");
    let told = json(&["sim", "run", "--scenario", shipped], 0);
    assert_eq!((&told["ending"], &told["scenario"]), (&"pass".into(), &"equivocating leader".into()));
    assert_eq!(told["replicas"][1]["attack"], "equivocate");
    assert!(told["replicas"][0]["commits"].as_array().is_some_and(|commits| commits.len() >= 10), "{told}");
    assert!(told["expected"].as_array().is_some_and(|all| all.iter().all(|expected| expected["held"] == true)));
    let (_dir, path) = file(HOPELESS);
    let told = json(&["sim", "run", "--scenario", text(&path)], 4);
    assert_eq!(told["expected"][1]["held"], false);
}

#[test]
fn what_is_no_scenario_is_refused_with_file_line_and_known_keys() {
    let (_dir, path) = file("name = \"x\"\nlasts = \"1s\"\n[[step]]\nat = \"1s\"\ncrush = 1\n");
    let why = stderr(&["sim", "run", "--scenario", text(&path)], 2);
    for part in [text(&path), "line 5", "`crush`", "`crash`", "`pause`"] {
        assert!(why.contains(part), "{part}: {why}");
    }
}

#[test]
fn what_failed_is_cut_saved_and_replayed_to_the_same_trace_or_told_to_differ() {
    let (dir, path) = file(HOPELESS);
    let small = dir.path().join("small.toml");
    let why = stderr(&["sim", "run", "--scenario", text(&path), "--save", text(&small)], 4);
    assert!(why.contains("quorate sim replay"), "{why}");
    let saved = fs::read_to_string(&small).expect("saved");
    assert!(!saved.contains("crash =") && saved.contains("ending = \"no-progress\""), "{saved}");
    let same = stderr(&["sim", "replay", text(&small)], 4);
    assert!(same.contains("the trace is the one recorded"), "{same}");
    // As if the code had changed since.
    let (before, trace) = saved.split_once("trace = \"").expect("it is recorded");
    fs::write(&small, format!("{before}trace = \"{}{}", if trace.starts_with('0') { '1' } else { '0' }, &trace[1..]))
        .expect("written");
    let differs = stderr(&["sim", "replay", text(&small)], 1);
    assert!(differs.contains("not the one recorded") && differs.contains("no-progress"), "{differs}");
}

#[test]
fn a_run_is_drawn_as_one_page() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let page = dir.path().join("run.html");
    let run = |trace: &[&str]| json(&[&["sim", "run", "--protocol", "pbft", "--seed", "7"][..], trace].concat(), 0);
    assert_eq!(run(&[])["trace"], run(&["--trace", text(&page)])["trace"], "drawing changes nothing");
    let page = fs::read_to_string(&page).expect("written");
    assert!(page.starts_with("<!doctype html>") && page.contains("pre_prepare") && !page.contains("http"));
}

#[test]
fn a_campaign_is_the_same_with_any_number_of_jobs() {
    let run = |jobs: &str, attacks: &str| {
        let arguments = ["sim", "campaign", "--no-save", "--seeds", "0..16", "--attacks", attacks, "--jobs", jobs];
        let report = json(&arguments, 0);
        ["traces", "events", "blocks"].map(|key| report[key].clone())
    };
    assert_eq!(run("1", "equivocate,late"), run("2", "equivocate,late"));
    assert_ne!(run("1", "equivocate,late"), run("1", "none"));
    assert!(stderr(&["sim", "campaign", "--attacks", "nap", "--seeds", "0..1"], 2).contains("`nap`"));
}
