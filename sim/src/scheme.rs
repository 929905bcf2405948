//! The vote schemes that a simulation can run.

use quorate_byzantine::Spoil;
use quorate_crypto::{
    Committee, Counted, Ed25519List, Likeness, Looks, Operations, Scheme, Symbolic,
    bls::{BlsMulti, BlsThreshold, MultiSecret, ThresholdSecret, Variant},
    conformance,
};
use quorate_types::ReplicaId;

/// A scheme of which the simulator knows every secret.
pub trait SimScheme: Spoil {
    /// The scheme of a committee whose keys are those of [`conformance::committee`].
    fn of(committee: Committee, seed: u64) -> Self;
    /// One member's key.
    fn secret_of(&self, replica: ReplicaId) -> Self::Secret;

    /// The same for one replica that counts for itself.
    #[must_use]
    fn apart(&self) -> Self {
        self.clone()
    }

    /// What it was asked so far, if it counts.
    fn operations(&self) -> Operations {
        Operations::default()
    }
}

impl SimScheme for Symbolic {
    fn of(committee: Committee, seed: u64) -> Self {
        Self::new(committee, seed)
    }

    fn secret_of(&self, replica: ReplicaId) -> Self::Secret {
        self.secret(replica)
    }
}

impl SimScheme for Ed25519List {
    fn of(committee: Committee, _seed: u64) -> Self {
        Self::new(committee)
    }

    fn secret_of(&self, replica: ReplicaId) -> Self::Secret {
        conformance::vote_secret(replica)
    }
}

impl<V: Variant> SimScheme for BlsMulti<V> {
    fn of(committee: Committee, _seed: u64) -> Self {
        conformance::bls_multi_of(committee)
    }

    fn secret_of(&self, replica: ReplicaId) -> MultiSecret<V> {
        conformance::bls_multi_secret(replica)
    }
}

impl<V: Variant> SimScheme for BlsThreshold<V> {
    fn of(committee: Committee, _seed: u64) -> Self {
        conformance::bls_threshold_of(committee)
    }

    fn secret_of(&self, replica: ReplicaId) -> ThresholdSecret {
        conformance::threshold_secret(self.committee(), replica)
    }
}

/// As a list of ed25519 signatures, unless the cluster is told another [`scheme`](crate::Builder::scheme).
impl SimScheme for Likeness {
    fn of(committee: Committee, seed: u64) -> Self {
        Self::new(committee, seed, Looks::Ed25519)
    }

    fn secret_of(&self, replica: ReplicaId) -> Self::Secret {
        self.secret(replica)
    }
}

impl<S: SimScheme> SimScheme for Counted<S> {
    fn of(committee: Committee, seed: u64) -> Self {
        Self::new(S::of(committee, seed))
    }

    fn secret_of(&self, replica: ReplicaId) -> Self::Secret {
        self.scheme().secret_of(replica)
    }

    fn apart(&self) -> Self {
        Self::apart(self)
    }

    fn operations(&self) -> Operations {
        Self::operations(self)
    }
}
