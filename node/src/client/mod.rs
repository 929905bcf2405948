//! Talking to a node's API, and trusting no more of its answers than they prove.

mod http;

pub use http::{Api, Unanswered};

/// The state key under which the `kv` application keeps a user's key.
pub fn user_key(key: &[u8]) -> Vec<u8> {
    [b"k/", key].concat()
}
