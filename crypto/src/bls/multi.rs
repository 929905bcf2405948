//! Votes as BLS signatures under each member's own key; a proof is a bitmap of signers and the sum of their signatures.
//!
//! Attributable: the bitmap says who signed, and proofs of possession see to it that nobody can be made to seem to have. Of a vote
//! ([`BlsVote`]) the ed25519 half is checked on arrival; the sum of a quorum's BLS halves is, once, and only if that fails each singly.

use super::{
    errors::SchemeError,
    group::Group,
    keys::{BlsSecret, ProvenKey},
    point::Point,
    variant::Variant,
    vote::BlsVote,
};
use crate::{
    Committee, CryptoError, Ed25519Signature, Price, Scheme, Signers, Statement, VoteSecret, ed25519::attestation,
    signing_bytes,
};
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_types::ReplicaId;
use std::{
    collections::BTreeMap,
    hash::{Hash, Hasher},
    sync::Arc,
};

/// The scheme: a committee and its members' BLS keys, all of them proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlsMulti<V: Variant> {
    committee: Committee,
    keys: Arc<[Point<V::Public>]>,
}

/// What one member signs with: votes with the BLS key, all else with the ed25519 key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MultiSecret<V: Variant> {
    /// Signs votes.
    pub bls: BlsSecret<V>,
    /// Signs what stands alone.
    pub vote: VoteSecret,
}

/// Who signed, and the sum of their signatures.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct MultiProof<G: Group> {
    signers: Signers,
    #[borsh(bound(serialize = "", deserialize = ""))]
    signature: Point<G>,
}

impl<V: Variant> BlsMulti<V> {
    /// Checks each member's proof of possession, in the committee's order, and that the keys are unrelated.
    pub fn new(committee: Committee, keys: &[ProvenKey<V>]) -> Result<Self, SchemeError> {
        if keys.len() != committee.size() {
            return Err(SchemeError::Count { have: keys.len(), need: committee.size() });
        }
        if let Some((member, _)) = committee.members().zip(keys).find(|(_, key)| !key.is_proven()) {
            return Err(SchemeError::Unproven(member));
        }
        let keys: Arc<[_]> = keys.iter().map(|key| key.public_key).collect();
        refuse_related(&committee, &keys)?;
        Ok(Self { committee, keys })
    }

    /// Whether `secret` is of the key that `replica` has here. Each node asks this of its own before it signs anything.
    pub fn is_key_of(&self, replica: ReplicaId, secret: &BlsSecret<V>) -> bool {
        self.key(replica) == Ok(secret.public())
    }

    fn key(&self, signer: ReplicaId) -> Result<&Point<V::Public>, CryptoError> {
        self.keys.get(signer.index()).ok_or(CryptoError::UnknownSigner(signer))
    }

    fn is_proof(&self, signers: &[ReplicaId], bytes: &[u8], signature: &Point<V::Signature>) -> bool {
        let keys = signers.iter().filter_map(|signer| self.keys.get(signer.index()));
        V::verify_all(keys, bytes, V::SIGNATURE_TAG, signature)
    }
}

/// Keys with the same x are equal or opposite: in the compressed form they differ in the sign bit at most.
fn refuse_related<G: Group>(committee: &Committee, keys: &[Point<G>]) -> Result<(), SchemeError> {
    const SIGN: u8 = 0x20;
    let mut seen = BTreeMap::new();
    for (second, key) in committee.members().zip(keys) {
        let mut x = key.to_bytes().as_ref().to_vec();
        x[0] &= !SIGN;
        if let Some(first) = seen.insert(x, second) {
            return Err(SchemeError::Related { first, second });
        }
    }
    if G::sum(keys.iter().map(Point::element)).is_identity() { Err(SchemeError::SumToZero) } else { Ok(()) }
}

impl<V: Variant> Hash for BlsMulti<V> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.committee.hash(state);
    }
}

