//! What a client verifies by itself. No IO, no ledger: a proof, the digest or key asked for, and a way to check commit proofs.

use crate::{Outcome, StateProof};
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_types::{Digest, Domain, Header, Transaction, encode, merkle};

/// The headers above a block up to one that has a commit proof, and that proof.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Finality {
    /// Ascending; empty if the block has a proof of its own.
    pub descendants: Vec<Header>,
    /// Proves the last of them, or the block itself.
    pub proof: Vec<u8>,
}

/// Why a proof proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// It is about something else than what was asked for.
    #[error("the proof is about another {0}")]
    AboutSomethingElse(&'static str),
    /// A Merkle path does not lead to the root that the header names.
    #[error("the {0} is not in the block that the header names")]
    NotIncluded(&'static str),
    /// The headers above the block are not a chain.
    #[error("the headers above the block are not a chain")]
    BrokenChain,
    /// Nobody made the block final.
    #[error("the block is not proven final: {0}")]
    NotFinal(String),
}

/// How a header's commit proof is checked.
pub type Anchor<'a> = &'a dyn Fn(&Header, &[u8]) -> Result<(), String>;

/// The leaf of a transaction's outcome in its block's outcome tree.
pub fn outcome_leaf(transaction: &Digest, outcome: &Outcome) -> Digest {
    merkle::leaf_hash(&encode(&(transaction, outcome)))
}

/// RFC 6962 root over what a block's transactions did, in order.
pub fn outcomes_root(outcomes: &[(Digest, Outcome)]) -> Digest {
    let leaves: Vec<_> = outcomes.iter().map(|(transaction, outcome)| outcome_leaf(transaction, outcome)).collect();
    merkle::root(&leaves)
}

/// The state root of a header: the application's state, and what the block's transactions did.
pub fn state_root(app_root: &Digest, outcomes_root: &Digest) -> Digest {
    Digest::of(Domain::STATE, &(app_root, outcomes_root))
}

impl Finality {
    /// Checks that `header` is final.
    pub fn verify(&self, header: &Header, anchor: Anchor<'_>) -> Result<(), ProofError> {
        let mut last = header;
        for above in &self.descendants {
            if above.parent != last.digest() || above.height != last.height.next() {
                return Err(ProofError::BrokenChain);
            }
            last = above;
        }
        anchor(last, &self.proof).map_err(ProofError::NotFinal)
    }
}

/// Proof that a transaction is in the ledger, and of what it did.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct TransactionProof {
    /// The transaction.
    pub transaction: Transaction,
    /// Its index in its batch, and the batch's length.
    pub position: (u64, u64),
    /// From the transaction to the batch's digest.
    pub in_batch: merkle::Path,
    /// The batch's index in the block, and the number of batches.
    pub batch: (u64, u64),
    /// From the batch to the header's payload root.
    pub in_block: merkle::Path,
    /// What it did.
    pub outcome: Outcome,
    /// Its index among the block's transactions, and their number.
    pub outcome_position: (u64, u64),
    /// From the outcome to the outcomes root.
    pub outcome_path: merkle::Path,
    /// The other half of the header's state root.
    pub app_root: Digest,
    /// The block.
    pub header: Header,
    /// That the block is final.
    pub finality: Finality,
}

impl TransactionProof {
    /// Checks everything, and returns what the transaction did.
    pub fn verify(&self, transaction: &Digest, anchor: Anchor<'_>) -> Result<Outcome, ProofError> {
        if self.transaction.digest() != *transaction {
            return Err(ProofError::AboutSomethingElse("transaction"));
        }
        let (index, size) = self.position;
        let batch = self.in_batch.root(self.transaction.leaf(), index, size);
        let batch = batch.ok_or(ProofError::NotIncluded("transaction"))?;
        let (index, size) = self.batch;
        if self.in_block.root(merkle::leaf_hash(&batch.0), index, size) != Some(self.header.payload_root) {
            return Err(ProofError::NotIncluded("transaction"));
        }
        let (index, size) = self.outcome_position;
        let outcomes = self.outcome_path.root(outcome_leaf(transaction, &self.outcome), index, size);
        let outcomes = outcomes.ok_or(ProofError::NotIncluded("outcome"))?;
        if state_root(&self.app_root, &outcomes) != self.header.state_root {
            return Err(ProofError::NotIncluded("outcome"));
        }
        self.finality.verify(&self.header, anchor)?;
        Ok(self.outcome)
    }
}

/// A value of the state at a block, or its absence, with proof.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct StateAnswer {
    /// The value, if there is one.
    pub value: Option<Vec<u8>>,
    /// From the key to the application's root.
    pub proof: StateProof,
    /// The other half of the header's state root.
    pub outcomes_root: Digest,
    /// The block.
    pub header: Header,
    /// That the block is final.
    pub finality: Finality,
}

impl StateAnswer {
    /// Checks that `key` has this value, or none, after the block, and that the block is final.
    pub fn verify(&self, key: &[u8], anchor: Anchor<'_>) -> Result<(), ProofError> {
        let root = self.proof.root(key, self.value.as_deref()).ok_or(ProofError::NotIncluded("key"))?;
        if state_root(&root, &self.outcomes_root) != self.header.state_root {
            return Err(ProofError::NotIncluded("key"));
        }
        self.finality.verify(&self.header, anchor)
    }
}
