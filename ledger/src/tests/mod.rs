//! A small chain to test the ledger with. A block's commit proof is its digest, so that tests can tell true from false ones.

mod blocks;
mod chunks;
mod faulty;
mod journal;
mod kv;
mod proofs;
mod redb;
mod reopen;
mod segments;
mod snapshots;
mod speculation;
mod tamper;
mod vectors;

use crate::{CommittedBlock, Disk, Genesis, Index, KvOp, Ledger, MemoryDisk, MemoryIndex, user_key};
use quorate_crypto::ClientSecret;
use quorate_types::{Batch, Block, BoundedVec, Digest, Header, ReplicaId, Transaction, TransactionBody, View, encode};
use std::sync::Arc;

type Memory = Ledger<MemoryDisk, MemoryIndex>;

fn genesis() -> Genesis {
    crate::genesis::tests::genesis(4)
}

/// The client with a balance of 1000.
fn rich() -> ClientSecret {
    ClientSecret::from_seed([9; 32])
}

/// A client with nothing.
fn poor() -> ClientSecret {
    ClientSecret::from_seed([10; 32])
}

fn bytes<const MAX: usize>(text: impl AsRef<[u8]>) -> BoundedVec<u8, MAX> {
    BoundedVec::new(text.as_ref().to_vec()).expect("short")
}

fn put(key: &str, value: &str) -> KvOp {
    KvOp::Put { key: bytes(key), value: bytes(value) }
}

fn raw(from: &ClientSecret, nonce: u64, payload: &[u8]) -> Transaction {
    let chain = genesis().chain_id();
    from.sign(TransactionBody { chain, sender: from.account(), nonce, payload: bytes(payload) })
}

fn tx(from: &ClientSecret, nonce: u64, op: &KvOp) -> Transaction {
    raw(from, nonce, &encode(op))
}

fn batch(transactions: impl IntoIterator<Item = Transaction>) -> Arc<Batch> {
    Arc::new(Batch::new(transactions.into_iter().collect()).expect("a small batch"))
}

fn memory() -> Memory {
    Ledger::open(MemoryDisk::default(), MemoryIndex::default(), &genesis()).expect("an empty ledger opens")
}

/// The proof that tests believe.
fn proof(block: &Digest) -> Vec<u8> {
    block.0.to_vec()
}

fn anchor(header: &Header, given: &[u8]) -> Result<(), String> {
    if given == proof(&header.digest()) { Ok(()) } else { Err("not the digest".to_owned()) }
}

/// Builds a block above `parent`, without committing it.
fn build<D: Disk, I: Index>(ledger: &mut Ledger<D, I>, parent: &Digest, view: u64, batches: Vec<Arc<Batch>>) -> Block {
    let now = 1_000 + view;
    ledger.build(parent, View(view), ReplicaId(0), batches, now).expect("it stands above an executed block")
}

/// Builds a block above the head and commits it.
fn extend<D: Disk, I: Index>(ledger: &mut Ledger<D, I>, batches: Vec<Arc<Batch>>) -> CommittedBlock {
    let view = ledger.head().height.0 + 1;
    let block = build(ledger, &ledger.head().digest(), view, batches);
    let mut committed = ledger.commit(&block.digest(), proof(&block.digest())).expect("it was built here");
    assert_eq!(committed.len(), 1);
    committed.remove(0)
}

/// `height` blocks: each gives the key `k` the value of its height, in two batches.
fn grow<D: Disk, I: Index>(ledger: &mut Ledger<D, I>, height: u64) {
    while ledger.head().height.0 < height {
        let next = ledger.head().height.0;
        let first = batch([tx(&rich(), 2 * next, &put("k", &format!("{}", next + 1)))]);
        let second = batch([tx(&rich(), 2 * next + 1, &put(&format!("at {}", next + 1), "x"))]);
        extend(ledger, vec![first, second]);
    }
}

fn value<D: Disk, I: Index>(ledger: &Ledger<D, I>, key: &str) -> Option<String> {
    ledger.get(&user_key(key.as_bytes())).map(|bytes| String::from_utf8(bytes).expect("text"))
}

/// Checks that a ledger answers as if [`grow`] had just made it, in every table of its index.
fn assert_grown<D: Disk, I: Index>(ledger: &Ledger<D, I>, height: u64) {
    let mut reference = memory();
    grow(&mut reference, height);
    assert_eq!(ledger.head(), reference.head());
    assert_eq!(ledger.history(), reference.history());
    assert_eq!(ledger.state.root(), reference.state.root());
    for table in [crate::Table::Digest, crate::Table::Transaction, crate::Table::State] {
        assert_eq!(
            ledger.index.all(table).expect("readable"),
            reference.index.all(table).expect("memory"),
            "{table:?}"
        );
    }
    for at in 0..=height {
        let height = quorate_types::Height(at);
        assert_eq!(ledger.block(height).expect("readable"), reference.block(height).expect("memory"));
    }
}
