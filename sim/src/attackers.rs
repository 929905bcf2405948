//! Replicas in attackers' hands: [`Byzantine`] in a cluster.
//!
//! A whole cluster is then of `Byzantine` replicas, all but the attackers doing what the honest ones in them do.

use crate::{Builder, SimProtocol};
use quorate_byzantine::{Attack, Attacks, Byzantine, Target, find};
use quorate_types::ReplicaId;
use std::{collections::BTreeMap, sync::Arc};

/// Makes a replica an attacker, each time its process starts.
pub(crate) type Attackers<P> = BTreeMap<ReplicaId, Arc<dyn Fn(P) -> P + Send + Sync>>;

impl<P: SimProtocol> SimProtocol for Byzantine<P> {
    const KIND: quorate_ledger::Protocol = P::KIND;
}

impl<P: SimProtocol + Attacks> Builder<Byzantine<P>> {
    /// Puts a replica into the hands of the attack of this name.
    ///
    /// # Panics
    /// If the protocol knows no such attack.
    #[must_use]
    pub fn attacker(self, replica: u16, attack: &str, target: Target) -> Self {
        let make = find::<P>(attack).unwrap_or_else(|| panic!("no attack is called {attack}")).make;
        self.corrupt(replica, target, move |target| make(target))
    }

    /// Puts a replica into the hands of an attack that `make` makes each time its process starts.
    #[must_use]
    pub fn corrupt(
        mut self,
        replica: u16,
        target: Target,
        make: impl Fn(&Target) -> Box<dyn Attack<P>> + Send + Sync + 'static,
    ) -> Self {
        let corrupt = move |mut replica: Byzantine<P>| {
            replica.corrupt(make(&target), target.clone());
            replica
        };
        self.attackers.insert(ReplicaId(replica), Arc::new(corrupt));
        self
    }
}
