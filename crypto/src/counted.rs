//! A scheme that counts what it is asked, and what that takes.
//!
//! The same signatures, proofs and name as the scheme within: replicas under one and under the other understand each other. Clones count
//! together; [`Counted::apart`] begins an account of its own. What an operation takes is what the scheme's [`Price`] says, in full, also
//! where a check fails before its end; when a combination fails, each signature in it is checked singly, and that is counted too.

use crate::{Committee, CryptoError, Price, Scheme, Statement, Work};
use quorate_types::ReplicaId;
use std::{
    collections::BTreeMap,
    hash::{Hash, Hasher},
    ops,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// A scheme and an account of its use.
#[derive(Clone, Debug)]
pub struct Counted<S> {
    scheme: S,
    counters: Arc<Counters>,
}

#[derive(Debug, Default)]
struct Counters {
    signs: AtomicU64,
    attests: AtomicU64,
    admits: AtomicU64,
    verifies: AtomicU64,
    attestation_checks: AtomicU64,
    combines: AtomicU64,
    proof_checks: AtomicU64,
    made: AtomicU64,
    checked: AtomicU64,
    pairings: AtomicU64,
}

/// How often a scheme was asked for what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Operations {
    /// [`Scheme::sign`].
    pub signs: u64,
    /// [`Scheme::attest`].
    pub attests: u64,
    /// [`Scheme::admit`].
    pub admits: u64,
    /// [`Scheme::verify`].
    pub verifies: u64,
    /// [`Scheme::verify_attestation`].
    pub attestation_checks: u64,
    /// [`Scheme::combine`].
    pub combines: u64,
    /// [`Scheme::verify_proof`].
    pub proof_checks: u64,
    /// What all of it took.
    pub work: Work,
}

impl ops::Add for Operations {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            signs: self.signs + other.signs,
            attests: self.attests + other.attests,
            admits: self.admits + other.admits,
            verifies: self.verifies + other.verifies,
            attestation_checks: self.attestation_checks + other.attestation_checks,
            combines: self.combines + other.combines,
            proof_checks: self.proof_checks + other.proof_checks,
            work: self.work + other.work,
        }
    }
}

impl ops::Sub for Operations {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            signs: self.signs - earlier.signs,
            attests: self.attests - earlier.attests,
            admits: self.admits - earlier.admits,
            verifies: self.verifies - earlier.verifies,
            attestation_checks: self.attestation_checks - earlier.attestation_checks,
            combines: self.combines - earlier.combines,
            proof_checks: self.proof_checks - earlier.proof_checks,
            work: self.work - earlier.work,
        }
    }
}

impl<S: Scheme> Counted<S> {
    /// Counts from nothing.
    pub fn new(scheme: S) -> Self {
        Self { scheme, counters: Arc::default() }
    }

    /// The same scheme under an account of its own.
    #[must_use]
    pub fn apart(&self) -> Self {
        Self::new(self.scheme.clone())
    }

    /// The scheme within.
    pub fn scheme(&self) -> &S {
        &self.scheme
    }

    /// The account so far.
    pub fn operations(&self) -> Operations {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counters = &*self.counters;
        Operations {
            signs: read(&counters.signs),
            attests: read(&counters.attests),
            admits: read(&counters.admits),
            verifies: read(&counters.verifies),
            attestation_checks: read(&counters.attestation_checks),
            combines: read(&counters.combines),
            proof_checks: read(&counters.proof_checks),
            work: Work {
                made: read(&counters.made),
                checked: read(&counters.checked),
                pairings: read(&counters.pairings),
            },
        }
    }

    fn count(&self, counter: impl FnOnce(&Counters) -> &AtomicU64, work: Work) {
        counter(&self.counters).fetch_add(1, Ordering::Relaxed);
        self.take(work);
    }

    fn take(&self, work: Work) {
        for (counter, more) in [
            (&self.counters.made, work.made),
            (&self.counters.checked, work.checked),
            (&self.counters.pairings, work.pairings),
        ] {
            if more > 0 {
                counter.fetch_add(more, Ordering::Relaxed);
            }
        }
    }
}

/// What was counted makes no difference between schemes.
impl<S: PartialEq> PartialEq for Counted<S> {
    fn eq(&self, other: &Self) -> bool {
        self.scheme == other.scheme
    }
}

impl<S: Eq> Eq for Counted<S> {}

impl<S: Hash> Hash for Counted<S> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.scheme.hash(state);
    }
}

impl<S: Scheme> Scheme for Counted<S> {
    type Signature = S::Signature;
    type Attestation = S::Attestation;
    type Proof = S::Proof;
    type Secret = S::Secret;
    const NAME: &'static str = S::NAME;
    const ATTRIBUTABLE: bool = S::ATTRIBUTABLE;

    fn committee(&self) -> &Committee {
        self.scheme.committee()
    }

    fn price(&self) -> Price {
        self.scheme.price()
    }

    fn authenticators(&self, proof: &S::Proof) -> usize {
        self.scheme.authenticators(proof)
    }

    fn sign<T: Statement>(&self, secret: &S::Secret, statement: &T) -> S::Signature {
        self.count(|counters| &counters.signs, self.price().sign);
        self.scheme.sign(secret, statement)
    }

    fn verify<T: Statement>(
        &self,
        signer: ReplicaId,
        statement: &T,
        signature: &S::Signature,
    ) -> Result<(), CryptoError> {
        self.count(|counters| &counters.verifies, self.price().verify);
        self.scheme.verify(signer, statement, signature)
    }

