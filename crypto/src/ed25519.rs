//! Votes as single ed25519 signatures; a proof is a bitmap of signers and their signatures in order.
//!
//! Attributable: a proof names everybody who signed it. Its size grows with the quorum, 64 bytes a signer.

use crate::{Committee, CryptoError, Scheme, Signers, Statement, VoteSecret, keys::is_signed, signing_bytes};
use borsh::{BorshDeserialize, BorshSerialize};
use ed25519_dalek::Signer;
use quorate_types::{BoundedVec, ReplicaId, limits};
use std::collections::BTreeMap;

/// The scheme: a committee whose members sign singly.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ed25519List(Committee);

/// 64 bytes, RFC 8032.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Ed25519Signature(pub [u8; 64]);

/// Who signed, and their signatures in the order of the bitmap.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Ed25519Proof {
    signers: Signers,
    signatures: BoundedVec<Ed25519Signature, { limits::REPLICAS }>,
}

impl Ed25519List {
    /// The scheme of `committee`.
    pub fn new(committee: Committee) -> Self {
        Self(committee)
    }

    fn verify_bytes(&self, signer: ReplicaId, bytes: &[u8], signature: &Ed25519Signature) -> Result<(), CryptoError> {
        let key = self.0.vote_key(signer).ok_or(CryptoError::UnknownSigner(signer))?;
        if is_signed(key, bytes, &signature.0) { Ok(()) } else { Err(CryptoError::BadSignature(signer)) }
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

    fn sign<T: Statement>(&self, secret: &VoteSecret, statement: &T) -> Ed25519Signature {
        Ed25519Signature(secret.0.sign(&signing_bytes(&self.0, statement)).to_bytes())
    }

    fn verify<T: Statement>(
        &self,
        signer: ReplicaId,
        statement: &T,
        signature: &Ed25519Signature,
    ) -> Result<(), CryptoError> {
        self.verify_bytes(signer, &signing_bytes(&self.0, statement), signature)
    }

    fn combine<T: Statement>(
        &self,
        _statement: &T,
        signatures: &BTreeMap<ReplicaId, Ed25519Signature>,
    ) -> Result<Ed25519Proof, CryptoError> {
        let signers = Signers::new(&self.0, signatures.keys().copied())?;
        signers.quorum(&self.0)?;
        let signatures = BoundedVec::new(signatures.values().cloned().collect());
        Ok(Ed25519Proof { signers, signatures: signatures.map_err(|_| CryptoError::MalformedProof)? })
    }

    fn verify_proof<T: Statement>(&self, statement: &T, proof: &Ed25519Proof) -> Result<(), CryptoError> {
        let signers = proof.signers.quorum(&self.0)?;
        if signers.len() != proof.signatures.len() {
            return Err(CryptoError::MalformedProof);
        }
        let bytes = signing_bytes(&self.0, statement);
        for (signer, signature) in signers.into_iter().zip(&proof.signatures) {
            self.verify_bytes(signer, &bytes, signature)?;
        }
        Ok(())
    }

    fn signers(&self, proof: &Ed25519Proof) -> Option<Vec<ReplicaId>> {
        proof.signers.quorum(&self.0).ok()
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
        conformance::run(|n| Ed25519List::new(committee(n)), |_, replica| vote_secret(replica));
    }
}
