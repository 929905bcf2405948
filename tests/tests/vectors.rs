//! Vectors made by others, in the folder that `QUORATE_VECTORS` names, answered by the conformance program.

#[path = "vectors/bls.rs"]
mod bls;
#[path = "vectors/formats.rs"]
mod formats;
#[path = "vectors/program.rs"]
mod program;

use program::Program;
use serde_json::{Value, json};
use std::{fs, path::PathBuf};

/// The folder, or a printed line that says that there is none.
fn folder(name: &str) -> Option<PathBuf> {
    let Some(root) = std::env::var_os("QUORATE_VECTORS") else {
        eprintln!("skipped: QUORATE_VECTORS does not name the folder of test vectors");
        return None;
    };
    Some(PathBuf::from(root).join(name))
}

fn read(path: &PathBuf) -> Value {
    let text = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All files of a folder in the order of their names.
fn files(folder: &PathBuf) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("readable folder").path()).collect();
    paths.sort();
    paths
}

fn items(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn without_0x(value: &Value) -> Value {
    value.as_str().map_or(Value::Null, |text| text.trim_start_matches("0x").into())
}

fn all_without_0x(value: &Value) -> Value {
    items(value).iter().map(without_0x).collect()
}

#[test]
fn rfc_8032_verifies() {
    let Some(folder) = folder("rfc8032") else { return };
    let mut program = Program::start();
    for test in items(&read(&folder.join("ed25519.json"))["tests"]) {
        let request = |message: Value| json!({ "op": "ed25519_verify", "public_key": test["pk"], "message": message, "signature": test["sig"] });
        assert_eq!(program.ask(&request(test["msg"].clone()))["ok"], true, "{}", test["name"]);
        let longer = format!("{}00", test["msg"].as_str().expect("hexadecimal"));
        assert_eq!(program.ask(&request(longer.into()))["ok"], false, "{}", test["name"]);
    }
    assert_eq!(program.answered(), 10);
}

#[test]
fn wycheproof_is_answered_as_stated() {
    let Some(folder) = folder("wycheproof") else { return };
    let mut program = Program::start();
    for group in items(&read(&folder.join("ed25519_test.json"))["testGroups"]) {
        for test in items(&group["tests"]) {
            let answer = program.ask(&json!({
                "op": "ed25519_verify",
                "public_key": group["publicKey"]["pk"],
                "message": test["msg"],
                "signature": test["sig"],
            }));
            assert_eq!(answer["ok"], test["result"] == "valid", "case {}: {}", test["tcId"], test["comment"]);
        }
    }
    assert_eq!(program.answered(), 151);
}
