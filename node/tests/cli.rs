//! The command line from outside: exit codes, standard output and standard error.

use assert_cmd::Command;
use std::{
    io::Read,
    process::{Command as Process, Stdio},
};

fn quorate(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quorate"));
    command.args(arguments).env_remove("QUORATE_NODE").env_remove("RUST_LOG").env("NO_COLOR", "1");
    command
}

fn stderr(command: &mut Command) -> String {
    String::from_utf8_lossy(&command.output().expect("runs").stderr).into_owned()
}

#[test]
fn help_lists_the_exit_codes_and_is_data() {
    let output = quorate(&["--help"]).assert().code(0).get_output().clone();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("3    safety violation"), "{text}");
    assert!(output.stderr.is_empty());
}

#[test]
fn nonsense_is_a_usage_error_on_standard_error() {
    for arguments in [&["frobnicate"][..], &[], &["wait"], &["testnet", "--nodes", "0"], &["tx", "put", "a"]] {
        let output = quorate(arguments).assert().code(2).get_output().clone();
        assert!(output.stdout.is_empty(), "{arguments:?}");
        assert!(!output.stderr.is_empty(), "{arguments:?}");
    }
}

/// A validator whose genesis was replaced by one of the other protocol.
#[test]
fn a_home_that_was_made_for_another_protocol_is_refused_with_what_to_do() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let path = |name: &str| dir.path().join(name).to_str().expect("text").to_owned();
    let (home, entry) = (path("home"), path("entry.json"));
    let made = quorate(&["keygen", "--home", &home]).assert().code(0).get_output().stdout.clone();
    std::fs::write(&entry, made).expect("written");
    let run = |protocol: &str| {
        let file = path(&format!("{protocol}.json"));
        quorate(&["genesis", "new", "--chain", "c", "--validator", &entry, "--protocol", protocol, "--out", &file])
            .assert()
            .code(0);
        std::fs::copy(file, format!("{home}/config/genesis.json")).expect("copied");
        let ports = ["--listen", "127.0.0.1:0", "--api-listen", "127.0.0.1:0", "--until-stdin-closes"];
        quorate(&[&["node", "--home", &home][..], &ports].concat()).write_stdin("").output().expect("runs")
    };
    assert_eq!(run("pbft").status.code(), Some(0));
    let refused = run("hotstuff");
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{why}");
    for part in ["journal-0000000", "(pbft, ed25519)", "(hotstuff, ed25519)", "genesis.json", "quorate keygen"] {
        assert!(why.contains(part), "{part}: {why}");
    }
}

#[test]
fn shares_are_dealt_only_for_a_genesis_that_can_be_written() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let path = |name: &str| dir.path().join(name).to_str().expect("text").to_owned();
    let (entry, out, shares) = (path("entry.json"), path("genesis.json"), path("shares"));
    let made = quorate(&["keygen", "--home", &path("home")]).assert().code(0).get_output().stdout.clone();
    std::fs::write(&entry, made).expect("written");
    std::fs::write(&out, "mine").expect("written");
    let new = ["genesis", "new", "--chain", "c", "--validator", &entry, "--out", &out];
    let deal = || quorate(&[&new[..], &["--scheme", "bls-threshold", "--deal", &shares]].concat());
    deal().assert().code(5);
    assert!(stderr(&mut deal()).contains("another --out"));
    assert!(!dir.path().join("shares").exists());

    std::fs::remove_file(&out).expect("there");
    let mut multi = quorate(&[&new[..], &["--scheme", "bls-multi"]].concat());
    multi.assert().code(2);
    assert!(stderr(&mut multi).contains("quorate keygen --scheme bls-multi"));
    deal().assert().code(0);
    assert!(dir.path().join("shares/validator.pem").exists());
}

#[test]
fn every_command_has_help() {
    for command in
        ["testnet", "keygen", "genesis", "dkg", "node", "tx", "get", "status", "wait", "ledger", "completions"]
    {
        quorate(&[command, "--help"]).assert().code(0);
    }
}