    fn admit<T: Statement>(
        &self,
        signer: ReplicaId,
        statement: &T,
        signature: &S::Signature,
    ) -> Result<(), CryptoError> {
        self.count(|counters| &counters.admits, self.price().admit);
        self.scheme.admit(signer, statement, signature)
    }

    fn combine<T: Statement>(
        &self,
        statement: &T,
        signatures: &BTreeMap<ReplicaId, S::Signature>,
    ) -> Result<S::Proof, CryptoError> {
        self.count(|counters| &counters.combines, self.price().combine);
        let combined = self.scheme.combine(statement, signatures);
        if matches!(combined, Err(CryptoError::BadSignatures(_))) {
            self.take(self.price().verify.times(signatures.len() as u64));
        }
        combined
    }

    fn verify_proof<T: Statement>(&self, statement: &T, proof: &S::Proof) -> Result<(), CryptoError> {
        let listed = self.price().listed.times(self.authenticators(proof) as u64);
        self.count(|counters| &counters.proof_checks, self.price().proof + listed);
        self.scheme.verify_proof(statement, proof)
    }

    fn signers(&self, proof: &S::Proof) -> Option<Vec<ReplicaId>> {
        self.scheme.signers(proof)
    }

    fn attest<T: Statement>(&self, secret: &S::Secret, statement: &T) -> S::Attestation {
        self.count(|counters| &counters.attests, Work::SIGN);
        self.scheme.attest(secret, statement)
    }

    fn verify_attestation<T: Statement>(
        &self,
        signer: ReplicaId,
        statement: &T,
        attestation: &S::Attestation,
    ) -> Result<(), CryptoError> {
        self.count(|counters| &counters.attestation_checks, Work::CHECK);
        self.scheme.verify_attestation(signer, statement, attestation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Ed25519List,
        bls::{BlsMulti, BlsThreshold, MinSig},
        conformance::{self, Claim, bls_multi, bls_multi_secret, bls_secret, bls_threshold, committee, vote_secret},
    };

    #[test]
    fn conforms_as_the_scheme_within() {
        let liar = |_: &_, replica: ReplicaId| vote_secret(ReplicaId(replica.0 + 1));
        let scheme = |n| Counted::new(Ed25519List::new(committee(n)));
        conformance::run(scheme, |_, replica| vote_secret(replica), liar);
        let liar = |_: &_, replica: ReplicaId| crate::bls::MultiSecret {
            bls: bls_secret(ReplicaId(700)),
            ..bls_multi_secret(replica)
        };
        let scheme = |n| Counted::new(bls_multi::<MinSig>(n));
        conformance::run(scheme, |_, replica| bls_multi_secret(replica), liar);
    }

    /// Everybody signs, everybody's vote is admitted, the quorum's proof is checked once.
    fn work_of_a_certificate<S: Scheme>(scheme: S, secret: impl Fn(&S, ReplicaId) -> S::Secret) -> Operations {
        let (scheme, claim) = (Counted::new(scheme), Claim { view: 1 });
        let members: Vec<_> = scheme.committee().members().take(scheme.committee().quorum()).collect();
        let sign = |who: &ReplicaId| (*who, scheme.sign(&secret(scheme.scheme(), *who), &claim));
        let votes: BTreeMap<_, _> = members.iter().map(sign).collect();
        votes.iter().for_each(|(who, vote)| scheme.admit(*who, &claim, vote).expect("good"));
        let proof = scheme.combine(&claim, &votes).expect("a quorum");
        scheme.verify_proof(&claim, &proof).expect("good");
        let apart = scheme.apart();
        apart.verify_proof(&claim, &proof).expect("good");
        assert_eq!(apart.operations().proof_checks, 1, "an account of its own");
        scheme.operations()
    }

    #[test]
    fn a_list_takes_a_check_for_each_signature_in_it() {
        let operations = work_of_a_certificate(Ed25519List::new(committee(7)), |_, who| vote_secret(who));
        let work = Work { made: 5, checked: 5 + 5, pairings: 0 };
        assert_eq!(operations, Operations { signs: 5, admits: 5, combines: 1, proof_checks: 1, work, ..operations });
    }

    #[test]
    fn a_bls_proof_takes_one_pairing_check_to_make_and_one_to_verify() {
        let work = Work { made: 10, checked: 5, pairings: 2 + 2 };
        let secret = |_: &BlsMulti<MinSig>, who| bls_multi_secret(who);
        assert_eq!(work_of_a_certificate(bls_multi::<MinSig>(7), secret).work, work);
        let secret = |scheme: &BlsThreshold<MinSig>, who| conformance::threshold_secret(scheme.committee(), who);
        assert_eq!(work_of_a_certificate(bls_threshold::<MinSig>(7), secret).work, work);
    }

    #[test]
    fn what_does_not_combine_is_checked_singly() {
        let (scheme, claim) = (Counted::new(bls_multi::<MinSig>(4)), Claim { view: 1 });
        let bad = crate::bls::MultiSecret { bls: bls_secret(ReplicaId(700)), ..bls_multi_secret(ReplicaId(0)) };
        let sign = |who| {
            let secret = if who == ReplicaId(0) { bad.clone() } else { bls_multi_secret(who) };
            (who, scheme.sign(&secret, &claim))
        };
        let votes: BTreeMap<_, _> = scheme.committee().members().take(3).map(sign).collect();
        assert_eq!(scheme.combine(&claim, &votes), Err(CryptoError::BadSignatures(vec![ReplicaId(0)])));
        assert_eq!(scheme.operations().work, Work { made: 6, checked: 3, pairings: 2 + 3 * 2 });
    }
}
