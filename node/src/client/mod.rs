//! Talking to a node's API, and trusting no more of its answers than they prove.

mod http;
mod light;
pub mod payload;

pub use http::{Api, Unanswered};
pub use light::{Light, StateClaim, Verified};
