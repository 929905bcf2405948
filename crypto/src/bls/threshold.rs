//! Votes as partial signatures under shares of one key; a proof is the one signature that any quorum of them gives.
//!
//! The certificate is a single point, the same whoever signed, and **names nobody**: any `t` shares can make the partial of
//! any other member, so partials are no evidence either. What is, is the ed25519 half of a vote ([`BlsVote`]).
//!
//! On arrival the ed25519 half is checked. A quorum is combined first and the result checked once; only if that fails, each
//! partial is checked against the public share that follows from the commitments.

use super::{
    errors::SchemeError,
    lagrange::Cache,
    point::Point,
    polynomial::{Commitments, Share, interpolate},
    share_index,
    variant::Variant,
    vote::BlsVote,
};
use crate::{
    Committee, CryptoError, Ed25519Signature, Price, Scheme, Statement, VoteSecret, ed25519::attestation, signing_bytes,
};
use quorate_types::ReplicaId;
use std::{
    collections::BTreeMap,
    fmt,
    hash::{Hash, Hasher},
    sync::{Arc, OnceLock},
};

/// The scheme: a committee, and commitments to the polynomial whose values its members hold. Cheap to clone.
#[derive(Clone)]
pub struct BlsThreshold<V: Variant>(Arc<Inner<V>>);

struct Inner<V: Variant> {
    committee: Committee,
    commitments: Commitments<V>,
    /// Each costs `t` small multiplications and is wanted only when a vote is bad: computed on first use.
    public_shares: Vec<OnceLock<Option<Point<V::Public>>>>,
    coefficients: Cache,
}

/// What one member signs with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThresholdSecret {
    /// Makes partial signatures.
    pub share: Share,
    /// Signs the partials, and what stands alone.
    pub vote: VoteSecret,
}

/// Equal shares are of equal indices, and a vote key is one member's.
impl Hash for ThresholdSecret {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.share.index(), &self.vote).hash(state);
    }
}

impl<V: Variant> BlsThreshold<V> {
    /// Checks that the commitments are those of a threshold that is the committee's quorum.
    pub fn new(committee: Committee, commitments: Commitments<V>) -> Result<Self, SchemeError> {
        let (have, need) = (commitments.threshold(), committee.quorum());
        if have != need {
            return Err(SchemeError::Threshold { have, need });
        }
        let public_shares = committee.members().map(|_| OnceLock::new()).collect();
        Ok(Self(Arc::new(Inner { committee, commitments, public_shares, coefficients: Cache::default() })))
    }

    /// What the committee committed to.
    pub fn commitments(&self) -> &Commitments<V> {
        &self.0.commitments
    }

    /// Whether `share` is the one that `replica` was dealt. Each node asks this of its own share before it signs anything.
    pub fn is_share_of(&self, replica: ReplicaId, share: &Share) -> bool {
        share.index() == share_index(replica)
            && share.public::<V>().is_some_and(|public| self.public_share(replica) == Some(public))
    }

    fn public_share(&self, replica: ReplicaId) -> Option<Point<V::Public>> {
        let compute = || self.0.commitments.public_share(share_index(replica));
        *self.0.public_shares.get(replica.index())?.get_or_init(compute)
    }

    fn is_partial(&self, signer: ReplicaId, bytes: &[u8], partial: &Point<V::Signature>) -> bool {
        self.public_share(signer).is_some_and(|key| V::verify(&key, bytes, V::SIGNATURE_TAG, partial))
    }
}

impl<V: Variant> Scheme for BlsThreshold<V> {
    type Signature = BlsVote<V::Signature>;
    type Attestation = Ed25519Signature;
    type Proof = Point<V::Signature>;
    type Secret = ThresholdSecret;
    const NAME: &'static str = "bls-threshold";
    const ATTRIBUTABLE: bool = false;

    fn committee(&self) -> &Committee {
        &self.0.committee
    }

    fn price(&self) -> Price {
        Price::PAIRING
    }

    fn authenticators(&self, _proof: &Point<V::Signature>) -> usize {
        1
    }

    fn sign<T: Statement>(&self, secret: &ThresholdSecret, statement: &T) -> BlsVote<V::Signature> {
        let bytes = signing_bytes(&self.0.committee, statement);
        let partial = secret.share.sign::<V>(&bytes, V::SIGNATURE_TAG);
        let partial = partial.expect("a node checked its share against commitments, none of which is the identity");
        BlsVote::new(self, &secret.vote, statement, partial)
    }

    fn verify<T: Statement>(
        &self,
        signer: ReplicaId,
        statement: &T,
        vote: &BlsVote<V::Signature>,
    ) -> Result<(), CryptoError> {
        self.admit(signer, statement, vote)?;
        let is_good = self.is_partial(signer, &signing_bytes(&self.0.committee, statement), &vote.partial);
        if is_good { Ok(()) } else { Err(CryptoError::BadSignature(signer)) }
    }

    fn admit<T: Statement>(
        &self,
        signer: ReplicaId,
        statement: &T,
        vote: &BlsVote<V::Signature>,
    ) -> Result<(), CryptoError> {
        vote.verify_author(self, signer, statement)
    }

