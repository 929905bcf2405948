//! Talking to a node's API, and trusting no more of its answers than they prove.

#[cfg(feature = "lab")]
mod events;
mod http;
mod light;
pub mod payload;

#[cfg(feature = "lab")]
pub use events::{Events, Told};
pub use http::{Api, Unanswered};
pub use light::{Light, StateClaim, Verified};
