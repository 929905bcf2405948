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
//! Back-pressure: a peer's message holds a permit from arrival until the consensus thread has handled it, so the queue in
//! front of that thread is bounded, and the network's inbound channel serves peers in turn.

mod consensus;
mod fail;
mod ingress;
mod journal;
mod ledger;
mod metrics;
mod outbox;
mod publish;
mod start;
mod submit;
mod sync;

pub use start::start;

/// The replica that this build runs: chained HotStuff with lists of ed25519 signatures. The one place that names it.
type NodeReplica = quorate_consensus::hotstuff::HotStuff<quorate_crypto::Ed25519List>;
/// What it says to its peers.
type NodeMessage = <NodeReplica as quorate_consensus::Replica>::Message;
/// What it keeps in its journal.
type NodeRecord = <NodeReplica as quorate_consensus::Replica>::Record;
/// What checks its peers' messages.
type NodeKeys = quorate_validator::WireKeys<<NodeMessage as quorate_consensus::Verify>::Keys>;
