//! Merkle trees and JSON.

use crate::{files, folder, items, program::Program, read};
use serde_json::{Value, json};
use std::fs;

#[test]
fn rfc_6962_reference_tree() {
    let Some(folder) = folder("rfc6962") else { return };
    let tree = read(&folder.join("reference_tree.json"));
    let (leaves, roots) = (items(&tree["leaves"]), items(&tree["roots_by_size"]));
    let mut program = Program::start();
    let root = |program: &mut Program, leaves: &[Value]| {
        program.ask(&json!({ "op": "merkle_root", "leaves": leaves }))["root"].clone()
    };
    for (size, expected) in roots.iter().enumerate() {
        assert_eq!(root(&mut program, &leaves[..size]), *expected, "size {size}");
    }
    for case in items(&tree["inclusion"]) {
        let index = case["leaf_index"].as_u64().expect("a number") as usize;
        let size = case["tree_size"].as_u64().expect("a number") as usize;
        let request = json!({
            "op": "merkle_inclusion", "leaf_hash": root(&mut program, &leaves[index..=index]), "index": index, "size": size,
            "proof": case["path"], "root": roots[size],
        });
        assert_eq!(program.ask(&request)["ok"], true, "{case}");
        assert_eq!(program.ask(&json!({ "root": roots[size - 1], "op": "merkle_inclusion" }))["ok"], false);
    }
    for case in items(&tree["consistency"]) {
        let size = |name: &str| case[name].as_u64().expect("a number") as usize;
        let request = |size1: usize, size2: usize| {
            json!({
                "op": "merkle_consistency", "size1": size1, "size2": size2, "root1": roots[size1], "root2": roots[size2],
                "proof": case["proof"],
            })
        };
        assert_eq!(program.ask(&request(size("size1"), size("size2")))["ok"], true, "{case}");
        assert_eq!(program.ask(&request(0, size("size2")))["ok"], false, "nothing precedes everything");
    }
}

fn hexadecimal(base64: &Value) -> Value {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut bits, mut have) = (Vec::new(), 0u32, 0);
    for character in base64.as_str().unwrap_or_default().bytes().filter(|byte| *byte != b'=') {
        let value = ALPHABET.iter().position(|known| *known == character).expect("base64");
        bits = bits << 6 | value as u32;
        have += 6;
        if have >= 8 {
            have -= 8;
            bytes.push((bits >> have) as u8);
        }
    }
    hex::encode(bytes).into()
}

#[test]
fn inclusion_proofs_wrong_on_purpose_are_refused() {
    let Some(folder) = folder("merkle/inclusion") else { return };
    let mut program = Program::start();
    let cases = files(&folder).into_iter().flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] });
    for file in cases {
        let case = read(&file);
        let proof = case["proof"].as_array().map(|path| path.iter().map(hexadecimal).collect::<Vec<_>>());
        let answer = program.ask(&json!({
            "op": "merkle_inclusion", "leaf_hash": hexadecimal(&case["leafHash"]), "index": case["leafIdx"],
            "size": case["treeSize"], "proof": proof.unwrap_or_default(), "root": hexadecimal(&case["root"]),
        }));
        assert_eq!(answer["ok"], case["wantErr"] == false, "{}: {answer}", file.display());
    }
    assert!(program.answered() > 50, "only {}", program.answered());
}

#[test]
fn json_is_parsed_as_named() {
    let Some(folder) = folder("json") else { return };
    let mut program = Program::start();
    for file in files(&folder) {
        let name = file.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        let bytes = hex::encode(fs::read(&file).expect("readable file"));
        let answer = program.ask(&json!({ "op": "json_decode", "bytes": bytes }));
        match name.get(..2) {
            Some("y_") => assert_eq!(answer["ok"], true, "{name}: {answer}"),
            Some("n_") => assert_eq!(answer["ok"], false, "{name}"),
            _ => {}
        }
    }
    assert!(program.answered() > 150, "only {}", program.answered());
}
