//! What a cluster is made of.

use super::Timing;
use crate::{SimProtocol, SimScheme, attackers::Attackers, puppet::Puppet};
use quorate_consensus::BatchLimits;
use quorate_crypto::Committee;
use quorate_ledger::{Durability, Election, Params};
use quorate_links::LinkSpec;
use quorate_types::{ReplicaId, limits};
use std::{collections::BTreeMap, marker::PhantomData, time::Duration};

/// A cluster to be.
pub struct Builder<P: SimProtocol> {
    pub(super) replicas: usize,
    pub(super) seed: u64,
    pub(super) election: Election,
    pub(super) params: Params,
    pub(super) is_kv: bool,
    pub(super) ceremony: Option<u64>,
    pub(super) links: LinkSpec,
    pub(super) limits: BatchLimits,
    pub(super) timing: Timing,
    pub(super) durability: Durability,
    pub(super) rotate_after: u64,
    pub(super) sync_every: u64,
    pub(super) snapshot_gap: u64,
    pub(super) puppets: BTreeMap<ReplicaId, Option<Box<dyn Puppet<P>>>>,
    pub(crate) attackers: Attackers<P>,
    pub(super) is_told: bool,
    pub(super) counts: bool,
    pub(super) scheme: fn(Committee, u64) -> P::Scheme,
    pub(super) panics: bool,
    pub(super) may_fork: bool,
    pub(super) protocol: PhantomData<P>,
}

const MS: Duration = Duration::from_millis(1);

impl<P: SimProtocol> Default for Builder<P> {
    fn default() -> Self {
        Self {
            replicas: 4,
            seed: 0,
            election: Election::usual(P::KIND),
            params: Params { timeout_base_ms: 500, timeout_max_ms: 4000, ..Params::default() },
            is_kv: false,
            ceremony: None,
            links: LinkSpec { delay: 5 * MS, jitter: 5 * MS, ..LinkSpec::default() },
            limits: BatchLimits::default(),
            timing: Timing {
                flush: (MS / 2, 2 * MS),
                ledger: (MS / 10, MS / 2),
                sync_timeout: 1000 * MS,
                retry: Some(2000 * MS),
            },
            durability: Durability::Always,
            rotate_after: 256 * 1024,
            sync_every: 64,
            snapshot_gap: quorate_validator::sync::snapshot_gap(Params::default().checkpoint_interval),
            puppets: BTreeMap::new(),
            attackers: BTreeMap::new(),
            is_told: false,
            counts: false,
            scheme: P::Scheme::of,
            panics: true,
            may_fork: false,
            protocol: PhantomData,
        }
    }
}

impl<P: SimProtocol> Builder<P> {
    /// Keeps everything that happens, for [`Cluster::story`](crate::Cluster::story).
    #[must_use]
    pub fn tell(mut self, is_told: bool) -> Self {
        self.is_told = is_told;
        self
    }

    /// Counts what everything costs: [`Cluster::account`](crate::Cluster::account). Every receiver then checks messages for itself.
    #[must_use]
    pub fn count(mut self) -> Self {
        self.counts = true;
        self
    }

    /// Another scheme of the type than the usual one. From the committee, whose keys are those of
    /// [`conformance::committee`](quorate_crypto::conformance::committee), and the seed.
    #[must_use]
    pub fn scheme(mut self, of: fn(Committee, u64) -> P::Scheme) -> Self {
        self.scheme = of;
        self
    }

    /// How many replicas, 1 to [`limits::REPLICAS`].
    #[must_use]
    pub fn replicas(mut self, replicas: usize) -> Self {
        self.replicas = replicas.clamp(1, limits::REPLICAS);
        self
    }

    /// Everything that chance decides follows from this.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Who leads, where the protocol leaves a choice.
    #[must_use]
    pub fn election(mut self, election: Election) -> Self {
        self.election = election;
        self
    }

    /// The genesis' timing and sizes.
    #[must_use]
    pub fn params(mut self, params: Params) -> Self {
        self.params = params;
        self
    }

    /// The first view's length.
    #[must_use]
    pub fn timeout(mut self, base: Duration) -> Self {
        self.params.timeout_base_ms = u64::try_from(base.as_millis()).unwrap_or(u64::MAX).max(1);
        self.params.timeout_max_ms = self.params.timeout_max_ms.max(self.params.timeout_base_ms);
        self
    }

    /// Empty blocks this often.
    #[must_use]
    pub fn block_interval(mut self, interval: Duration) -> Self {
        self.params.block_interval_ms = Some(u64::try_from(interval.as_millis()).unwrap_or(u64::MAX));
        self
    }

    /// PBFT: a checkpoint every so many heights.
    #[must_use]
    pub fn checkpoint_interval(mut self, heights: u64) -> Self {
        self.params.checkpoint_interval = heights.max(1);
        self
    }

    /// Accounts and a key-value store instead of opaque transactions.
    #[must_use]
    pub fn kv(mut self) -> Self {
        self.is_kv = true;
        self
    }

    /// A key generation of the committee, with phases of so many heights, instead of opaque transactions.
    #[must_use]
    pub fn ceremony(mut self, phase_heights: u64) -> Self {
        self.ceremony = Some(phase_heights);
        self
    }

    /// How all links behave at first.
    #[must_use]
    pub fn links(mut self, spec: LinkSpec) -> Self {
        self.links = spec;
        self
    }

    /// The mempools' limits.
    #[must_use]
    pub fn batch_limits(mut self, limits: BatchLimits) -> Self {
        self.limits = limits;
        self
    }

    /// How long a flush of the journal takes, at least and at most.
    #[must_use]
    pub fn flush_latency(mut self, from: Duration, to: Duration) -> Self {
        self.timing.flush = (from, to);
        self
    }

    /// How long building, executing or committing a block takes, at least and at most.
    #[must_use]
    pub fn ledger_latency(mut self, from: Duration, to: Duration) -> Self {
        self.timing.ledger = (from, to);
        self
    }

    /// Clients hand in again what has not taken effect, this often; `None`: never.
    #[must_use]
    pub fn client_retry(mut self, every: Option<Duration>) -> Self {
        self.timing.retry = every;
        self
    }

    /// What the journals promise.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Journals are rotated after so many bytes.
    #[must_use]
    pub fn rotate_after(mut self, bytes: u64) -> Self {
        self.rotate_after = bytes;
        self
    }

    /// Ledgers are made durable every so many commits.
    #[must_use]
    pub fn sync_ledger_every(mut self, commits: u64) -> Self {
        self.sync_every = commits;
        self
    }

    /// Whoever is so many blocks behind fetches a snapshot.
    #[must_use]
    pub fn snapshot_gap(mut self, blocks: u64) -> Self {
        self.snapshot_gap = blocks;
        self
    }

    /// Replaces a replica's process: the puppet gets its messages and holds its key.
    #[must_use]
    pub fn puppet(mut self, replica: u16, puppet: impl Puppet<P>) -> Self {
        self.puppets.insert(ReplicaId(replica), Some(Box::new(puppet)));
        self
    }

    /// When honest replicas commit different blocks the run goes on: more than `f` lie, and it is to be seen what comes of it.
    #[must_use]
    pub fn let_it_fork(mut self) -> Self {
        self.may_fork = true;
        self
    }

    /// A violation does not panic but stops the run; read it with [`Cluster::violation`](crate::Cluster::violation).
    #[must_use]
    pub fn keep_violations(mut self) -> Self {
        self.panics = false;
        self
    }
}
