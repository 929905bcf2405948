//! A set of replicas as a bitmap.

use crate::{Committee, CryptoError};
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_types::{BoundedVec, ReplicaId, limits};

const MAX_BYTES: usize = limits::REPLICAS / 8;

/// Who signed: bit `i % 8` of byte `i / 8` for replica `i`. Exactly `ceil(n / 8)` bytes, no bit at or above `n`, so a set
/// has one encoding.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Signers(BoundedVec<u8, MAX_BYTES>);

impl Signers {
    /// The bitmap of `replicas`, which must be members.
    pub fn new(committee: &Committee, replicas: impl IntoIterator<Item = ReplicaId>) -> Result<Self, CryptoError> {
        let mut bytes = vec![0u8; committee.size().div_ceil(8)];
        for replica in replicas {
            if !committee.contains(replica) {
                return Err(CryptoError::UnknownSigner(replica));
            }
            bytes[replica.index() / 8] |= 1 << (replica.index() % 8);
        }
        Ok(Self(BoundedVec::new(bytes).expect("a committee has at most 1024 members")))
    }

    /// No bitmap: for proofs that tell nobody who signed.
    pub(crate) fn untold() -> Self {
        Self(BoundedVec::default())
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The set's members in order, if it is well formed for `committee` and has a quorum.
    pub fn quorum(&self, committee: &Committee) -> Result<Vec<ReplicaId>, CryptoError> {
        if self.0.len() != committee.size().div_ceil(8) {
            return Err(CryptoError::MalformedProof);
        }
        let is_set = |index: usize| self.0[index / 8] & (1 << (index % 8)) != 0;
        if (committee.size()..self.0.len() * 8).any(is_set) {
            return Err(CryptoError::MalformedProof);
        }
        let signers: Vec<_> = committee.members().filter(|replica| is_set(replica.index())).collect();
        if signers.len() < committee.quorum() {
            return Err(CryptoError::TooFewSigners { have: signers.len(), need: committee.quorum() });
        }
        Ok(signers)
    }
}
