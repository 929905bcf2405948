//! A proof that is a list: a bitmap of signers, and their signatures in its order.

use crate::{Committee, CryptoError, Signers};
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_types::{BoundedVec, ReplicaId, limits};
use std::collections::BTreeMap;

/// Who signed, and their signatures in the order of the bitmap.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct ListProof<S> {
    signers: Signers,
    signatures: BoundedVec<S, { limits::REPLICAS }>,
}

impl<S: Clone> ListProof<S> {
    /// The proof that these signatures are, if a quorum's. They were checked when they were admitted.
    pub(crate) fn new(committee: &Committee, signatures: &BTreeMap<ReplicaId, S>) -> Result<Self, CryptoError> {
        let signers = Signers::new(committee, signatures.keys().copied())?;
        signers.quorum(committee)?;
        let signatures = BoundedVec::new(signatures.values().cloned().collect());
        Ok(Self { signers, signatures: signatures.map_err(|_| CryptoError::MalformedProof)? })
    }

    /// Checks that a quorum signed, each singly.
    pub(crate) fn verify(
        &self,
        committee: &Committee,
        check: impl Fn(ReplicaId, &S) -> Result<(), CryptoError>,
    ) -> Result<(), CryptoError> {
        let signers = self.signers.quorum(committee)?;
        if signers.len() != self.signatures.len() {
            return Err(CryptoError::MalformedProof);
        }
        signers.into_iter().zip(&self.signatures).try_for_each(|(signer, signature)| check(signer, signature))
    }

    /// How many signatures it holds.
    pub(crate) fn len(&self) -> usize {
        self.signatures.len()
    }

    /// Who signed, if the bitmap is one of this committee and has a quorum.
    pub(crate) fn signers(&self, committee: &Committee) -> Option<Vec<ReplicaId>> {
        self.signers.quorum(committee).ok()
    }
}
