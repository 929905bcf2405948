//! BLS signatures and what they are made of.

use super::{Answer, Fields, holds};
use quorate_crypto::bls::{BlsSecret, G1, G2, Group, MinPk, MinSig, Point, Variant};
use serde_json::{Value, json};

/// Runs a generic function under the variant that the request names.
macro_rules! by_variant {
    ($fields:expr, $function:ident) => {
        match $fields.text("variant")? {
            MinSig::NAME => $function::<MinSig>($fields),
            MinPk::NAME => $function::<MinPk>($fields),
            other => Err(format!("no variant `{other}`")),
        }
    };
}
pub(super) use by_variant;

pub(super) fn point<G: Group>(bytes: &[u8]) -> Result<Point<G>, String> {
    Point::from_bytes(bytes).map_err(|error| error.to_string())
}

pub(super) fn points<G: Group>(fields: &Fields<'_>, name: &str) -> Result<Vec<Point<G>>, String> {
    fields.list_of_bytes(name)?.iter().map(|bytes| point(bytes)).collect()
}

pub(super) fn hexadecimal(bytes: impl AsRef<[u8]>) -> Value {
    hex::encode(bytes).into()
}

fn does_not_verify(is_good: bool) -> Answer {
    holds(is_good, "the signature does not verify")
}

pub(super) fn sign(fields: &Fields<'_>) -> Answer {
    by_variant!(fields, sign_in)
}

fn sign_in<V: Variant>(fields: &Fields<'_>) -> Answer {
    let secret = BlsSecret::<V>::from_bytes(&fields.array("secret")?).ok_or("the secret is zero or not below r")?;
    Ok(json!({ "signature": hexadecimal(secret.sign(&fields.bytes("message")?, fields.tag()?).to_bytes()) }))
}

pub(super) fn verify(fields: &Fields<'_>) -> Answer {
    by_variant!(fields, verify_in)
}

fn verify_in<V: Variant>(fields: &Fields<'_>) -> Answer {
    let key = point(&fields.bytes("public_key")?)?;
    let signature = point(&fields.bytes("signature")?)?;
    does_not_verify(V::verify(&key, &fields.bytes("message")?, fields.tag()?, &signature))
}

pub(super) fn decode(fields: &Fields<'_>) -> Answer {
    by_variant!(fields, decode_in)
}

/// The standard's reading of bytes as a point, to which the identity is one; `identity` tells. As a key, a signature or a
/// commitment it is refused: see the other operations.
fn decode_in<V: Variant>(fields: &Fields<'_>) -> Answer {
    fn element<G: Group>(bytes: &[u8]) -> Answer {
        let element = G::decode(bytes).map_err(|error| error.to_string())?;
        Ok(json!({ "identity": element.is_identity() }))
    }
    let bytes = fields.bytes("bytes")?;
    match fields.text("kind")? {
        "public_key" => element::<V::Public>(&bytes),
        "signature" => element::<V::Signature>(&bytes),
        other => Err(format!("no kind `{other}`")),
    }
}

pub(super) fn aggregate(fields: &Fields<'_>) -> Answer {
    by_variant!(fields, aggregate_in)
}

/// A sum of elements, among which the standard allows the identity. Of none there is no sum to speak of.
fn aggregate_in<V: Variant>(fields: &Fields<'_>) -> Answer {
    let bytes = fields.list_of_bytes("signatures")?;
    let elements: Result<Vec<_>, _> = bytes.iter().map(|bytes| V::Signature::decode(bytes)).collect();
    let elements = elements.map_err(|error| error.to_string())?;
    if elements.is_empty() {
        return Err("no signatures".into());
    }
    Ok(json!({ "signature": hexadecimal(V::Signature::sum(&elements).encode()) }))
}

pub(super) fn aggregate_verify(fields: &Fields<'_>) -> Answer {
    by_variant!(fields, aggregate_verify_in)
}

fn aggregate_verify_in<V: Variant>(fields: &Fields<'_>) -> Answer {
    let (keys, messages) = (points(fields, "public_keys")?, fields.list_of_bytes("messages")?);
    let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    let signature = point(&fields.bytes("signature")?)?;
    does_not_verify(V::verify_each(&keys, &messages, fields.tag()?, &signature))
}

pub(super) fn fast_aggregate_verify(fields: &Fields<'_>) -> Answer {
    by_variant!(fields, fast_aggregate_verify_in)
}

fn fast_aggregate_verify_in<V: Variant>(fields: &Fields<'_>) -> Answer {
    let keys = points(fields, "public_keys")?;
    let signature = point(&fields.bytes("signature")?)?;
    does_not_verify(V::verify_all(&keys, &fields.bytes("message")?, fields.tag()?, &signature))
}

pub(super) fn hash_to_curve(fields: &Fields<'_>) -> Answer {
    match fields.text("group")? {
        "g1" => hash_to::<G1>(fields),
        "g2" => hash_to::<G2>(fields),
        other => Err(format!("no group `{other}`")),
    }
}

/// The suite stands at the end of the standard's tags: `_NU_` is the non-uniform one, anything else the one with a random
/// oracle, which is the only one that signatures use.
fn hash_to<G: Group>(fields: &Fields<'_>) -> Answer {
    let (message, tag) = (fields.bytes("message")?, fields.tag()?);
    let point =
        if tag.ends_with(b"_NU_") { G::encode_to_curve(&message, tag) } else { G::hash_to_curve(&message, tag) };
    Ok(json!({ "point": hexadecimal(point.encode()), "uncompressed": hexadecimal(point.encode_uncompressed()) }))
}
