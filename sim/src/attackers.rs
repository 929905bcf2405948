//! Replicas in attackers' hands: [`Byzantine`] in a cluster.
//!
//! A whole cluster is then of `Byzantine` replicas, all but the attackers doing what the honest ones in them do. What leaves an
//! attacker's machine beside its replica's steps (batches, answers to whoever catches up, bytes that are no message) passes through
//! its [`Door`]. All attackers of a cluster work together.

use crate::{Builder, Cluster, SimProtocol, SimScheme};
use quorate_byzantine::{Attack, Attacks, Byzantine, Cabal, Grip, Post, Target, find};
use quorate_consensus::{PoolMessage, Protocol};
use quorate_crypto::Scheme;
use quorate_types::{ChainId, Digest, Epoch, ReplicaId};
use quorate_validator::sync::{SyncReply, SyncRequest};
use std::{collections::BTreeMap, sync::Arc};

/// Makes a replica an attacker.
pub(crate) type Corrupter<P> = Arc<dyn Fn(&P, &Backing<<P as Protocol>::Scheme>) + Send + Sync>;

/// What is done to replicas each time their processes start.
pub(crate) type Attackers<P> = BTreeMap<ReplicaId, Corrupter<P>>;

/// What a cluster gives its attackers.
#[derive(Clone)]
pub(crate) struct Backing<S: Scheme> {
    /// All chance follows from it.
    pub(crate) seed: u64,
    /// They know each other.
    pub(crate) cabal: Cabal<S>,
    /// The same replicas on another chain, in another epoch.
    pub(crate) elsewhere: S,
}

impl<S: SimScheme> Backing<S> {
    pub(crate) fn new(scheme: &S, seed: u64) -> Self {
        let here = scheme.committee();
        let chain = ChainId(Digest(here.chain().0.0.map(|byte| !byte)));
        let there = here.elsewhere(chain, Epoch(here.epoch().0 + 1));
        Self { seed, cabal: Cabal::default(), elsewhere: S::of(there, seed) }
    }
}

/// What stands between an attacker's machine and its links.
pub trait Door: Send {
    /// Whether an attack is on.
    fn is_attacking(&self) -> bool;
    /// How often it did otherwise than an honest replica, since its process started.
    fn deeds(&self) -> u64;
    /// The mempool tells `to` this; what goes out comes from [`Door::posted`].
    fn share(&self, to: ReplicaId, message: PoolMessage);
    /// A message about batches comes in.
    fn overhear(&self, from: ReplicaId, message: &PoolMessage);
    /// What is answered in place of `reply`.
    fn answer(&self, to: ReplicaId, request: SyncRequest, reply: SyncReply) -> Option<SyncReply>;
    /// What goes out now.
    fn posted(&self) -> Vec<(ReplicaId, Post)>;
}

impl<P: Protocol> Door for Grip<P> {
    fn is_attacking(&self) -> bool {
        Self::is_attacking(self)
    }

    fn deeds(&self) -> u64 {
        Self::deeds(self)
    }

    fn share(&self, to: ReplicaId, message: PoolMessage) {
        Self::share(self, to, message);
    }

    fn overhear(&self, from: ReplicaId, message: &PoolMessage) {
        Self::overhear(self, from, message);
    }

    fn answer(&self, to: ReplicaId, request: SyncRequest, reply: SyncReply) -> Option<SyncReply> {
        Self::answer(self, to, request, reply)
    }

    fn posted(&self) -> Vec<(ReplicaId, Post)> {
        Self::posted(self)
    }
}

impl<P: SimProtocol> SimProtocol for Byzantine<P> {
    const KIND: quorate_ledger::Protocol = P::KIND;

    fn door(&self) -> Option<Box<dyn Door>> {
        Some(Box::new(self.grip()))
    }
}

impl<P: SimProtocol + Attacks> Builder<Byzantine<P>> {
    /// Puts a replica into the hands of the attack of this name. Its chance follows from the cluster's seed and its place.
    ///
    /// # Panics
    /// If the protocol knows no such attack.
    #[must_use]
    pub fn attacker(mut self, replica: u16, attack: &str, target: Target) -> Self {
        self.attackers.insert(ReplicaId(replica), by_name(ReplicaId(replica), attack, target));
        self
    }

    /// Puts a replica into the hands of an attack that `make` makes each time its process starts.
    #[must_use]
    pub fn corrupt(
        mut self,
        replica: u16,
        target: Target,
        make: impl Fn(&Target) -> Box<dyn Attack<P>> + Send + Sync + 'static,
    ) -> Self {
        self.attackers.insert(ReplicaId(replica), corrupted(target, move |target, _| make(target)));
        self
    }
}

fn by_name<P: SimProtocol + Attacks>(replica: ReplicaId, attack: &str, target: Target) -> Corrupter<Byzantine<P>> {
    let make = find::<P>(attack).unwrap_or_else(|| panic!("no attack is called {attack}")).make;
    corrupted(target, move |target, seed| make(target, seed ^ u64::from(replica.0).rotate_left(32)))
}

fn corrupted<P: SimProtocol>(
    target: Target,
    make: impl Fn(&Target, u64) -> Box<dyn Attack<P>> + Send + Sync + 'static,
) -> Corrupter<Byzantine<P>> {
    Arc::new(move |replica: &Byzantine<P>, backing: &Backing<P::Scheme>| {
        let grip = replica.grip();
        grip.equip(&backing.cabal, backing.elsewhere.clone());
        grip.corrupt(make(&target, backing.seed), target.clone());
    })
}

impl<P: SimProtocol + Attacks> Cluster<Byzantine<P>> {
    /// From now on the attack of this name has the replica, over restarts too.
    ///
    /// # Panics
    /// If the protocol knows no such attack.
    pub fn start_attack(&mut self, replica: u16, attack: &str, target: Target) {
        let replica = ReplicaId(replica);
        let corrupt = by_name::<P>(replica, attack, target);
        self.put_into_hands(replica, corrupt, &format!("begins to lie: {attack}"));
    }

    /// From now on the replica does what the honest one in it does.
    pub fn stop_attack(&mut self, replica: u16) {
        let honest = |replica: &Byzantine<P>, _: &Backing<P::Scheme>| replica.grip().reform();
        self.put_into_hands(ReplicaId(replica), Arc::new(honest), "is honest again");
    }
}
