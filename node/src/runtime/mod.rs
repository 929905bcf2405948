//! The threads of a running validator.
//!
//! ```text
//!  network ─▶ verify pool ─▶ consensus thread ─▶ journal thread ─▶ network      (signed messages: after the flush)
//!  clients ─▶ verify pool ─▶        │  ▲                 └───────▶ ledger thread (commits)
//!                                   ▼  └──────────────────────────── answers
//!                             ledger thread (build, execute at once)
//! ```
//!
//! The consensus thread owns the [`Core`](quorate_validator::Core) and never waits for a disk. Every step goes to the journal
//! thread in order; it takes what has gathered, flushes once, and only then hands the actions on. What makes no promise is
//! done at once. The ledger thread alone writes the ledger. If any of them fails, all stop: a replica whose memory is ahead
//! of its disk must not go on.
//!
//! All of it is written for any [`Protocol`](quorate_consensus::Protocol); [`start`] has the genesis choose one. What it stands on
//! (`around`) can be replaced; the code here does not know by what.
//!
//! Back-pressure: a peer's message holds room in its stream's window from arrival until the consensus thread has handled it, so the
//! queues in front of that thread are bounded, for each peer by itself.

mod around;
mod consensus;
mod costs;
mod disks;
mod fail;
mod ingress;
mod jobs;
mod journal;
mod ledger;
mod metrics;
mod outbox;
mod publish;
mod standing;
mod start;
mod submit;
mod sync;

#[cfg(feature = "lab")]
pub(crate) use around::{Around, Door, Shelf, Speaker};
#[cfg(feature = "lab")]
pub(crate) use outbox::{class_of, frame};
#[cfg(feature = "lab")]
pub(crate) use publish::unix_millis;
pub use start::start;
#[cfg(feature = "lab")]
pub(crate) use start::start_as;