impl<V: Variant> Scheme for BlsMulti<V> {
    type Signature = BlsVote<V::Signature>;
    type Attestation = Ed25519Signature;
    type Proof = MultiProof<V::Signature>;
    type Secret = MultiSecret<V>;
    const NAME: &'static str = "bls-multi";
    const ATTRIBUTABLE: bool = true;

    fn committee(&self) -> &Committee {
        &self.committee
    }

    fn price(&self) -> Price {
        Price::PAIRING
    }

    fn authenticators(&self, _proof: &MultiProof<V::Signature>) -> usize {
        1
    }

    fn sign<T: Statement>(&self, secret: &MultiSecret<V>, statement: &T) -> BlsVote<V::Signature> {
        let partial = secret.bls.sign(&signing_bytes(&self.committee, statement), V::SIGNATURE_TAG);
        BlsVote::new(self, &secret.vote, statement, partial)
    }

    fn verify<T: Statement>(
        &self,
        signer: ReplicaId,
        statement: &T,
        vote: &BlsVote<V::Signature>,
    ) -> Result<(), CryptoError> {
        self.admit(signer, statement, vote)?;
        let bytes = signing_bytes(&self.committee, statement);
        let is_good = V::verify(self.key(signer)?, &bytes, V::SIGNATURE_TAG, &vote.partial);
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
    ) -> Result<MultiProof<V::Signature>, CryptoError> {
        let signers = Signers::new(&self.committee, votes.keys().copied())?;
        let members = signers.quorum(&self.committee)?;
        let bytes = signing_bytes(&self.committee, statement);
        let sum = V::Signature::sum(votes.values().map(|vote| vote.partial.element()));
        match Point::new(sum) {
            Ok(signature) if self.is_proof(&members, &bytes, &signature) => Ok(MultiProof { signers, signature }),
            _ => Err(crate::scheme::blame(self, statement, votes)),
        }
    }

    fn verify_proof<T: Statement>(&self, statement: &T, proof: &MultiProof<V::Signature>) -> Result<(), CryptoError> {
        let signers = proof.signers.quorum(&self.committee)?;
        let bytes = signing_bytes(&self.committee, statement);
        if self.is_proof(&signers, &bytes, &proof.signature) { Ok(()) } else { Err(CryptoError::BadProof) }
    }

    fn signers(&self, proof: &MultiProof<V::Signature>) -> Option<Vec<ReplicaId>> {
        proof.signers.quorum(&self.committee).ok()
    }

    fn attest<T: Statement>(&self, secret: &MultiSecret<V>, statement: &T) -> Ed25519Signature {
        attestation::sign(&secret.vote, &signing_bytes(&self.committee, statement))
    }

