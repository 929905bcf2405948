//! Faults on purpose, in a validator that runs: slow and failing disks, a wrong clock, bad links, an attack.
//!
//! [`NodeFaults`] says all that is wrong with one validator. Whoever holds the testnet's [token](crate::home::Home::fault_token) puts
//! it in force over `PUT /v1/faults`, from the same machine and with `Authorization: Bearer <token>`; the answer, a [`FaultStatus`] as
//! that of `GET /v1/faults`, comes when it is. A
//! validator whose genesis does not say `fault_injection`, or that has no token, refuses, and only a binary built with the feature `lab`
//! has this module.
//!
//! And in a key generation: a member that cheats, if `quorate dkg` is told so ([`Cheating`]).

mod ceremony;
mod control;
mod disk;
mod faults;
mod hands;
mod start;
mod status;
mod token;

pub use ceremony::Cheating;
pub(crate) use ceremony::member;
pub use control::Lab;
pub use faults::{BadFaults, DiskFaults, NodeDisks, NodeFaults};
pub(crate) use start::start;
pub use status::{AttackStatus, DiskStatus, DiskStatuses, FaultStatus, RoundTripStatus};
pub use token::FaultToken;
