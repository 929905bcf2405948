//! What is measured: one vote and one certificate of each scheme, as a replica meets them.
//!
//! `cargo bench -p quorate-bench` measures with criterion; `cargo run --release -p quorate-bench --bin schemes` prints the table of
//! `docs/schemes.md`. Both count the thread's CPU time, so that other work on the machine does not count.

pub mod complexity;
pub mod cpu;
pub mod fixture;
pub mod load;
mod provenance;
pub mod report;

pub use provenance::{Built, Provenance};

use quorate_crypto::{
    Ed25519List, Scheme,
    bls::{BlsMulti, BlsThreshold, Variant},
    conformance::{self, Claim},
};
use quorate_types::{ReplicaId, decode, encode};
use std::{collections::BTreeMap, hint::black_box};

/// The committee sizes that are measured.
pub const SIZES: [usize; 4] = [4, 16, 64, 100];

/// A committee, and a quorum's votes for one statement.
pub struct Case<S: Scheme> {
    scheme: S,
    secret: S::Secret,
    claim: Claim,
    votes: BTreeMap<ReplicaId, S::Signature>,
    vote: Vec<u8>,
    proof: Vec<u8>,
}

impl<S: Scheme> Case<S> {
    /// The case of a scheme whose members sign with what `secret` gives.
    ///
    /// # Panics
    /// If the scheme does not conform.
    pub fn new(scheme: S, secret: impl Fn(&S, ReplicaId) -> S::Secret) -> Self {
        let claim = Claim { view: 7 };
        let signers = scheme.committee().members().take(scheme.committee().quorum());
        let votes: BTreeMap<_, _> = signers.map(|r| (r, scheme.sign(&secret(&scheme, r), &claim))).collect();
        let proof = encode(&scheme.combine(&claim, &votes).expect("a quorum combines"));
        let vote = encode(&votes[&ReplicaId(0)]);
        Self { secret: secret(&scheme, ReplicaId(0)), scheme, claim, votes, vote, proof }
    }

    /// One member signs its vote.
    pub fn sign(&self) {
        black_box(self.scheme.sign(&self.secret, black_box(&self.claim)));
    }

    /// A vote arrives: decoded and admitted.
    ///
    /// # Panics
    /// If the scheme does not conform.
    pub fn admit(&self) {
        let vote = decode(black_box(&self.vote)).expect("our own encoding");
        self.scheme.admit(ReplicaId(0), &self.claim, &vote).expect("a good vote");
    }

    /// A vote is checked by itself, as happens when a quorum's do not combine.
    ///
    /// # Panics
    /// If the scheme does not conform.
    pub fn verify(&self) {
        self.scheme.verify(ReplicaId(0), &self.claim, black_box(&self.votes[&ReplicaId(0)])).expect("a good vote");
    }

    /// A quorum of admitted votes becomes a certificate.
    ///
    /// # Panics
    /// If the scheme does not conform.
    pub fn combine(&self) {
        black_box(self.scheme.combine(&self.claim, black_box(&self.votes)).expect("a quorum combines"));
    }

    /// A certificate arrives: decoded and verified.
    ///
    /// # Panics
    /// If the scheme does not conform.
    pub fn verify_certificate(&self) {
        let proof = decode(black_box(&self.proof)).expect("our own encoding");
        self.scheme.verify_proof(&self.claim, &proof).expect("a good certificate");
    }

    /// The proof's bytes.
    pub fn proof_bytes(&self) -> usize {
        self.proof.len()
    }

    /// A vote's signature in bytes.
    pub fn vote_bytes(&self) -> usize {
        self.vote.len()
    }

    /// The committee's quorum.
    pub fn quorum(&self) -> usize {
        self.scheme.committee().quorum()
    }
}

/// The list of ed25519 signatures.
pub fn ed25519(n: usize) -> Case<Ed25519List> {
    Case::new(Ed25519List::new(conformance::committee(n)), |_, replica| conformance::vote_secret(replica))
}

/// BLS multi-signatures.
pub fn bls_multi<V: Variant>(n: usize) -> Case<BlsMulti<V>> {
    Case::new(conformance::bls_multi(n), |_, replica| conformance::bls_multi_secret(replica))
}

/// BLS threshold signatures.
pub fn bls_threshold<V: Variant>(n: usize) -> Case<BlsThreshold<V>> {
    let secret = |scheme: &BlsThreshold<V>, replica| conformance::threshold_secret(scheme.committee(), replica);
    Case::new(conformance::bls_threshold(n), secret)
}
