//! Replicas that lie.
//!
//! [`Byzantine`] is an honest replica whose messages pass through the hands of an [`Attack`] before they leave. It *is* a
//! [`Protocol`](quorate_consensus::Protocol), so whatever runs replicas runs it unchanged; without an attack it is what it wraps.
//! An attack is a small file that says in one sentence what it tries to break. [`Attacks::attacks`] lists those that a protocol
//! knows, by name: `general` works on any, the others know the messages of theirs.
//!
//! An attacker has its own key, without the rules that bind it ([`Hands`]), and whatever it was sent. It has nobody else's key.

mod attack;
mod byzantine;
mod general;
mod hands;
mod hotstuff;
mod pbft;
mod registry;
#[cfg(test)]
mod tests;
mod twin;

pub use attack::{Attack, Target};
pub use byzantine::Byzantine;
pub use hands::Hands;
pub use registry::{Attacks, Known, find};
