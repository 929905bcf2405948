//! Transactions that travel and are ordered together.

use crate::{
    BoundedVec, Digest, Transaction,
    codec::{encoded_len, invalid},
    limits, merkle,
};
use borsh::{BorshDeserialize, BorshSerialize, io};

/// A list of transactions, named by the RFC 6962 root over them: a fetched body checks itself.
///
/// At least one transaction, at most [`limits::BATCH_TRANSACTIONS`] and [`limits::BATCH_BYTES`] encoded. The name is
/// computed once, when the batch is made or decoded.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Batch {
    transactions: BoundedVec<Transaction, { limits::BATCH_TRANSACTIONS }>,
    digest: Digest,
}

/// Why transactions cannot form a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// A batch without transactions says nothing.
    #[error("a batch needs at least one transaction")]
    Empty,
    /// Over [`limits::BATCH_TRANSACTIONS`].
    #[error("{0}")]
    TooMany(#[from] crate::codec::TooMany),
    /// Over [`limits::BATCH_BYTES`].
    #[error("a batch of {bytes} bytes where at most {max} are allowed")]
    TooLarge {
        /// Encoded size.
        bytes: usize,
        /// The limit.
        max: usize,
    },
}

impl Batch {
    /// Makes a batch of `transactions`, in this order.
    pub fn new(transactions: Vec<Transaction>) -> Result<Self, BatchError> {
        Self::of(BoundedVec::new(transactions)?)
    }

    fn of(transactions: BoundedVec<Transaction, { limits::BATCH_TRANSACTIONS }>) -> Result<Self, BatchError> {
        if transactions.is_empty() {
            return Err(BatchError::Empty);
        }
        let bytes = encoded_len(&transactions);
        if bytes > limits::BATCH_BYTES {
            return Err(BatchError::TooLarge { bytes, max: limits::BATCH_BYTES });
        }
        let leaves: Vec<_> = transactions.iter().map(Transaction::leaf).collect();
        Ok(Self { digest: merkle::root(&leaves), transactions })
    }

    /// The batch's name: the Merkle root over its transactions.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The transactions, in order.
    pub fn transactions(&self) -> &[Transaction] {
        &self.transactions
    }

    /// Proof that the transaction at `index` stands in this batch.
    pub fn prove(&self, index: usize) -> Option<merkle::Path> {
        let leaves: Vec<_> = self.transactions.iter().map(Transaction::leaf).collect();
        merkle::prove(&leaves, index)
    }
}

impl BorshSerialize for Batch {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        self.transactions.serialize(writer)
    }
}

impl BorshDeserialize for Batch {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        Self::of(BoundedVec::deserialize_reader(reader)?).map_err(|error| invalid(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Account, ChainId, TransactionBody, decode, encode};

    pub(crate) fn transaction(nonce: u64, payload: usize) -> Transaction {
        Transaction {
            body: TransactionBody {
                chain: ChainId(Digest::ZERO),
                sender: Account::from_key([1; 32]),
                nonce,
                payload: BoundedVec::new(vec![7; payload]).expect("short"),
            },
            signature: [2; 64],
        }
    }

    #[test]
    fn the_digest_is_the_tree_root_and_survives_the_wire() {
        let batch = Batch::new(vec![transaction(0, 3), transaction(1, 4)]).expect("small");
        let leaves = [transaction(0, 3).leaf(), transaction(1, 4).leaf()];
        assert_eq!(batch.digest(), merkle::root(&leaves));
        assert_eq!(decode::<Batch>(&encode(&batch)), Ok(batch));
    }

    #[test]
    fn empty_and_oversized_batches_do_not_exist() {
        assert_eq!(Batch::new(vec![]), Err(BatchError::Empty));
        assert!(decode::<Batch>(&0u32.to_le_bytes()).is_err());
        let large: Vec<_> = (0..9).map(|nonce| transaction(nonce, limits::TRANSACTION_PAYLOAD)).collect();
        assert!(matches!(Batch::new(large.clone()), Err(BatchError::TooLarge { .. })));
        assert!(decode::<Batch>(&encode(&large)).is_err());
    }

    #[test]
    fn one_transaction_of_the_greatest_size_fits() {
        assert!(Batch::new(vec![transaction(0, limits::TRANSACTION_PAYLOAD)]).is_ok());
    }
}
