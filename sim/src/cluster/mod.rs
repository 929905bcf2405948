//! A whole cluster on one event loop.
//!
//! [`Cluster::new`] begins a [`Builder`]; what a built cluster can be told and asked stands in the files of this module:
//! `faults` (crash, restart, wipe, partition, links), `clients` (submit), `run` (time), `questions` (status and assertions),
//! `post` (messages, interception), `meter` (what it cost).

mod blame;
mod build;
mod builder;
mod clients;
mod events;
mod faults;
mod meter;
mod pause;
mod post;
mod questions;
mod run;
mod tell;

pub use builder::Builder;
pub use clients::SubmitError;
pub use faults::{DiskOf, Which};
pub use post::Verdict;

use crate::{
    Rng, SimProtocol, Violation,
    checker::Checkers,
    network::Network,
    node::{Node, Setup},
    puppet::Puppet,
    queue::Queue,
    story::Story,
    trace::Trace,
};
use clients::Clients;
use events::Event;
use meter::Meter;
use post::{Corrupt, Intercept};
use quorate_consensus::hotstuff::HotStuff;
use quorate_crypto::Symbolic;
use quorate_types::{Digest, Height, ReplicaId};
use std::{collections::BTreeMap, time::Duration};

/// Simulated validators, their links, disks and clients, under one seed.
pub struct Cluster<P: SimProtocol = HotStuff<Symbolic>> {
    seed: u64,
    /// For failure reports.
    configuration: String,
    setup: Setup<P>,
    queue: Queue<Event<P>>,
    nodes: Vec<Node<P>>,
    puppets: BTreeMap<ReplicaId, Option<Box<dyn Puppet<P>>>>,
    network: Network,
    clients: Clients,
    checkers: Checkers,
    intercept: Option<Intercept<P>>,
    corrupt: Option<Corrupt>,
    trace: Trace,
    /// For people, where they ask for it.
    story: Option<Story>,
    /// Counts, where somebody asks for it.
    meter: Option<Meter>,
    commits: Vec<Vec<Commit>>,
    /// Who stands still, and what waits for it.
    paused: BTreeMap<ReplicaId, Vec<Event<P>>>,
    /// For everything that has no generator of its own.
    rng: Rng,
    timing: Timing,
    counts: BTreeMap<&'static str, u64>,
    rejected: u64,
    violation: Option<Violation>,
    /// A violation ends the test that runs this cluster.
    panics: bool,
}

/// A replica commits a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commit {
    /// When.
    pub at: Duration,
    /// Where.
    pub height: Height,
    /// Which.
    pub block: Digest,
}

/// How long the parts of a validator take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    /// A flush of the journal, from and to.
    pub(crate) flush: (Duration, Duration),
    /// A task of the ledger.
    pub(crate) ledger: (Duration, Duration),
    /// How long block sync waits for an answer.
    pub(crate) sync_timeout: Duration,
    /// Clients hand in again what has not taken effect, this often; `None`: never.
    pub(crate) retry: Option<Duration>,
}

/// Builders begin here.
impl Cluster {
    /// A cluster to be: four replicas of HotStuff under the symbolic scheme, unless told otherwise.
    #[expect(clippy::new_ret_no_self, reason = "scenarios read `Cluster::new().replicas(4).build()`")]
    pub fn new() -> Builder<HotStuff<Symbolic>> {
        Builder::default()
    }

    /// A cluster of another protocol, or under another scheme: `Cluster::of::<Pbft<Symbolic>>()`.
    pub fn of<P: SimProtocol>() -> Builder<P> {
        Builder::default()
    }
}

fn draw(rng: &mut Rng, (from, to): (Duration, Duration)) -> Duration {
    let nanos = |duration: Duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    if from >= to { from } else { Duration::from_nanos(rng.within(nanos(from)..=nanos(to))) }
}
