//! What clients sign.

use crate::{BoundedVec, ChainId, Digest, Domain, encode, limits};
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

/// A client: the 32 bytes of its ed25519 public key. Shown as hexadecimal.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Account(pub Digest);

impl Account {
    /// The account of a public key.
    pub fn from_key(public_key: [u8; 32]) -> Self {
        Self(Digest(public_key))
    }

    /// The public key's bytes. They need not be a valid point: whoever checks a signature finds out.
    pub fn key(&self) -> &[u8; 32] {
        &self.0.0
    }
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "account {}", self.0.short())
    }
}

impl std::fmt::Display for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// The signed part of a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct TransactionBody {
    /// The chain it is meant for, so that it cannot be replayed on another.
    pub chain: ChainId,
    /// Who sends it.
    pub sender: Account,
    /// The sender's sequence number, from 0 without gaps: what makes a transaction apply at most once.
    pub nonce: u64,
    /// What the application reads.
    pub payload: BoundedVec<u8, { limits::TRANSACTION_PAYLOAD }>,
}

/// A body with its sender's ed25519 signature over [`TransactionBody::signing_bytes`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Transaction {
    /// What was signed.
    pub body: TransactionBody,
    /// ed25519, checked strictly before the transaction enters any batch.
    pub signature: [u8; 64],
}

impl TransactionBody {
    /// What the sender signs: a digest in a domain of its own.
    pub fn signing_bytes(&self) -> [u8; 32] {
        Digest::of(Domain::TRANSACTION_BODY, self).0
    }
}

impl Transaction {
    /// The transaction's name: a digest over body and signature.
    pub fn digest(&self) -> Digest {
        Digest::of(Domain::TRANSACTION, self)
    }

    /// Its leaf in a batch's tree.
    pub fn leaf(&self) -> Digest {
        crate::merkle::leaf_hash(&encode(self))
    }
}
