//! Payloads of the `kv` application.

use crate::exit::Failure;
use quorate_ledger::KvOp;
use quorate_types::{Account, encode};

/// Sets a key.
pub fn put(key: &[u8], value: &[u8]) -> Result<Vec<u8>, Failure> {
    Ok(encode(&KvOp::Put { key: bounded("the key", key)?, value: bounded("the value", value)? }))
}

/// Deletes a key.
pub fn delete(key: &[u8]) -> Result<Vec<u8>, Failure> {
    Ok(encode(&KvOp::Delete { key: bounded("the key", key)? }))
}

/// Sets or deletes a key that has the expected value, or none.
pub fn compare_and_swap(key: &[u8], expected: Option<Vec<u8>>, new: Option<Vec<u8>>) -> Result<Vec<u8>, Failure> {
    let value = |bytes: Option<Vec<u8>>| bytes.map(|bytes| bounded("a value", &bytes)).transpose();
    Ok(encode(&KvOp::CompareAndSwap { key: bounded("the key", key)?, expected: value(expected)?, new: value(new)? }))
}

/// Sends balance.
pub fn transfer(to: Account, amount: u64) -> Vec<u8> {
    encode(&KvOp::Transfer { to, amount })
}

fn bounded<const MAX: usize>(what: &str, bytes: &[u8]) -> Result<quorate_types::BoundedVec<u8, MAX>, Failure> {
    quorate_types::BoundedVec::new(bytes.to_vec())
        .map_err(|_| Failure::usage(format!("{what} has {} bytes; at most {MAX} are allowed", bytes.len())))
}
