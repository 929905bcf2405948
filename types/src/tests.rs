//! The wire format: nothing decodes but what encodes to the same bytes, and the format does not change by accident.

use crate::{
    Account, Batch, Block, BoundedVec, ChainId, Digest, Epoch, Header, Height, ReplicaId, Transaction, TransactionBody,
    View, decode, encode, merkle,
};
use borsh::{BorshDeserialize, BorshSerialize};
use proptest::prelude::*;

fn transaction(nonce: u64, payload: &[u8]) -> Transaction {
    let payload = BoundedVec::new(payload.to_vec()).expect("short");
    let body = TransactionBody { chain: ChainId(Digest([1; 32])), sender: Account::from_key([2; 32]), nonce, payload };
    Transaction { body, signature: [3; 64] }
}

fn batch() -> Batch {
    Batch::new(vec![transaction(0, b"abc"), transaction(0x0102_0304_0506_0708, b"")]).expect("small")
}

fn block() -> Block {
    let payload = vec![batch().digest(), Digest([4; 32])];
    let header = Header {
        chain: ChainId(Digest([1; 32])),
        epoch: Epoch(0),
        height: Height(5),
        view: View(0x0102_0304_0506_0708),
        parent: Digest([5; 32]),
        proposer: ReplicaId(0x0102),
        payload_root: Block::payload_root(&payload),
        state_root: Digest([6; 32]),
        timestamp: 1_700_000_000_000,
    };
    Block { header, payload: BoundedVec::new(payload).expect("short") }
}

fn path() -> merkle::Path {
    let leaves: Vec<_> = (0..7u8).map(|leaf| merkle::leaf_hash(&[leaf])).collect();
    merkle::prove(&leaves, 3).expect("inside")
}

/// What decodes at all encodes to the same bytes.
fn is_canonical<T: BorshDeserialize + BorshSerialize>(bytes: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(value) = decode::<T>(bytes) {
        prop_assert_eq!(encode(&value), bytes);
    }
    Ok(())
}

fn are_canonical(bytes: &[u8]) -> Result<(), TestCaseError> {
    is_canonical::<Transaction>(bytes)?;
    is_canonical::<TransactionBody>(bytes)?;
    is_canonical::<Batch>(bytes)?;
    is_canonical::<Header>(bytes)?;
    is_canonical::<Block>(bytes)?;
    is_canonical::<merkle::Path>(bytes)?;
    is_canonical::<Digest>(bytes)
}

fn valid() -> [Vec<u8>; 5] {
    [encode(&transaction(7, b"payload")), encode(&batch()), encode(&block().header), encode(&block()), encode(&path())]
}

proptest! {
    #[test]
    fn random_bytes_decode_only_if_canonical(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        are_canonical(&bytes)?;
    }

    #[test]
    fn changed_bytes_decode_only_if_canonical(
        which in 0usize..5,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in proptest::option::of(any::<prop::sample::Index>()),
        tail in proptest::collection::vec(any::<u8>(), 0..3),
    ) {
        let mut bytes = valid()[which].clone();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        bytes.extend(tail);
        are_canonical(&bytes)?;
    }

    #[test]
    fn transactions_and_batches_survive_the_wire(
        payloads in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..50), 1..8),
    ) {
        let transactions = payloads.iter().zip(0..).map(|(payload, nonce)| transaction(nonce, payload)).collect();
        let batch = Batch::new(transactions).expect("small");
        let again: Batch = decode(&encode(&batch)).expect("just encoded");
        prop_assert_eq!(again.digest(), batch.digest());
        prop_assert_eq!(again, batch);
    }
}

#[test]
fn every_cut_and_every_byte_behind_is_refused() {
    fn refuses<T: BorshDeserialize>(bytes: &[u8]) {
        assert!(decode::<T>(bytes).is_ok());
        assert!((0..bytes.len()).all(|cut| decode::<T>(&bytes[..cut]).is_err()));
        assert!(decode::<T>(&[bytes, &[0]].concat()).is_err());
    }
    let [transaction, batch, header, block, path] = valid();
    refuses::<Transaction>(&transaction);
    refuses::<Batch>(&batch);
    refuses::<Header>(&header);
    refuses::<Block>(&block);
    refuses::<merkle::Path>(&path);
}

/// If this fails, every chain and every peer of another version is cut off: raise the versions in [`crate::Domain`] and on
/// the wire, then write down the new values.
#[test]
fn the_format_is_the_one_written_down() {
    let hex = |bytes: Vec<u8>| hex::encode(bytes);
    let transaction_hex =
        ["01".repeat(32), "02".repeat(32), "0000000000000000".into(), "03000000616263".into(), "03".repeat(64)]
            .concat();
    let second_hex =
        ["01".repeat(32), "02".repeat(32), "0807060504030201".into(), "00000000".into(), "03".repeat(64)].concat();
    assert_eq!(hex(encode(&transaction(0, b"abc"))), transaction_hex);
    assert_eq!(hex(encode(&batch())), format!("02000000{transaction_hex}{second_hex}"));
    let block = block();
    let (first, root) = (batch().digest(), block.header.payload_root);
    let header_hex = [
        "01".repeat(32),
        "0000000000000000".into(),
        "0500000000000000".into(),
        "0807060504030201".into(),
        "05".repeat(32),
        "0201".into(),
        root.to_string(),
        "06".repeat(32),
        "0068e5cf8b010000".into(),
    ]
    .concat();
    assert_eq!(hex(encode(&block)), format!("{header_hex}02000000{first}{}", "04".repeat(32)));
    let digests = [
        (
            "transaction",
            transaction(0, b"abc").digest(),
            "e698e35ca919650ee45dfdf69d80817788f978890d74302ef901c217ff4de71b",
        ),
        (
            "what its sender signs",
            Digest(transaction(0, b"abc").body.signing_bytes()),
            "bad5321393452989e651037940b69f6883420619e9cc1f2b5a7680cef3831817",
        ),
        ("batch", first, "a96735782d410c1643cb60f5d30c4210f060461d46758a5967252da1ac9f64b4"),
        ("payload root", root, "6eec99a466b744533d1ddd98a412400b5447d7c22ab010462bcf25b9eb149b50"),
        ("block", block.digest(), "b7e850cb80944b9152dd1f0077418351e87ee2f0793cdc0ee1620e31c94b82f7"),
    ];
    for (what, digest, written) in digests {
        assert_eq!(digest.to_string(), written, "{what}");
    }
}
