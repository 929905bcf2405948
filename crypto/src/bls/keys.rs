//! A member's own BLS key, for the multi-signature scheme.
//!
//! Whoever chooses its key as a function of the others' can make their sum a key that it knows alone (a *rogue key*), and sign
//! for all. So a key counts only with a proof of possession: a signature of the key itself, under a tag of its own.

use super::{SecretScalar, field::Scalar, point::Point, variant::Variant};
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    hash::{Hash, Hasher},
};
use zeroize::Zeroizing;

/// What one member signs with, wiped when dropped.
#[derive(Clone)]
pub struct BlsSecret<V: Variant> {
    scalar: SecretScalar,
    public: Point<V::Public>,
}

impl<V: Variant> BlsSecret<V> {
    /// A new key from the operating system's random source.
    ///
    /// # Panics
    /// If the operating system has no randomness to give: there is no safe way to go on.
    pub fn generate() -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut_slice()).expect("the operating system gives randomness");
        Self::from_seed(&seed)
    }

    /// The key of a 32-byte seed: the IETF draft's KeyGen.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self::from_scalar(SecretScalar::derive(seed, b"")).expect("KeyGen never gives zero")
    }

    /// Reads a scalar, greatest byte first. Zero and what is not below r are refused.
    pub fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        Self::from_scalar(SecretScalar::new(Scalar::from_bytes(bytes)?))
    }

    fn from_scalar(scalar: SecretScalar) -> Option<Self> {
        let public = V::public(&scalar)?;
        Some(Self { scalar, public })
    }

    /// The scalar, greatest byte first.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        self.scalar.expose().to_bytes()
    }

    /// The public half.
    pub fn public(&self) -> &Point<V::Public> {
        &self.public
    }

    /// Signs bytes under a tag.
    pub fn sign(&self, message: &[u8], tag: &[u8]) -> Point<V::Signature> {
        V::sign(&self.scalar, message, tag).expect("a key that is not zero signs")
    }

    /// The public key with the proof that we know its secret.
    pub fn prove(&self) -> ProvenKey<V> {
        let proof = self.sign(self.public.to_bytes().as_ref(), V::POSSESSION_TAG);
        ProvenKey { public_key: self.public, proof_of_possession: proof }
    }
}

/// Equal when the public halves are.
impl<V: Variant> PartialEq for BlsSecret<V> {
    fn eq(&self, other: &Self) -> bool {
        self.public == other.public
    }
}

impl<V: Variant> Eq for BlsSecret<V> {}

impl<V: Variant> Hash for BlsSecret<V> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.public.hash(state);
    }
}

impl<V: Variant> fmt::Debug for BlsSecret<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlsSecret(public {})", self.public)
    }
}

/// A public key and its proof of possession, as they stand in a genesis. [`BlsMulti::new`](super::BlsMulti::new) checks the proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(bound = "", deny_unknown_fields)]
pub struct ProvenKey<V: Variant> {
    /// The key.
    #[borsh(bound(serialize = "", deserialize = ""))]
    pub public_key: Point<V::Public>,
    /// Its signature of itself.
    #[borsh(bound(serialize = "", deserialize = ""))]
    pub proof_of_possession: Point<V::Signature>,
}

impl<V: Variant> ProvenKey<V> {
    /// Whether whoever made this knew the secret.
    pub fn is_proven(&self) -> bool {
        let message = self.public_key.to_bytes();
        V::verify(&self.public_key, message.as_ref(), V::POSSESSION_TAG, &self.proof_of_possession)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bls::{MinPk, MinSig};

    fn a_proof_proves_one_key<V: Variant>() {
        let (mine, other) = (BlsSecret::<V>::from_seed(&[1; 32]), BlsSecret::<V>::from_seed(&[2; 32]));
        assert!(mine.prove().is_proven());
        let borrowed = ProvenKey { proof_of_possession: other.prove().proof_of_possession, ..mine.prove() };
        assert!(!borrowed.is_proven());
        let signed = mine.sign(mine.public().to_bytes().as_ref(), V::SIGNATURE_TAG);
        assert!(!ProvenKey { proof_of_possession: signed, ..mine.prove() }.is_proven(), "the tag of votes");
    }

    #[test]
    fn a_proof_of_possession_proves_its_own_key_only() {
        a_proof_proves_one_key::<MinSig>();
        a_proof_proves_one_key::<MinPk>();
    }

    #[test]
    fn zero_and_too_great_scalars_are_no_keys() {
        assert_eq!(BlsSecret::<MinSig>::from_bytes(&[0; 32]), None);
        assert_eq!(BlsSecret::<MinSig>::from_bytes(&[0xff; 32]), None);
    }

    #[test]
    fn a_proven_key_round_trips_as_text() {
        let key = BlsSecret::<MinSig>::from_seed(&[1; 32]).prove();
        let text = serde_json::to_string(&key).expect("text");
        assert_eq!(serde_json::from_str::<ProvenKey<MinSig>>(&text).expect("the same"), key);
    }
}
