//! Talking to a node's API, and trusting no more of its answers than they prove.

mod http;
mod light;
pub mod payload;

pub use http::{Api, Unanswered};
pub use light::{Light, StateClaim, Verified};

/// The state key under which the `kv` application keeps a user's key.
pub fn user_key(key: &[u8]) -> Vec<u8> {
    [b"k/", key].concat()
}
