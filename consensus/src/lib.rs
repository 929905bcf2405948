//! The consensus core: deterministic values that take events and say what they want done.
//!
//! No IO, no clock, no randomness, no threads: see `Cargo.toml`. Start at [`Replica`] (events in, a [`Step`] out), then
//! [`SafetyRules`] (the only signer), then [`hotstuff`]. A [`Step`] lets nothing out before its records are durable;
//! [`Verified`] lets nothing in before its signatures are checked. [`Mempool`] is a value of its own beside the replica.
//!
//! Every collection here is bounded per peer or in total, and ordered: state can be printed, compared and hashed.

mod block_tree;
mod cost;
pub mod diagnosis;
mod election;
mod evidence;
pub mod forensics;
pub mod hotstuff;
mod mempool;
mod pacemaker;
pub mod pbft;
mod protocol;
mod ready;
mod replica;
mod safety_rules;
mod step;
mod tally;
#[cfg(test)]
mod test_net;
mod verified;

pub use cost::{Cost, Phase};
pub use election::{Election, STABLE_VIEWS};
#[cfg(feature = "scripted")]
pub use election::{LISTED_VIEWS, Leaders};
pub use evidence::{EXHIBIT_BYTES, Evidence, Exhibit, Proof};
pub use mempool::{BatchLimits, Mempool, MempoolStatus, PoolAction, PoolMessage, PoolTimer, Refused};
pub use pacemaker::{Pacemaker, Timeouts};
pub use protocol::{Config, Keys, Protocol};
pub use replica::{Action, Event, Executed, Ignored, Kind, Replica, ReplicaStatus, Request, StepOf, Timer};
pub use safety_rules::{Promise, Promised, Refusal, SafetyRules, Slot};
pub use step::{Journal, Step};
pub use verified::{Rejection, Seen, SeenCertificates, Verified, Verify};
