//! A deterministic simulator: the validator that ships, on virtual time, links and disks, under one seed.
//!
//! Start at [`Cluster`]. It runs the real consensus core, mempool, journal and ledger; only time, links and disks are
//! replaced, and by default the vote scheme, by one that is as hard to forge and far cheaper. [`disk::SimDisk`] forgets what was
//! not synced. Checkers look at everything all the time ([`Rule`]): a run that breaks one ends with `SEED=...`, and the same
//! seed does the same again. [`campaign`] draws whole runs from seeds.
//!
//! No clock, no thread of its own, no map without an order: see `clippy.toml`.

mod attackers;
pub mod campaign;
mod checker;
mod cluster;
pub mod disk;
mod index;
mod network;
mod node;
mod protocol;
mod puppet;
mod queue;
mod rng;
mod scheme;
pub mod story;
mod trace;
pub mod twins;

pub use attackers::Door;
pub use checker::{Rule, Violation};
pub use cluster::{Builder, Cluster, Commit, DiskOf, SubmitError, Verdict, Which};
pub use node::{Death, SimWire};
pub use protocol::{SimProtocol, SymbolicHotStuff, SymbolicPbft};
pub use puppet::{Cue, Hands, Puppet, SyncTicket};
pub use quorate_links::LinkSpec;
pub use rng::Rng;
pub use scheme::SimScheme;
