//! What attackers who work together know.

use quorate_crypto::{Scheme, Statement};
use quorate_types::{Digest, ReplicaId};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Forks remembered. When full, the lowest digest goes, which is as good as any.
const REMEMBERED: usize = 64;

/// Attackers who hold each other's keys, know of each other's forks, and hunt together. An attacker that has joined none is one of its own.
#[derive(Debug)]
pub struct Cabal<S: Scheme>(Arc<Mutex<Plot<S>>>);

#[derive(Debug)]
struct Plot<S: Scheme> {
    keys: BTreeMap<ReplicaId, S::Secret>,
    twins: BTreeMap<Digest, Digest>,
    prey: Option<ReplicaId>,
}

impl<S: Scheme> Clone for Cabal<S> {
    /// The same cabal.
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S: Scheme> Default for Cabal<S> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Plot { keys: BTreeMap::new(), twins: BTreeMap::new(), prey: None })))
    }
}

impl<S: Scheme> Cabal<S> {
    fn plot(&self) -> MutexGuard<'_, Plot<S>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn join(&self, member: ReplicaId, key: S::Secret) {
        self.plot().keys.insert(member, key);
    }

    /// Who is in it.
    pub fn members(&self) -> Vec<ReplicaId> {
        self.plot().keys.keys().copied().collect()
    }

    /// A member's signature under anything; `None` if it is none.
    pub fn sign<T: Statement>(&self, scheme: &S, member: ReplicaId, statement: &T) -> Option<S::Signature> {
        self.plot().keys.get(&member).map(|key| scheme.sign(key, statement))
    }

    /// From now on all of them hunt this one.
    pub fn hunt(&self, prey: ReplicaId) {
        self.plot().prey = Some(prey);
    }

    /// Whom they hunt.
    pub fn prey(&self) -> Option<ReplicaId> {
        self.plot().prey
    }

    /// Somebody in it proposes both of these for one place.
    pub fn tell_twins(&self, one: Digest, other: Digest) {
        let twins = &mut self.plot().twins;
        while twins.len() >= REMEMBERED {
            twins.pop_first();
        }
        twins.insert(one, other);
        twins.insert(other, one);
    }

    /// What was proposed in the place of this block, too.
    pub fn twin_of(&self, block: &Digest) -> Option<Digest> {
        self.plot().twins.get(block).copied()
    }
}
