//! Loads and decisions on real testnets, few and short. How fast they are is asserted nowhere.
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
fn decisions_of_real_validators_are_counted_beside_the_formula() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let (home, out) = (dir.path().join("net"), dir.path().join("out"));
    let which = ["complexity", "--backend=testnet", "--protocols=pbft", "--schemes=ed25519", "--n=4", "--decisions=6"];
    let output = bench(&[&which[..], &["--home", text(&home), "--out", text(&out), "--output=json"]].concat());
    let said = [&output.stderr, &output.stdout].map(|bytes| String::from_utf8_lossy(bytes));
    assert_eq!(output.status.code(), Some(0), "{said:?}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let [row] = &report["rows"].as_array().expect("rows")[..] else { panic!("one row: {report}") };
    assert_eq!((&row["backend"], &row["n"], &row["decisions"]), (&"testnet".into(), &4.into(), &6.into()), "{row}");
    // 2n(n-1) messages and (n-1)(2n+1) authenticators a block. Whoever lags skips votes that nobody needs.
    let theory = &row["theory"];
    assert_eq!((&theory["messages"], &theory["authenticators"]), (&(6 * 24).into(), &(6 * 27).into()), "{row}");
    let stretches = &row["real"]["stretches"];
    assert_eq!((&stretches["of"], &stretches["above"]), (&6.into(), &0.into()), "{row}");
    assert!(stretches["exact"].as_u64().is_some_and(|exact| exact > 0), "{row}");
    let ordering = |what: &str| row["ordering"][what].as_u64().expect("a count");
    assert!(ordering("messages") > 0 && ordering("signatures_made") > 0 && ordering("flushes") > 0, "{row}");
    let ours = ordering("bytes") + row["dissemination"]["bytes"].as_u64().expect("a count");
    assert!(row["real"]["libp2p_bytes"].as_u64().is_some_and(|bytes| bytes > ours), "{ours} bytes are ours: {row}");
    assert_eq!((&row["failed_views"], &row["latency_delays"]), (&0.into(), &Value::Null), "{row}");
    let kinds = row["kinds"].as_array().expect("lines").iter();
    let proposals: Vec<_> = kinds.filter(|line| line["kind"] == "pre_prepare").collect();
    assert!(proposals.len() == 1 && proposals[0]["messages"] == 18 && proposals[0]["role"] == "leader", "{row}");
    assert!(!home.exists(), "a testnet that was measured is removed");
    assert_eq!(read(&out.join("report.json"))["rows"][0], *row);
}

#[test]
fn what_only_the_simulator_can_count_is_refused_on_testnets_with_the_way_out() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let home = dir.path().join("net");
    let refused = |arguments: &[&str]| {
        let output = bench(&[&["complexity", "--home", text(&home)], arguments].concat());
        assert!(output.status.code() == Some(2) && !home.exists(), "{arguments:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let cases = [
        (&["--faults=silent-leader"][..], "the fault silent-leader", "--faults none,f-silent"),
        (&["--n=4,100"], "a testnet has 99 at most", "--backend sim"),
        (&["--seed=7"], "--seed decides nothing", "--backend sim"),
    ];
    for (arguments, what, hint) in cases {
        let why = refused(&[&["--backend=testnet"], arguments].concat());
        assert!(why.contains(what) && why.contains(hint), "{why}");
    }
    let why = refused(&["--n=4"]);
    assert!(why.contains("the simulator has none") && why.contains("--backend testnet"), "{why}");
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
