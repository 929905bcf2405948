//! Values of the sizes that occur, for benchmarks.

use quorate_types::{Account, Batch, BoundedVec, ChainId, Digest, Transaction, TransactionBody};
use std::sync::Arc;

/// Bytes of a payload.
pub const PAYLOAD: usize = 512;
/// Clients that send in turn.
const CLIENTS: u64 = 64;

/// The transaction `index` of 64 clients who send 512 bytes each in turn, without a signature.
///
/// # Panics
/// Never: the payload is short.
pub fn transaction(chain: ChainId, index: u64) -> Transaction {
    let sender = Account::from_key([u8::try_from(index % CLIENTS).unwrap_or_default(); 32]);
    let payload = BoundedVec::new(vec![7; PAYLOAD]).expect("a short payload");
    Transaction { body: TransactionBody { chain, sender, nonce: index / CLIENTS, payload }, signature: [0; 64] }
}

/// A batch of so many transactions, from `first` on.
///
/// # Panics
/// If so many are more than a batch may hold.
pub fn batch(chain: ChainId, first: u64, count: u64) -> Arc<Batch> {
    let transactions = (first..first + count).map(|index| transaction(chain, index)).collect();
    Arc::new(Batch::new(transactions).expect("as many as a batch may hold"))
}

/// A chain that there is not.
pub fn chain() -> ChainId {
    ChainId(Digest([1; 32]))
}