    fn verify_attestation<T: Statement>(
        &self,
        signer: ReplicaId,
        statement: &T,
        attestation: &Ed25519Signature,
    ) -> Result<(), CryptoError> {
        attestation::verify(&self.committee, signer, &signing_bytes(&self.committee, statement), attestation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        bls::{MinPk, MinSig, Scalar, SecretScalar},
        conformance::{self, Claim, bls_multi, bls_multi_secret, bls_secret, committee},
    };

    fn conforms<V: Variant>() {
        // A liar's vote is well formed, and of another statement.
        let secret = |_: &BlsMulti<V>, replica| bls_multi_secret(replica);
        let liar =
            |_: &BlsMulti<V>, replica| MultiSecret { bls: bls_secret(ReplicaId(700)), ..bls_multi_secret(replica) };
        conformance::run(bls_multi::<V>, secret, liar);
    }

    #[test]
    fn min_sig_conforms() {
        conforms::<MinSig>();
    }

    #[test]
    fn min_pk_conforms() {
        conforms::<MinPk>();
    }

    fn keys(n: u16) -> Vec<ProvenKey<MinSig>> {
        (0..n).map(|replica| bls_secret(ReplicaId(replica)).prove()).collect()
    }

    fn of_scalar(scalar: Scalar) -> ProvenKey<MinSig> {
        BlsSecret::from_bytes(&scalar.to_bytes()).expect("not zero").prove()
    }

    #[test]
    fn a_rogue_key_does_not_enter_a_genesis() {
        // The attacker's key minus the keys of the others: their sum is a key that the attacker knows.
        let honest = keys(3);
        let own = bls_secret::<MinSig>(ReplicaId(50));
        let minus = |point: &Point<_>| of_negative(point);
        let rogue = <MinSig as Variant>::Public::sum(
            std::iter::once(*own.public().element())
                .chain(honest.iter().map(|key| minus(&key.public_key)))
                .collect::<Vec<_>>()
                .iter(),
        );
        let rogue = Point::new(rogue).expect("not the identity");
        let mut all = honest;
        all.push(ProvenKey { public_key: rogue, proof_of_possession: own.prove().proof_of_possession });
        let forged = own.sign(b"nobody said so", MinSig::SIGNATURE_TAG);
        let sum_is_his = MinSig::verify_all(
            all.iter().map(|key| &key.public_key),
            b"nobody said so",
            MinSig::SIGNATURE_TAG,
            &forged,
        );
        assert!(sum_is_his, "the attack works wherever the proof is not checked");
        assert_eq!(BlsMulti::new(committee(4), &all), Err(SchemeError::Unproven(ReplicaId(3))));
    }

    fn of_negative<G: Group>(point: &Point<G>) -> G {
        G::combine(&[*point.element()], &[Scalar::default().sub(Scalar::from(1))])
    }

    #[test]
    fn equal_opposite_and_cancelling_keys_are_refused() {
        let (a, b) = (SecretScalar::derive(&[1; 32], b"a").expose(), SecretScalar::derive(&[1; 32], b"b").expose());
        let zero = Scalar::default();
        let make = |scalars: [Scalar; 4]| BlsMulti::new(committee(4), &scalars.map(of_scalar));
        let related = |first, second| SchemeError::Related { first: ReplicaId(first), second: ReplicaId(second) };
        assert_eq!(make([a, b, a, a.add(b)]), Err(related(0, 2)));
        assert_eq!(make([a, b, a.add(b), zero.sub(b)]), Err(related(1, 3)));
        let c = a.mul(b);
        assert_eq!(make([a, b, c, zero.sub(a.add(b).add(c))]), Err(SchemeError::SumToZero));
        assert_eq!(BlsMulti::new(committee(4), &keys(3)), Err(SchemeError::Count { have: 3, need: 4 }));
    }

    #[test]
    fn signers_whose_keys_cancel_out_prove_nothing() {
        // Members 0, 1 and 2, three of four and a quorum, chose keys that sum to zero: any sum of theirs is the identity.
        let (a, b) = (SecretScalar::derive(&[1; 32], b"a").expose(), SecretScalar::derive(&[1; 32], b"b").expose());
        let last = Scalar::default().sub(a.add(b));
        let scheme = BlsMulti::new(committee(4), &[a, b, last, a.mul(b)].map(of_scalar)).expect("not all four");
        let claim = Claim { view: 1 };
        let votes = [a, b, last].into_iter().enumerate().map(|(i, scalar)| {
            let bls = BlsSecret::from_bytes(&scalar.to_bytes()).expect("not zero");
            let secret = MultiSecret { bls, ..bls_multi_secret(ReplicaId(i as u16)) };
            (ReplicaId(i as u16), scheme.sign(&secret, &claim))
        });
        let votes = votes.collect();
        assert_eq!(
            scheme.combine(&claim, &votes),
            Err(CryptoError::MalformedProof),
            "no signature is bad, and none is proof"
        );
        assert!(scheme.combine(&claim, &votes.into_iter().take(2).collect()).is_err());
    }
}
