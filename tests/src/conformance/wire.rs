//! Messages between replicas, as `quorate-validator` reads them. A kind is `protocol/scheme/name`; messages about batches
//! and faults are the same under all of them.

use super::{Answer, Fields, holds};
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_consensus::{Kind, hotstuff, pbft};
use quorate_crypto::{
    Ed25519List, Scheme,
    bls::{BlsMulti, BlsThreshold, MinSig},
};
use quorate_types::encode;
use quorate_validator::Wire;
use serde_json::json;

const HOTSTUFF: [&str; 7] = ["proposal", "vote", "timeout", "certificates", "ask_certificates", "ask_block", "blocks"];

const PBFT: [&str; 10] = [
    "pre_prepare",
    "prepare",
    "commit",
    "checkpoint",
    "view_change",
    "new_view",
    "ask_certificates",
    "certificates",
    "ask_block",
    "blocks",
];

const COMMON: [&str; 5] = ["batch", "offer", "ask_batch", "evidence", "evidence_known"];

const SCHEMES: [&str; 3] = [Ed25519List::NAME, BlsMulti::<MinSig>::NAME, BlsThreshold::<MinSig>::NAME];

pub(super) fn kinds() -> Answer {
    let mut kinds = Vec::new();
    for (protocol, names) in [("hotstuff", &HOTSTUFF[..]), ("pbft", &PBFT[..])] {
        for scheme in SCHEMES {
            kinds.extend(names.iter().chain(&COMMON).map(|name| format!("{protocol}/{scheme}/{name}")));
        }
    }
    Ok(json!({ "kinds": kinds }))
}

pub(super) fn decode(fields: &Fields<'_>) -> Answer {
    let (kind, bytes) = (fields.text("kind")?, fields.bytes("bytes")?);
    let mut parts = kind.splitn(3, '/');
    let (Some(protocol), Some(scheme), Some(name)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(format!("no kind `{kind}`: see wire_kinds"));
    };
    match scheme {
        Ed25519List::NAME => decode_under::<Ed25519List>(protocol, name, &bytes),
        "bls-multi" => decode_under::<BlsMulti<MinSig>>(protocol, name, &bytes),
        "bls-threshold" => decode_under::<BlsThreshold<MinSig>>(protocol, name, &bytes),
        other => Err(format!("no scheme `{other}`")),
    }
}

fn decode_under<S: Scheme>(protocol: &str, name: &str, bytes: &[u8]) -> Answer {
    let is_known = |names: &[&str]| names.contains(&name) || COMMON.contains(&name);
    match protocol {
        "hotstuff" if is_known(&HOTSTUFF) => decode_as::<hotstuff::Message<S>>(name, bytes),
        "pbft" if is_known(&PBFT) => decode_as::<pbft::Message<S>>(name, bytes),
        _ => Err(format!("{protocol} has no kind `{name}`: see wire_kinds")),
    }
}

fn decode_as<M: BorshSerialize + BorshDeserialize + Kind>(name: &str, bytes: &[u8]) -> Answer {
    let wire = quorate_types::decode::<Wire<M>>(bytes).map_err(|error| error.to_string())?;
    holds(wire.kind() == name, "the bytes are a message of another kind")?;
    holds(encode(&wire) == bytes, "the bytes are not the encoding of what they decode to")
}
