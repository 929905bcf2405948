//! BLS: RFC 9380, Ethereum, commonware, drand, and threshold signatures.

use crate::{all_without_0x, files, folder, items, program::Program, read, without_0x};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fs;

const ETHEREUM_TAG: &str = "BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";

/// The coordinates of an uncompressed point as the vectors write them: of G2 the real part first, where the encoding has it
/// last.
fn coordinates(uncompressed: &str) -> (String, String) {
    let (x, y) = uncompressed.split_at(uncompressed.len() / 2);
    let part = |coordinate: &str| match coordinate.len() {
        96 => format!("0x{coordinate}"),
        _ => format!("0x{},0x{}", &coordinate[96..], &coordinate[..96]),
    };
    (part(x), part(y))
}

fn check_point(answer: &Value, expected: &Value) {
    let (x, y) = coordinates(answer["uncompressed"].as_str().expect("a point"));
    assert_eq!((x.as_str(), y.as_str()), (expected["x"].as_str().expect("x"), expected["y"].as_str().expect("y")));
    let compressed = hex::decode(answer["point"].as_str().expect("a point")).expect("hexadecimal");
    let uncompressed = hex::decode(answer["uncompressed"].as_str().expect("a point")).expect("hexadecimal");
    assert_eq!((compressed[0] & 0x1f, &compressed[1..]), (uncompressed[0], &uncompressed[1..uncompressed.len() / 2]));
}

#[test]
fn rfc_9380_points_are_equal() {
    let Some(folder) = folder("rfc9380") else { return };
    let mut program = Program::start();
    for (file, group) in [("G1", "g1"), ("G2", "g2")].iter().flat_map(|(name, group)| {
        ["NU", "RO"].map(|suite| (format!("BLS12381{name}_XMD_SHA-256_SSWU_{suite}_.json"), *group))
    }) {
        let suite = read(&folder.join(&file));
        for vector in items(&suite["vectors"]) {
            let message = hex::encode(vector["msg"].as_str().expect("text"));
            let request = json!({ "op": "hash_to_curve", "group": group, "dst": suite["dst"], "message": message });
            check_point(&program.ask(&request), &vector["P"]);
        }
    }
    assert_eq!(program.answered(), 20);
}

/// The request of one of Ethereum's cases, and the member of the answer that holds the output, if it is bytes.
fn ethereum_request(kind: &str, input: &Value) -> (Value, Option<&'static str>) {
    let base = |op: &str| json!({ "op": op, "variant": "min_pk", "dst": ETHEREUM_TAG });
    let with = |op: &str, fields: Value| {
        let mut request = base(op);
        request.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
        request
    };
    let (message, signature) = (without_0x(&input["message"]), without_0x(&input["signature"]));
    match kind {
        "sign" => (
            with("bls_sign", json!({ "secret": without_0x(&input["privkey"]), "message": message })),
            Some("signature"),
        ),
        "verify" => {
            let key = without_0x(&input["pubkey"]);
            (with("bls_verify", json!({ "public_key": key, "message": message, "signature": signature })), None)
        }
        "aggregate" => (with("bls_aggregate", json!({ "signatures": all_without_0x(input) })), Some("signature")),
        "aggregate_verify" => {
            let (keys, messages) = (all_without_0x(&input["pubkeys"]), all_without_0x(&input["messages"]));
            (
                with(
                    "bls_aggregate_verify",
                    json!({ "public_keys": keys, "messages": messages, "signature": signature }),
                ),
                None,
            )
        }
        "fast_aggregate_verify" => {
            let keys = all_without_0x(&input["pubkeys"]);
            (
                with(
                    "bls_fast_aggregate_verify",
                    json!({ "public_keys": keys, "message": message, "signature": signature }),
                ),
                None,
            )
        }
        "deserialization_G1" => {
            (with("bls_decode", json!({ "kind": "public_key", "bytes": without_0x(&input["pubkey"]) })), None)
        }
        "deserialization_G2" => (with("bls_decode", json!({ "kind": "signature", "bytes": signature })), None),
        other => panic!("a kind of vectors that nobody reads: {other}"),
    }
}

/// Ethereum's batches are verified signature by signature: we have no batches.
fn check_batch(program: &mut Program, input: &Value, output: &Value) {
    let (keys, messages) = (items(&input["pubkeys"]), items(&input["messages"]));
    let each = keys.iter().zip(messages).zip(items(&input["signatures"])).map(|((key, message), signature)| {
        let input = json!({ "pubkey": key, "message": message, "signature": signature });
        program.ask(&ethereum_request("verify", &input).0)["ok"] == true
    });
    let results: Vec<_> = each.collect();
    assert_eq!(results.iter().all(|ok| *ok), *output == true);
}

fn check_hash(program: &mut Program, input: &Value, output: &Value) {
    let message = hex::encode(input["msg"].as_str().expect("text"));
    let tag = "QUUX-V01-CS02-with-BLS12381G2_XMD:SHA-256_SSWU_RO_";
    check_point(&program.ask(&json!({ "op": "hash_to_curve", "group": "g2", "dst": tag, "message": message })), output);
}