#[test]
fn completions_come_for_every_shell_and_survive_a_reader_that_leaves() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = quorate(&["completions", shell]).assert().code(0).get_output().clone();
        assert!(String::from_utf8_lossy(&output.stdout).contains("quorate"), "{shell}");
    }
    let mut child = Process::new(env!("CARGO_BIN_EXE_quorate"))
        .args(["completions", "zsh"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("runs");
    // Closed before anything is read.
    drop(child.stdout.take());
    let mut complaint = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut complaint).expect("text");
    assert_eq!((child.wait().expect("ends").code(), complaint.as_str()), (Some(0), ""));
}

#[test]
fn a_node_that_is_not_there_is_an_environment_error_with_advice() {
    let mut command = quorate(&["status", "--node", "http://127.0.0.1:9"]);
    command.assert().code(5);
    let text = stderr(&mut command);
    assert!(text.contains("cannot reach the node at http://127.0.0.1:9") && text.contains("try:"), "{text}");
    quorate(&["get", "a", "--node", "http://127.0.0.1:9"]).assert().code(5);
    quorate(&["wait", "--height", "1", "--timeout", "300ms", "--node", "http://127.0.0.1:9"]).assert().code(4);
}

#[test]
fn a_directory_without_a_testnet_is_told_so() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let mut command = quorate(&["status", "--home", dir.path().to_str().expect("UTF-8")]);
    command.assert().code(5);
    assert!(stderr(&mut command).contains("no home of a testnet"));
    let mut command = quorate(&["get", "a", "--prove", "--node", "http://127.0.0.1:9", "--home", "/nowhere"]);
    command.assert().code(2);
    assert!(stderr(&mut command).contains("no genesis to verify against"));
}

#[test]
fn a_client_key_is_made_once_and_privately() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let path = dir.path().join("client.pem");
    let arguments = ["keygen", "--client", path.to_str().expect("UTF-8"), "--output", "json"];
    let output = quorate(&arguments).assert().code(0).get_output().clone();
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(json["account"].as_str().map(str::len), Some(64));
    quorate(&arguments).assert().code(5);
}

#[test]
fn a_testnet_does_not_fill_somebody_elses_directory() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let file = dir.path().join("thesis.txt");
    std::fs::write(&file, "x").expect("new file");
    for fresh in [&[][..], &["--fresh"]] {
        let mut command = quorate(&["testnet", "--home", dir.path().to_str().expect("UTF-8")]);
        command.args(fresh).assert().code(2);
        assert!(stderr(&mut command).contains("thesis.txt"));
    }
    assert!(file.exists());
}

#[cfg(feature = "lab")]
#[test]
fn twins_run_a_family_and_the_file_that_was_written_of_it() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let file = dir.path().join("twins.json").to_str().expect("text").to_owned();
    let twins = |arguments: &[&str], code: i32| {
        let all = [&["sim", "twins", "--output", "json", "--jobs", "2"], arguments].concat();
        let output = quorate(&all).assert().code(code).get_output().stdout.clone();
        serde_json::from_slice::<serde_json::Value>(&output).expect("one document")
    };
    assert_eq!(twins(&["--views", "2", "--write", &file], 0)["scenarios"], 510);
    for arguments in [&["--views", "2", "--exhaustive"][..], &["--file", &file]] {
        let report = twins(arguments, 0);
        let told = ["scenarios", "violations", "num_nodes", "num_twins", "partitions", "views"].map(|key| &report[key]);
        assert_eq!(told, [510, 0, 4, 1, 2, 2], "{report}");
    }
    let two_of_four = r#"{"num_nodes": 4, "num_twins": 2, "partitions": 2, "views": 2, "scenarios": [[
        {"leader": 1, "partitions": [["0a", "1a", "2"], ["0b", "1b", "3"]]},
        {"leader": 2, "partitions": [["0a", "0b", "1a", "1b", "2"], ["3"]]}]]}"#;
    std::fs::write(&file, two_of_four).expect("written");
    let diverged = twins(&["--file", &file, "--protocol", "pbft"], 3);
    assert_eq!((&diverged["ending"], &diverged["violations"]), (&"diverged".into(), &1.into()));
    let breaches = diverged["findings"][0]["breaches"].to_string();
    assert!(breaches.contains("processes 2 and 3 commit different blocks at height 1"), "{breaches}");
}
