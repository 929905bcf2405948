//! Merkle vectors made by others, in the folder that `QUORATE_VECTORS` names.

use crate::{History, verify_consistency};
use quorate_types::{BoundedVec, Digest, merkle};
use serde_json::Value;
use std::{env, fs, path::PathBuf};

fn folder() -> Option<PathBuf> {
    let folder = env::var_os("QUORATE_VECTORS").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("skipped: QUORATE_VECTORS does not name the folder of test vectors");
    }
    folder
}

fn json(path: &std::path::Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn digest(value: &Value) -> Digest {
    value.as_str().expect("hexadecimal").parse().expect("32 bytes")
}

fn digests(value: &Value) -> Vec<Digest> {
    value.as_array().expect("a list").iter().map(digest).collect()
}

fn number(value: &Value) -> usize {
    usize::try_from(value.as_u64().expect("a number")).expect("small")
}

#[test]
fn the_reference_tree_of_certificate_transparency() {
    let Some(folder) = folder() else { return };
    let vectors = json(&folder.join("rfc6962/reference_tree.json"));
    let ours = [
        merkle::empty_root(),
        merkle::leaf_hash(b""),
        merkle::leaf_hash(b"L123456"),
        Digest({
            use sha2::{Digest as _, Sha256};
            Sha256::digest([[1].as_slice(), b"N123", b"N456"].concat()).into()
        }),
    ];
    let hasher = vectors["hasher"].as_array().expect("a list");
    assert_eq!(hasher.len(), ours.len());
    for (case, ours) in hasher.iter().zip(ours) {
        assert_eq!(ours, digest(&case["value"]), "{}", case["desc"]);
    }

    let hex = |leaf: &Value| hex::decode(leaf.as_str().expect("hexadecimal")).expect("hexadecimal");
    let leaves: Vec<_> = vectors["leaves"].as_array().expect("a list").iter().map(hex).collect();
    let leaves: Vec<_> = leaves.iter().map(|leaf| merkle::leaf_hash(leaf)).collect();
    let roots = digests(&vectors["roots_by_size"]);
    assert_eq!(roots.len(), leaves.len() + 1);
    let mut history = History::default();
    for (size, root) in roots.iter().enumerate() {
        assert_eq!(merkle::root(&leaves[..size]), *root, "{size} leaves");
        assert_eq!(history.root(), *root, "{size} leaves, one by one");
        if size < leaves.len() {
            history.push_leaf(leaves[size]);
        }
    }

    for case in vectors["inclusion"].as_array().expect("a list") {
        let (index, size) = (number(&case["leaf_index"]), number(&case["tree_size"]));
        let path = merkle::prove(&leaves[..size], index).expect("inside");
        assert_eq!(path.siblings.to_vec(), digests(&case["path"]), "{index} of {size}");
        assert_eq!(path.root(leaves[index], index as u64, size as u64), Some(roots[size]));
    }
    for case in vectors["consistency"].as_array().expect("a list") {
        let (old, new) = (number(&case["size1"]), number(&case["size2"]));
        let proof = history.prove_consistency(old, new).expect("inside");
        assert_eq!(proof, digests(&case["proof"]), "{old} of {new}");
        assert!(verify_consistency((old, roots[old]), (new, roots[new]), &proof));
    }
}

/// Whether a path of other people's bytes proves what the case says.
fn holds(case: &Value) -> Option<bool> {
    let decode = |value: &Value| Some(Digest(base64(value.as_str()?)?.try_into().ok()?));
    let siblings = match &case["proof"] {
        Value::Null => Vec::new(),
        list => list.as_array()?.iter().map(decode).collect::<Option<Vec<_>>>()?,
    };
    let path = merkle::Path { siblings: BoundedVec::new(siblings).ok()? };
    let (root, leaf) = (decode(&case["root"])?, decode(&case["leafHash"])?);
    Some(path.root(leaf, case["leafIdx"].as_u64()?, case["treeSize"].as_u64()?)? == root)
}

fn base64(text: &str) -> Option<Vec<u8>> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut held, mut bytes) = (0u32, 0, Vec::new());
    for letter in text.trim_end_matches('=').bytes() {
        let value = ALPHABET.iter().position(|&known| known == letter)?;
        bits = bits << 6 | u32::try_from(value).ok()?;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    Some(bytes)
}

#[test]
fn inclusion_proofs_most_of_them_wrong_on_purpose() {
    let Some(folder) = folder() else { return };
    let (mut good, mut bad) = (0, 0);
    for group in fs::read_dir(folder.join("merkle/inclusion")).expect("the vectors") {
        for file in fs::read_dir(group.expect("readable").path()).expect("a folder") {
            let path = file.expect("readable").path();
            let case = json(&path);
            let is_wrong = case["wantErr"].as_bool().expect("stated");
            assert_eq!(holds(&case).unwrap_or(false), !is_wrong, "{}: {}", path.display(), case["desc"]);
            *(if is_wrong { &mut bad } else { &mut good }) += 1;
        }
    }
    assert!(good > 0 && bad > 50, "{good} good and {bad} bad ones");
}
