//! Replicas that lie.
//!
//! [`Byzantine`] is an honest replica whose messages pass through the hands of an [`Attack`] before they leave. It *is* a
//! [`Protocol`](quorate_consensus::Protocol), so whatever runs replicas runs it unchanged; without an attack it is what it wraps.
//! An attack is a small file that says in one sentence what it tries to break. [`Attacks::attacks`] lists those that a protocol
//! knows, by name: `general` works on any, the others know the messages of theirs.
//!
//! An attacker has its own key, without the rules that bind it ([`Hands`]), whatever it was sent, and what those share with it that it
//! works with ([`Cabal`]). It has nobody else's key. Its [`Grip`] starts and stops attacks while a replica runs, and is what a host
//! leads batches and answers through.

mod attack;
mod byzantine;
mod cabal;
mod ceremony;
mod crafted;
mod deeds;
mod dice;
mod forged;
mod general;
mod grip;
mod hands;
mod hotstuff;
pub mod mutate;
mod pbft;
mod registry;
mod spoil;
mod target;
#[cfg(test)]
mod tests;
mod twin;

pub use attack::Attack;
pub use byzantine::Byzantine;
pub use cabal::Cabal;
pub use ceremony::{Cheat, Cheater};
pub use crafted::Craft;
pub use dice::Dice;
pub use grip::Grip;
pub use hands::{Hands, Post};
pub use registry::{Attacks, Known, find};
pub use spoil::Spoil;
pub use target::Target;