#[test]
fn ethereum_is_answered_as_stated() {
    let Some(folder) = folder("ethereum-bls") else { return };
    let mut program = Program::start();
    let mut cases = 0;
    for kind in files(&folder) {
        let name = kind.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        for file in files(&kind) {
            let case = read(&file);
            let (input, output) = (&case["input"], &case["output"]);
            cases += 1;
            match name.as_str() {
                "batch_verify" => check_batch(&mut program, input, output),
                "hash_to_G2" => check_hash(&mut program, input, output),
                _ => {
                    let (request, member) = ethereum_request(&name, input);
                    let answer = program.ask(&request);
                    match member {
                        Some(_) if output.is_null() => assert_eq!(answer["ok"], false, "{}", file.display()),
                        Some(member) => assert_eq!(answer[member], without_0x(output), "{}", file.display()),
                        None => assert_eq!(answer["ok"], *output, "{}: {answer}", file.display()),
                    }
                }
            }
        }
    }
    assert_eq!(cases, 104);
}

#[test]
fn commonware_signatures_are_reproduced() {
    let Some(folder) = folder("commonware-bls") else { return };
    let text = fs::read_to_string(folder.join("min_pk.txt")).expect("readable file");
    let mut program = Program::start();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let [secret, message, signature] = line.split(':').collect::<Vec<_>>()[..] else {
            panic!("three parts: {line}")
        };
        let answer = program.ask(&json!({
            "op": "bls_sign",
            "variant": "min_pk",
            "dst": "BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_NUL_",
            "secret": secret,
            "message": message,
        }));
        assert_eq!(answer["signature"], signature, "{answer}");
    }
    assert_eq!(program.answered(), 263);
}

#[test]
fn drand_beacons_verify() {
    let Some(folder) = folder("drand") else { return };
    let mut program = Program::start();
    for chain in items(&read(&folder.join("beacons.json"))["chains"]) {
        for beacon in items(&chain["beacons"]) {
            let mut hasher = Sha256::new();
            if let Some(previous) = beacon["previous_signature"].as_str() {
                hasher.update(hex::decode(previous).expect("hexadecimal"));
            }
            hasher.update(beacon["round"].as_u64().expect("a number").to_be_bytes());
            let variant = chain["variant"].as_str().and_then(|text| text.split(' ').next());
            let mut request = json!({
                "op": "bls_verify",
                "variant": variant,
                "dst": chain["dst"],
                "public_key": chain["public_key"],
                "message": hex::encode(hasher.finalize()),
                "signature": beacon["signature"],
            });
            assert_eq!(program.ask(&request)["ok"], true, "{} {}", chain["id"], beacon["round"]);
            request["message"] = hex::encode([0; 32]).into();
            assert_eq!(program.ask(&request)["ok"], false);
        }
    }
    assert!(program.answered() > 2);
}

/// Some subsets of `t`, and all that the vectors name.
fn subsets(case: &Value) -> Vec<Vec<usize>> {
    let index = |value: &Value| value.as_u64().expect("an index") as usize;
    items(&case["subsets_checked"]).iter().map(|set| items(set).iter().map(index).collect()).collect()
}

#[test]
fn threshold_shares_sign_as_stated() {
    let Some(folder) = folder("threshold-bls") else { return };
    let mut program = Program::start();
    for case in items(&read(&folder.join("vectors.json"))["cases"]) {
        let ask = |program: &mut Program, op: &str, fields: Value| {
            let mut request = json!({
                "op": op, "variant": case["variant"], "dst": case["dst"], "threshold": case["threshold"], "n": case["n"],
            });
            request.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
            program.ask(&request)
        };
        let shares = items(&case["shares"]);
        for share in shares {
            let signed =
                ask(&mut program, "bls_sign", json!({ "secret": share["secret_share"], "message": case["message"] }));
            assert_eq!(signed["signature"], share["partial_signature"]);
            for index in 0..=shares.len() as u64 + 1 {
                let partial = json!({
                    "commitments": case["feldman_commitments"], "index": index, "message": case["message"],
                    "signature": share["partial_signature"],
                });
                let answer = ask(&mut program, "threshold_partial_verify", partial);
                assert_eq!(answer["ok"], share["index"] == index, "share {} under {index}", share["index"]);
            }
        }
        let partial = |index: &usize| json!({ "index": index, "signature": shares[index - 1]["partial_signature"] });
        let combine = |program: &mut Program, set: &[usize]| {
            ask(program, "threshold_combine", json!({ "partials": set.iter().map(partial).collect::<Vec<_>>() }))
        };
        for set in subsets(case) {
            assert_eq!(combine(&mut program, &set)["signature"], case["group_signature"], "{set:?}");
            assert_eq!(combine(&mut program, &set[1..])["ok"], false, "too few");
            assert_eq!(combine(&mut program, &[&set[..], &set[..1]].concat())["ok"], false, "one twice");
        }
        let fields = json!({ "public_key": case["group_public_key"], "message": case["message"], "signature": case["group_signature"] });
        assert_eq!(ask(&mut program, "bls_verify", fields)["ok"], true);
        assert_eq!(case["group_public_key"], case["feldman_commitments"][0]);
    }
}