    fn combine<T: Statement>(
        &self,
        statement: &T,
        votes: &BTreeMap<ReplicaId, BlsVote<V::Signature>>,
    ) -> Result<Point<V::Signature>, CryptoError> {
        if let Some(outsider) = votes.keys().find(|signer| !self.0.committee.contains(**signer)) {
            return Err(CryptoError::UnknownSigner(*outsider));
        }
        let need = self.0.committee.quorum();
        if votes.len() < need {
            return Err(CryptoError::TooFewSigners { have: votes.len(), need });
        }
        let signers: Vec<_> = votes.keys().copied().take(need).collect();
        let coefficients = self.0.coefficients.coefficients(&signers).ok_or(CryptoError::MalformedProof)?;
        let partials = votes.values().take(need).map(|vote| &vote.partial);
        match interpolate::<V>(partials, &coefficients) {
            Some(proof) if self.verify_proof(statement, &proof).is_ok() => Ok(proof),
            _ => Err(crate::scheme::blame(self, statement, votes)),
        }
    }

    fn verify_proof<T: Statement>(&self, statement: &T, proof: &Point<V::Signature>) -> Result<(), CryptoError> {
        let bytes = signing_bytes(&self.0.committee, statement);
        let is_good = V::verify(self.0.commitments.group_key(), &bytes, V::SIGNATURE_TAG, proof);
        if is_good { Ok(()) } else { Err(CryptoError::BadProof) }
    }

    fn attest<T: Statement>(&self, secret: &ThresholdSecret, statement: &T) -> Ed25519Signature {
        attestation::sign(&secret.vote, &signing_bytes(&self.0.committee, statement))
    }

    fn verify_attestation<T: Statement>(
        &self,
        signer: ReplicaId,
        statement: &T,
        attestation: &Ed25519Signature,
    ) -> Result<(), CryptoError> {
        attestation::verify(&self.0.committee, signer, &signing_bytes(&self.0.committee, statement), attestation)
    }
}

impl<V: Variant> PartialEq for BlsThreshold<V> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || (self.0.committee == other.0.committee && self.0.commitments == other.0.commitments)
    }
}

impl<V: Variant> Eq for BlsThreshold<V> {}

impl<V: Variant> Hash for BlsThreshold<V> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.committee.hash(state);
    }
}

impl<V: Variant> fmt::Debug for BlsThreshold<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "threshold signatures of a {:?}", self.0.committee)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        bls::{MinPk, MinSig, Polynomial},
        conformance::{self, Claim, bls_threshold, committee, threshold_secret, vote_secret},
    };

    fn conforms<V: Variant>() {
        let secret = |scheme: &BlsThreshold<V>, replica| threshold_secret(scheme.committee(), replica);
        // A liar signs the pair in its own name, with a share that is not its own.
        let liar = |scheme: &BlsThreshold<V>, replica: ReplicaId| {
            let other = ReplicaId((replica.0 + 1) % scheme.committee().size() as u16);
            let share = Share::from_bytes(share_index(replica), &conformance_share(scheme, other)).expect("a scalar");
            ThresholdSecret { share, vote: vote_secret(replica) }
        };
        conformance::run(bls_threshold::<V>, secret, liar);
    }

    fn conformance_share<V: Variant>(scheme: &BlsThreshold<V>, replica: ReplicaId) -> [u8; 32] {
        // In a committee of one there is no other share: any scalar but its own will do.
        if scheme.committee().size() == 1 {
            [1; 32]
        } else {
            *threshold_secret(scheme.committee(), replica).share.to_bytes()
        }
    }

    #[test]
    fn min_sig_conforms() {
        conforms::<MinSig>();
    }

    #[test]
    fn min_pk_conforms() {
        conforms::<MinPk>();
    }

    #[test]
    fn the_threshold_must_be_the_quorum() {
        for threshold in [1, 2, 4] {
            let commitments = Polynomial::derive(&[1; 32], b"", threshold).commitments::<MinSig>();
            let refused = BlsThreshold::new(committee(4), commitments);
            assert_eq!(refused, Err(SchemeError::Threshold { have: threshold, need: 3 }));
        }
    }

    #[test]
    fn every_quorum_gives_the_same_certificate() {
        let scheme = bls_threshold::<MinSig>(4);
        let claim = Claim { view: 1 };
        let vote = |i: u16| (ReplicaId(i), scheme.sign(&threshold_secret(scheme.committee(), ReplicaId(i)), &claim));
        let proofs = [[0, 1, 2], [1, 2, 3], [0, 2, 3]]
            .map(|set| scheme.combine(&claim, &set.map(vote).into()).expect("a quorum"));
        assert!(proofs.iter().all(|proof| *proof == proofs[0]));
    }

    #[test]
    fn a_node_knows_its_own_share() {
        let scheme = bls_threshold::<MinSig>(4);
        let share = |i: u16| threshold_secret(scheme.committee(), ReplicaId(i)).share;
        assert!(scheme.is_share_of(ReplicaId(2), &share(2)));
        assert!(!scheme.is_share_of(ReplicaId(1), &share(2)));
        let renamed = Share::from_bytes(2, &share(2).to_bytes()).expect("a scalar");
        assert!(!scheme.is_share_of(ReplicaId(1), &renamed));
    }

    #[test]
    fn a_partial_of_another_member_is_not_admitted_and_no_evidence_against_him() {
        let scheme = bls_threshold::<MinSig>(4);
        let claim = Claim { view: 1 };
        let theirs = scheme.sign(&threshold_secret(scheme.committee(), ReplicaId(1)), &claim);
        assert_eq!(scheme.admit(ReplicaId(0), &claim, &theirs), Err(CryptoError::BadSignature(ReplicaId(0))));
        let own = scheme.sign(&threshold_secret(scheme.committee(), ReplicaId(0)), &claim);
        let mixed = BlsVote { partial: own.partial, ..theirs };
        assert_eq!(scheme.admit(ReplicaId(1), &claim, &mixed), Err(CryptoError::BadSignature(ReplicaId(1))));
    }
}
