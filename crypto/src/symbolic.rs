//! Perfect cryptography for simulation: a signature is a keyed SHA-256, which only the holder of the secret can make.
//!
//! About fifty times cheaper than ed25519. The scheme value knows every secret, to verify with; the simulated replicas never
//! look. Not for networks: whoever can verify can forge.

use crate::{Committee, CryptoError, ListProof, Price, Scheme, Statement, signing_bytes};
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_types::{Digest, Domain, ReplicaId};
use std::{collections::BTreeMap, sync::Arc};

/// The scheme: a committee and the seed from which its members' secrets follow.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Symbolic {
    committee: Committee,
    seed: u64,
    /// Those of the members, in their order.
    keys: Arc<[Digest]>,
}

/// What one replica signs with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SymbolicSecret {
    replica: ReplicaId,
    key: Digest,
}

/// A keyed hash of the statement.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct SymbolicSignature(Digest);

impl SymbolicSignature {
    pub(crate) fn digest(&self) -> &Digest {
        &self.0
    }
}

/// Who signed, and their signatures.
pub type SymbolicProof = ListProof<SymbolicSignature>;

impl Symbolic {
    /// The scheme of `committee` under `seed`.
    pub fn new(committee: Committee, seed: u64) -> Self {
        let keys = committee.members().map(|member| Self::key(seed, member)).collect();
        Self { committee, seed, keys }
    }

    fn key(seed: u64, replica: ReplicaId) -> Digest {
        Digest::of(Domain::SYMBOLIC, &(seed, replica))
    }

    /// The secret of one member. An attacker in a simulation is given its own and its colluders', no others.
    pub fn secret(&self, replica: ReplicaId) -> SymbolicSecret {
        SymbolicSecret { replica, key: Self::key(self.seed, replica) }
    }

    fn mac(key: &Digest, bytes: &[u8]) -> SymbolicSignature {
        SymbolicSignature(Digest::of_bytes(Domain::SYMBOLIC, &[&key.0, bytes].concat()))
    }

    fn verify_bytes(&self, signer: ReplicaId, bytes: &[u8], signature: &SymbolicSignature) -> Result<(), CryptoError> {
        let key = self.keys.get(signer.index()).ok_or(CryptoError::UnknownSigner(signer))?;
        if Self::mac(key, bytes) != *signature {
            return Err(CryptoError::BadSignature(signer));
        }
        Ok(())
    }
}

impl Scheme for Symbolic {
    type Signature = SymbolicSignature;
    type Attestation = SymbolicSignature;
    type Proof = SymbolicProof;
    type Secret = SymbolicSecret;
    const NAME: &'static str = "symbolic";
    const ATTRIBUTABLE: bool = true;

    fn committee(&self) -> &Committee {
        &self.committee
    }

    fn price(&self) -> Price {
        Price::LIST
    }

    fn authenticators(&self, proof: &SymbolicProof) -> usize {
        proof.len()
    }

    fn sign<T: Statement>(&self, secret: &SymbolicSecret, statement: &T) -> SymbolicSignature {
        Self::mac(&secret.key, &signing_bytes(&self.committee, statement))
    }

    fn verify<T: Statement>(
        &self,
        signer: ReplicaId,
        statement: &T,
        signature: &SymbolicSignature,
    ) -> Result<(), CryptoError> {
        self.verify_bytes(signer, &signing_bytes(&self.committee, statement), signature)
    }

    fn combine<T: Statement>(
        &self,
        _statement: &T,
        signatures: &BTreeMap<ReplicaId, SymbolicSignature>,
    ) -> Result<SymbolicProof, CryptoError> {
        ListProof::new(&self.committee, signatures)
    }

    fn verify_proof<T: Statement>(&self, statement: &T, proof: &SymbolicProof) -> Result<(), CryptoError> {
        let bytes = signing_bytes(&self.committee, statement);
        proof.verify(&self.committee, |signer, signature| self.verify_bytes(signer, &bytes, signature))
    }

    fn signers(&self, proof: &SymbolicProof) -> Option<Vec<ReplicaId>> {
        proof.signers(&self.committee)
    }

    fn attest<T: Statement>(&self, secret: &SymbolicSecret, statement: &T) -> SymbolicSignature {
        self.sign(secret, statement)
    }

    fn verify_attestation<T: Statement>(
        &self,
        signer: ReplicaId,
        statement: &T,
        attestation: &SymbolicSignature,
    ) -> Result<(), CryptoError> {
        self.verify(signer, statement, attestation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{self, committee};

    #[test]
    fn conforms() {
        let liar = |scheme: &Symbolic, replica: ReplicaId| scheme.secret(ReplicaId(replica.0 + 1));
        conformance::run(|n| Symbolic::new(committee(n), 7), |scheme, replica| scheme.secret(replica), liar);
    }
}
