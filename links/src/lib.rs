//! The link model: what a link between two replicas does to a message.
//!
//! A [`LinkSpec`] says how a link behaves; [`Lane::send`] says when a message handed to it arrives: never, once or twice.
//! Pure arithmetic on durations and a stream of random numbers that the caller draws, so that the simulator (virtual time,
//! one seed) and the network's shaping (real time) get the same links. No IO, no clock.

mod lane;
mod spec;

pub use lane::{Arrivals, Lane};
pub use spec::{BadSpec, LinkSpec};
