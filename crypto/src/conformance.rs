//! What every scheme must do. Each scheme's tests call [`run`].

use crate::{
    Certificate, Committee, CryptoError, IdentitySecret, Member, Scheme, Statement, VoteSecret,
    bls::{BlsMulti, BlsSecret, BlsThreshold, Dealing, MinSig, MultiSecret, ThresholdSecret, Variant, deal_from},
};
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_types::{ChainId, Digest, Epoch, ReplicaId, decode, encode};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

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

/// The identity key of a replica in [`committee`].
pub fn identity_secret(replica: ReplicaId) -> IdentitySecret {
    IdentitySecret::from_seed(seed(replica, 2))
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
    // Making and checking keys costs more than most of what is done with them here.
    static KNOWN: Mutex<BTreeMap<usize, Committee>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.entry(n).or_insert_with(|| new_committee(chain, epoch, n)).elsewhere(chain, epoch)
}

fn new_committee(chain: ChainId, epoch: Epoch, n: usize) -> Committee {
    let member = |index: usize| {
        let replica = ReplicaId(u16::try_from(index).expect("a committee is small"));
        let identity = identity_secret(replica).public();
        Member { identity, vote: vote_secret(replica).public() }
    };
    Committee::new(chain, epoch, (0..n).map(member).collect()).expect("keys from distinct seeds are good")
}

/// The BLS key of a replica in [`bls_multi`].
pub fn bls_secret<V: Variant>(replica: ReplicaId) -> BlsSecret<V> {
    BlsSecret::from_seed(&seed(replica, 3))
}

/// What a replica in [`bls_multi`] signs with.
pub fn bls_multi_secret<V: Variant>(replica: ReplicaId) -> MultiSecret<V> {
    MultiSecret { bls: bls_secret(replica), vote: vote_secret(replica) }
}

/// Multi-signatures of [`committee`] with known keys.
pub fn bls_multi<V: Variant>(n: usize) -> BlsMulti<V> {
    bls_multi_of(committee(n))
}

/// Multi-signatures of a committee of the same keys on any chain.
///
/// # Panics
/// Never: keys from distinct seeds are proven and unrelated.
pub fn bls_multi_of<V: Variant>(committee: Committee) -> BlsMulti<V> {
    let keys: Vec<_> = committee.members().map(|replica| bls_secret(replica).prove()).collect();
    BlsMulti::new(committee, &keys).expect("keys from distinct seeds are good")
}

/// The key dealt to a committee of this size, always the same. Shares do not depend on the variant.
fn dealing<V: Variant>(committee: &Committee) -> Dealing<V> {
    deal_from(&[4; 32], committee.size(), committee.quorum())
}

/// What a replica in [`bls_threshold`] signs with.
///
/// # Panics
/// If there is no such replica.
pub fn threshold_secret(committee: &Committee, replica: ReplicaId) -> ThresholdSecret {
    let share = dealing::<MinSig>(committee).shares[replica.index()].clone();
    ThresholdSecret { share, vote: vote_secret(replica) }
}

/// Threshold signatures of [`committee`] with known shares.
pub fn bls_threshold<V: Variant>(n: usize) -> BlsThreshold<V> {
    bls_threshold_of(committee(n))
}

/// Threshold signatures of a committee of the same keys on any chain.
///
/// # Panics
/// Never: the dealing's threshold is the committee's quorum.
pub fn bls_threshold_of<V: Variant>(committee: Committee) -> BlsThreshold<V> {
    let commitments = dealing(&committee).commitments;
    BlsThreshold::new(committee, commitments).expect("dealt for this quorum")
}

