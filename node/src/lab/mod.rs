//! Faults on purpose, in a validator that runs: slow and failing disks, a wrong clock, bad links, an attack.
//!
//! [`NodeFaults`] says all that is wrong with one validator. Whoever holds the testnet's [token](crate::home::Home::fault_token) puts
//! it in force over `PUT /v1/faults`, from the same machine and with `Authorization: Bearer <token>`; the answer, a [`FaultStatus`] as
//! that of `GET /v1/faults`, comes when it is. A
//! validator whose genesis does not say `fault_injection`, or that has no token, refuses, and only a binary built with the feature `lab`
//! has this module.

mod faults;
mod status;
mod token;

pub use faults::{BadFaults, DiskFaults, NodeDisks, NodeFaults};
pub use status::{AttackStatus, DiskStatus, DiskStatuses, FaultStatus, RoundTripStatus};
pub use token::FaultToken;
