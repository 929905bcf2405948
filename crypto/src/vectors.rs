//! ed25519 vectors made by others, in the folder that `QUORATE_VECTORS` names.

use crate::{VoteKey, VoteSecret};
use ed25519_dalek::Signer;
use serde_json::Value;
use std::{env, fs};

fn json(file: &str) -> Option<Value> {
    let Some(folder) = env::var_os("QUORATE_VECTORS") else {
        eprintln!("skipped: QUORATE_VECTORS does not name the folder of test vectors");
        return None;
    };
    let path = std::path::Path::new(&folder).join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Some(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().expect("hexadecimal")).expect("hexadecimal")
}

/// What every path answers: a signature of another length does not decode, and the check behind all of them is one.
fn accepts(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let (Ok(key), Ok(signature)) = (key.try_into(), signature.try_into()) else { return false };
    VoteKey(key).has_signed(message, signature)
}

#[test]
fn rfc_8032_signs_and_verifies() {
    let Some(vectors) = json("rfc8032/ed25519.json") else { return };
    let tests = vectors["tests"].as_array().expect("a list");
    assert_eq!(tests.len(), 5);
    for test in tests {
        let (key, message, signature) = (bytes(&test["pk"]), bytes(&test["msg"]), bytes(&test["sig"]));
        let seed: [u8; 32] = bytes(&test["sk"]).try_into().expect("32 bytes");
        let secret = VoteSecret::from_seed(seed);
        assert_eq!(secret.public().0[..], key, "{}", test["name"]);
        assert_eq!(secret.0.sign(&message).to_bytes()[..], signature, "{}", test["name"]);
        assert!(accepts(&key, &message, &signature), "{}", test["name"]);
        assert!(!accepts(&key, &[message.as_slice(), b"x"].concat(), &signature), "{}", test["name"]);
    }
}

#[test]
fn wycheproof_is_answered_as_stated() {
    let Some(vectors) = json("wycheproof/ed25519_test.json") else { return };
    let mut count = 0;
    for group in vectors["testGroups"].as_array().expect("a list") {
        let key = bytes(&group["publicKey"]["pk"]);
        for test in group["tests"].as_array().expect("a list") {
            let is_valid = accepts(&key, &bytes(&test["msg"]), &bytes(&test["sig"]));
            assert_eq!(is_valid, test["result"] == "valid", "case {}: {}", test["tcId"], test["comment"]);
            count += 1;
        }
    }
    assert_eq!(count, 151);
}
