//! What every scheme must do. Each scheme's tests call [`run`].

use crate::{Certificate, Committee, CryptoError, IdentitySecret, Member, Scheme, Statement, VoteSecret};
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_types::{ChainId, Digest, Epoch, ReplicaId, decode, encode};
use std::collections::BTreeMap;

/// A statement of the suite's own.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Claim {
    /// Any number.
    pub view: u64,
}

impl Statement for Claim {
    const KIND: &'static str = "conformance/claim";
}

/// The same fields under another kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
struct OtherKind {
    view: u64,
}

impl Statement for OtherKind {
    const KIND: &'static str = "conformance/other";
}

fn seed(replica: ReplicaId, tag: u8) -> [u8; 32] {
    let mut seed = [tag; 32];
    seed[..2].copy_from_slice(&replica.0.to_le_bytes());
    seed
}

/// The vote key of a replica in [`committee`].
pub fn vote_secret(replica: ReplicaId) -> VoteSecret {
    VoteSecret::from_seed(seed(replica, 1))
}

/// A committee of `n` with known keys on a chain of its own, for tests and simulations.
///
/// # Panics
/// If `n` is 0 or more than a committee may have.
pub fn committee(n: usize) -> Committee {
    committee_on(ChainId(Digest([0xcc; 32])), Epoch(0), n)
}

/// The same keys on another chain or in another epoch.
///
/// # Panics
/// If `n` is 0 or more than a committee may have.
pub fn committee_on(chain: ChainId, epoch: Epoch, n: usize) -> Committee {
    let member = |index: usize| {
        let replica = ReplicaId(u16::try_from(index).expect("a committee is small"));
        let identity = IdentitySecret::from_seed(seed(replica, 2)).public();
        Member { identity, vote: vote_secret(replica).public() }
    };
    Committee::new(chain, epoch, (0..n).map(member).collect()).expect("keys from distinct seeds are good")
}

/// Runs the whole suite for the schemes that `scheme` makes for committees of `n`.
///
/// # Panics
/// When the scheme does not conform.
pub fn run<S: Scheme>(scheme: impl Fn(usize) -> S, secret: impl Fn(&S, ReplicaId) -> S::Secret) {
    for n in [1, 4, 5, 7, 9] {
        let suite = Suite { scheme: scheme(n), secrets: Vec::new() };
        let secrets = suite.scheme.committee().members().map(|replica| secret(&suite.scheme, replica)).collect();
        Suite { secrets, ..suite }.run();
    }
}

struct Suite<S: Scheme> {
    scheme: S,
    secrets: Vec<S::Secret>,
}

impl<S: Scheme> Suite<S> {
    fn run(&self) {
        self.single_signatures();
        self.attestations();
        self.a_quorum_makes_a_proof();
        self.too_few_do_not();
        self.changed_bytes_are_refused();
    }

    fn sign(&self, replica: ReplicaId, claim: &Claim) -> S::Signature {
        self.scheme.sign(&self.secrets[replica.index()], claim)
    }

    fn signatures(&self, count: usize, claim: &Claim) -> BTreeMap<ReplicaId, S::Signature> {
        self.scheme.committee().members().take(count).map(|replica| (replica, self.sign(replica, claim))).collect()
    }

    fn single_signatures(&self) {
        let claim = Claim { view: 3 };
        let signature = self.sign(ReplicaId(0), &claim);
        assert_eq!(self.scheme.verify(ReplicaId(0), &claim, &signature), Ok(()));
        assert!(self.scheme.verify(ReplicaId(0), &Claim { view: 4 }, &signature).is_err(), "another view");
        assert!(self.scheme.verify(ReplicaId(0), &OtherKind { view: 3 }, &signature).is_err(), "another kind");
        if self.secrets.len() > 1 {
            assert!(self.scheme.verify(ReplicaId(1), &claim, &signature).is_err(), "another signer");
        }
        let outsider = ReplicaId(u16::MAX);
        assert_eq!(self.scheme.verify(outsider, &claim, &signature), Err(CryptoError::UnknownSigner(outsider)));
    }

    fn attestations(&self) {
        let claim = Claim { view: 3 };
        let attestation = self.scheme.attest(&self.secrets[0], &claim);
        assert_eq!(self.scheme.verify_attestation(ReplicaId(0), &claim, &attestation), Ok(()));
        assert!(self.scheme.verify_attestation(ReplicaId(0), &Claim { view: 4 }, &attestation).is_err());
        assert!(self.scheme.verify_attestation(ReplicaId(0), &OtherKind { view: 3 }, &attestation).is_err());
        assert!(self.scheme.verify_attestation(ReplicaId(u16::MAX), &claim, &attestation).is_err());
    }

    fn a_quorum_makes_a_proof(&self) {
        let claim = Claim { view: 3 };
        for count in self.scheme.committee().quorum()..=self.scheme.committee().size() {
            let proof = self.scheme.combine(&claim, &self.signatures(count, &claim)).expect("a quorum combines");
            assert_eq!(self.scheme.verify_proof(&claim, &proof), Ok(()));
            let signers = S::ATTRIBUTABLE.then(|| self.scheme.committee().members().take(count).collect());
            assert_eq!(self.scheme.signers(&proof), signers);
            assert!(self.scheme.verify_proof(&Claim { view: 4 }, &proof).is_err(), "another view");
            assert!(self.scheme.verify_proof(&OtherKind { view: 3 }, &proof).is_err(), "another kind");
            let certificate = Certificate::<Claim, S> { statement: claim.clone(), proof };
            assert_eq!(decode::<Certificate<Claim, S>>(&encode(&certificate)), Ok(certificate));
        }
    }

    fn too_few_do_not(&self) {
        let claim = Claim { view: 3 };
        for count in 0..self.scheme.committee().quorum() {
            let combined = self.scheme.combine(&claim, &self.signatures(count, &claim));
            assert!(matches!(combined, Err(CryptoError::TooFewSigners { .. })), "{count} signers combined");
        }
    }

    /// No byte of a proof can be changed, and none added: this covers signer bits out of range, duplicate and missing
    /// signers, and every signature.
    fn changed_bytes_are_refused(&self) {
        let claim = Claim { view: 3 };
        let quorum = self.scheme.committee().quorum();
        let proof = self.scheme.combine(&claim, &self.signatures(quorum, &claim)).expect("a quorum combines");
        let bytes = encode(&proof);
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 0x81;
            if let Ok(proof) = decode::<S::Proof>(&changed) {
                assert!(self.scheme.verify_proof(&claim, &proof).is_err(), "byte {at} changed and accepted");
            }
        }
        let trailing = [bytes.as_slice(), &[0]].concat();
        assert!(decode::<S::Proof>(&trailing).is_err(), "trailing byte accepted");
        for cut in 0..bytes.len() {
            assert!(decode::<S::Proof>(&bytes[..cut]).is_err(), "proof cut at {cut} accepted");
        }
    }
}
