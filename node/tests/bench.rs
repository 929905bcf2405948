//! Loads on real testnets, few and short. How fast they are is asserted nowhere.
#![cfg(feature = "lab")]

mod common;

use serde_json::Value;
use std::{
    path::Path,
    process::{Command, Output},
};

fn bench(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quorate"));
    command.arg("bench").args(arguments).env_remove("RUST_LOG").output().expect("runs")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).expect("written")).expect("JSON")
}

/// A machine that is too slow for the client refuses the result, and nothing else may.
fn check(output: &Output, reports: &[&Value]) {
    for report in reports {
        let run = &report["run"];
        assert_eq!((&run["ledgers"]["verdict"], &run["lost"]), (&"agree".into(), &0.into()), "{run}");
        assert!(run["committed"].as_u64().is_some_and(|committed| committed > 0), "{run}");
        let refusals = report["refusals"].as_array().expect("a list");
        assert!(
            refusals.iter().all(|why| why.as_str().is_some_and(|why| why.contains("the client was"))),
            "{refusals:?}"
        );
    }
    let is_refused = reports.iter().any(|report| report["refusals"] != Value::Array(Vec::new()));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(i32::from(is_refused)), "{stderr}");
}

#[test]
fn a_load_counts_exactly_what_was_due_and_leaves_nothing_behind_but_its_files() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let (home, out) = (dir.path().join("net"), dir.path().join("out"));
    let output = bench(&[
        "load",
        "--rate=50",
        "--warm-up=1s",
        "--duration=2s",
        "--payload=64",
        "--home",
        text(&home),
        "--out",
        text(&out),
    ]);
    let report = read(&out.join("load.json"));
    check(&output, &[&report]);
    let run = &report["run"];
    assert_eq!((&run["due"], &run["accepted"], &run["committed"]), (&100.into(), &100.into(), &100.into()), "{run}");
    assert_eq!(run["end_to_end"]["count"], 100, "{run}");
    assert_eq!(run["nodes"].as_array().map(Vec::len), Some(4));
    assert!(run["nodes"][0]["cpu_seconds"].is_f64() && run["nodes"][0]["rss_bytes"].is_u64(), "{run}");
    assert!(!home.exists(), "a testnet whose ledgers agree is removed");
    assert!(out.join("load.md").exists() && out.join("load.csv").exists());

    let first = out.join("load.json");
    let same = bench(&["compare", text(&first), text(&first), "--output", "json"]);
    let same: Value = serde_json::from_slice(&same.stdout).expect("JSON");
    let committed = same["pairs"].as_array().and_then(|pairs| pairs.iter().find(|pair| pair["name"] == "committed"));
    assert_eq!(committed.map(|pair| &pair["ratio"]), Some(&1.0.into()), "{same}");
    let other = dir.path().join("other.json");
    std::fs::write(
        &other,
        std::fs::read_to_string(&first).expect("read").replace("\"version\": 1,", "\"version\": 2,"),
    )
    .expect("written");
    let refused = bench(&["compare", text(&first), text(&other)]);
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(1) && why.contains("other.json has version 2"), "{why}");
}

#[test]
fn both_protocols_run_in_turn_under_the_same_signed_load() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let (home, out) = (dir.path().join("net"), dir.path().join("out"));
    let paths = ["--home", text(&home), "--out", text(&out)];
    let short = ["run", "--repeat=1", "--rate=20", "--warm-up=500ms", "--duration=1s", "--app=kv", "--accounts=8"];
    let output = bench(&[&short[..], &paths].concat());
    let series = read(&out.join("run.json"));
    let loads: Vec<_> = series["loads"].as_array().expect("loads").iter().collect();
    check(&output, &loads);
    let settings =
        loads.iter().map(|load| (load["setting"]["protocol"].clone(), load["setting"]["client_signatures"].clone()));
    assert_eq!(settings.collect::<Vec<_>>(), [("pbft".into(), true.into()), ("hotstuff".into(), true.into())]);
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_made() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let home = dir.path().join("net");
    let refused = bench(&["load", "--app=kv", "--client-signatures=off", "--home", text(&home)]);
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(2) && why.contains("must sign") && !home.exists(), "{why}");
    let unreachable = bench(&["load", "--connect=http://127.0.0.1:9"]);
    assert_eq!(unreachable.status.code(), Some(5));
}
