//! Merkle trees: batches and payloads (`quorate-types`), and the history of the chain (`quorate-ledger`).

use super::{Answer, Fields, holds};
use quorate_ledger::verify_consistency;
use quorate_types::{BoundedVec, Digest, merkle};
use serde_json::json;

fn digest(bytes: &[u8]) -> Result<Digest, String> {
    bytes.try_into().map(Digest).map_err(|_| format!("a digest of {} bytes", bytes.len()))
}

fn path(fields: &Fields<'_>) -> Result<Vec<Digest>, String> {
    fields.list_of_bytes("proof")?.iter().map(|bytes| digest(bytes)).collect()
}

/// Leaves are the items themselves; the tree hashes them.
pub(super) fn root(fields: &Fields<'_>) -> Answer {
    let leaves: Vec<_> = fields.list_of_bytes("leaves")?.iter().map(|item| merkle::leaf_hash(item)).collect();
    Ok(json!({ "root": merkle::root(&leaves).to_string() }))
}

pub(super) fn inclusion(fields: &Fields<'_>) -> Answer {
    let leaf = digest(&fields.bytes("leaf_hash")?)?;
    let siblings = BoundedVec::new(path(fields)?).map_err(|error| error.to_string())?;
    let root = merkle::Path { siblings }.root(leaf, fields.number("index")?, fields.number("size")?);
    holds(root == Some(digest(&fields.bytes("root")?)?), "the path does not lead to the root")
}

pub(super) fn consistency(fields: &Fields<'_>) -> Answer {
    let old = (fields.size("size1")?, digest(&fields.bytes("root1")?)?);
    let new = (fields.size("size2")?, digest(&fields.bytes("root2")?)?);
    holds(verify_consistency(old, new, &path(fields)?), "the proof does not connect the roots")
}
