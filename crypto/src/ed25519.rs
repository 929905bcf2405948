//! Votes as single ed25519 signatures; a proof is a list of them.
//!
//! Attributable: a proof names everybody who signed it. Its size grows with the quorum, 64 bytes a signer.

use crate::{Committee, CryptoError, ListProof, Price, Scheme, Statement, VoteSecret, signing_bytes};
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_types::ReplicaId;
use std::collections::BTreeMap;

/// The scheme: a committee whose members sign singly.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ed25519List(Committee);

/// 64 bytes, RFC 8032.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Ed25519Signature(pub [u8; 64]);

/// Who signed, and their signatures.
pub type Ed25519Proof = ListProof<Ed25519Signature>;

/// Signatures that stand alone. Every real scheme has them, under the members' ed25519 vote keys.
pub(crate) mod attestation {
    use super::Ed25519Signature;
    use crate::{Committee, CryptoError, VoteSecret, keys::is_signed};
    use ed25519_dalek::Signer;
    use quorate_types::ReplicaId;

    pub(crate) fn sign(secret: &VoteSecret, bytes: &[u8]) -> Ed25519Signature {
        Ed25519Signature(secret.0.sign(bytes).to_bytes())
    }

    pub(crate) fn verify(
        committee: &Committee,
        signer: ReplicaId,
        bytes: &[u8],
        signature: &Ed25519Signature,
    ) -> Result<(), CryptoError> {
        let key = committee.vote_key(signer).ok_or(CryptoError::UnknownSigner(signer))?;
        if is_signed(key, bytes, &signature.0) { Ok(()) } else { Err(CryptoError::BadSignature(signer)) }
    }
}

impl Ed25519List {
    /// The scheme of `committee`.
    pub fn new(committee: Committee) -> Self {
        Self(committee)
    }
}

impl Scheme for Ed25519List {
    type Signature = Ed25519Signature;
    type Attestation = Ed25519Signature;
    type Proof = Ed25519Proof;
    type Secret = VoteSecret;
    const NAME: &'static str = "ed25519";
    const ATTRIBUTABLE: bool = true;

    fn committee(&self) -> &Committee {
        &self.0
    }

    fn price(&self) -> Price {
        Price::LIST
    }

    fn authenticators(&self, proof: &Ed25519Proof) -> usize {
        proof.len()
    }

    fn sign<T: Statement>(&self, secret: &VoteSecret, statement: &T) -> Ed25519Signature {
        attestation::sign(secret, &signing_bytes(&self.0, statement))
    }

    fn verify<T: Statement>(
        &self,
        signer: ReplicaId,
        statement: &T,
        signature: &Ed25519Signature,
    ) -> Result<(), CryptoError> {
        attestation::verify(&self.0, signer, &signing_bytes(&self.0, statement), signature)
    }

    fn combine<T: Statement>(
        &self,
        _statement: &T,
        signatures: &BTreeMap<ReplicaId, Ed25519Signature>,
    ) -> Result<Ed25519Proof, CryptoError> {
        ListProof::new(&self.0, signatures)
    }

    fn verify_proof<T: Statement>(&self, statement: &T, proof: &Ed25519Proof) -> Result<(), CryptoError> {
        let bytes = signing_bytes(&self.0, statement);
        proof.verify(&self.0, |signer, signature| attestation::verify(&self.0, signer, &bytes, signature))
    }

    fn signers(&self, proof: &Ed25519Proof) -> Option<Vec<ReplicaId>> {
        proof.signers(&self.0)
    }

    fn attest<T: Statement>(&self, secret: &VoteSecret, statement: &T) -> Ed25519Signature {
        self.sign(secret, statement)
    }

    fn verify_attestation<T: Statement>(
        &self,
        signer: ReplicaId,
        statement: &T,
        attestation: &Ed25519Signature,
    ) -> Result<(), CryptoError> {
        self.verify(signer, statement, attestation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{self, committee, vote_secret};

    #[test]
    fn conforms() {
        let liar = |_: &_, replica: ReplicaId| vote_secret(ReplicaId(replica.0 + 1));
        conformance::run(|n| Ed25519List::new(committee(n)), |_, replica| vote_secret(replica), liar);
    }
}