/// Runs the whole suite for the schemes that `scheme` makes for committees of `n`. `liar` gives a secret with which a member's
/// signatures are bad.
///
/// # Panics
/// When the scheme does not conform.
pub fn run<S: Scheme>(
    scheme: impl Fn(usize) -> S,
    secret: impl Fn(&S, ReplicaId) -> S::Secret,
    liar: impl Fn(&S, ReplicaId) -> S::Secret,
) {
    for n in [1, 4, 5, 7, 9] {
        let scheme = scheme(n);
        let secrets =
            |of: &dyn Fn(&S, ReplicaId) -> S::Secret| scheme.committee().members().map(|r| of(&scheme, r)).collect();
        let (honest, lying) = (secrets(&secret), secrets(&liar));
        Suite { scheme, secrets: honest, lying }.run();
    }
}

struct Suite<S: Scheme> {
    scheme: S,
    secrets: Vec<S::Secret>,
    lying: Vec<S::Secret>,
}

impl<S: Scheme> Suite<S> {
    fn run(&self) {
        self.single_signatures();
        self.attestations();
        self.a_quorum_makes_a_proof();
        self.too_few_do_not();
        self.changed_bytes_are_refused();
        self.outsiders_are_refused();
        self.liars_are_named_and_the_others_prove();
        self.a_liar_at_each_place_is_named_alone();
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

    /// Chains and epochs are kept apart by what is signed, which is one function for all schemes: see its own test.
    fn outsiders_are_refused(&self) {
        let claim = Claim { view: 3 };
        let mut signatures = self.signatures(self.scheme.committee().size(), &claim);
        let outsider = ReplicaId(u16::try_from(self.scheme.committee().size()).expect("a committee is small"));
        let borrowed = signatures[&ReplicaId(0)].clone();
        assert_eq!(self.scheme.admit(outsider, &claim, &borrowed), Err(CryptoError::UnknownSigner(outsider)));
        signatures.insert(outsider, borrowed);
        assert_eq!(self.scheme.combine(&claim, &signatures), Err(CryptoError::UnknownSigner(outsider)));
    }

    /// The signatures of all members, those of `liars` bad, as far as they are admitted.
    fn admitted(&self, liars: &[ReplicaId], claim: &Claim) -> BTreeMap<ReplicaId, S::Signature> {
        let sign = |replica: ReplicaId| {
            let secrets = if liars.contains(&replica) { &self.lying } else { &self.secrets };
            (replica, self.scheme.sign(&secrets[replica.index()], claim))
        };
        let signed = self.scheme.committee().members().map(sign);
        signed.filter(|(replica, signature)| self.scheme.admit(*replica, claim, signature).is_ok()).collect()
    }

    /// A bad signature is refused on arrival, or named by `combine` and nobody else with it. Without it the rest combine.
    fn check_liars(&self, liars: &[ReplicaId]) {
        let claim = Claim { view: 3 };
        for liar in liars {
            let bad = self.scheme.sign(&self.lying[liar.index()], &claim);
            assert!(self.scheme.verify(*liar, &claim, &bad).is_err(), "the bad signature of {liar} is not bad");
        }
        let mut admitted = self.admitted(liars, &claim);
        if let Err(refusal) = self.scheme.combine(&claim, &admitted) {
            let caught: Vec<_> = liars.iter().copied().filter(|liar| admitted.contains_key(liar)).collect();
            assert_eq!(refusal, CryptoError::BadSignatures(caught));
            admitted.retain(|replica, _| !liars.contains(replica));
        }
        let proof = self.scheme.combine(&claim, &admitted).expect("the honest are a quorum");
        assert_eq!(self.scheme.verify_proof(&claim, &proof), Ok(()));
    }

    fn liars_are_named_and_the_others_prove(&self) {
        let f = self.scheme.committee().max_faulty();
        self.check_liars(&self.scheme.committee().members().take(f).collect::<Vec<_>>());
        self.check_liars(&self.scheme.committee().members().skip(1).take(f).collect::<Vec<_>>());
    }

    fn a_liar_at_each_place_is_named_alone(&self) {
        if self.scheme.committee().max_faulty() > 0 {
            self.scheme.committee().members().for_each(|liar| self.check_liars(&[liar]));
        }
    }
}
