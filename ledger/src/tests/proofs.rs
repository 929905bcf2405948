//! Proofs that a client verifies: true ones hold, and none holds when anything in it is changed.

use super::{Memory, anchor, batch, build, memory, poor, proof, put, rich, tx};
use crate::{FailCode, Outcome, ProofError, StateAnswer, TransactionProof, account_key, user_key};
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_types::{BoundedVec, ChainId, Digest, Epoch, Header, Height, ReplicaId, View, decode, encode, merkle};

/// Three blocks with one proof; what is proven is the last of five transactions in the first.
fn ledger() -> (Memory, Digest) {
    let mut ledger = memory();
    let proven = tx(&poor(), 1, &put("mine", "2"));
    let first = (0..3).map(|nonce| tx(&rich(), nonce, &put(&format!("key {nonce}"), "v")));
    let second = [tx(&poor(), 0, &put("mine", "1")), proven.clone()];
    let mut parent = ledger.head().digest();
    for (view, batches) in [vec![batch(first), batch(second)], vec![], vec![]].into_iter().enumerate() {
        parent = build(&mut ledger, &parent, view as u64 + 1, batches).digest();
    }
    ledger.commit(&parent, proof(&parent)).expect("executed");
    (ledger, proven.digest())
}

/// Every change of one byte that still decodes.
fn changed_bytes<T: BorshSerialize + BorshDeserialize>(good: &T) -> Vec<(usize, T)> {
    let bytes = encode(good);
    let mut all = Vec::new();
    for at in 0..bytes.len() {
        for mask in [0x01, 0x80, 0xff] {
            let mut changed = bytes.clone();
            changed[at] ^= mask;
            all.extend(decode(&changed).ok().map(|changed| (at, changed)));
        }
    }
    all
}

type Change<T> = (&'static str, fn(&mut T));

type HeaderChange = (&'static str, fn(&mut Header));

fn header_changes() -> [HeaderChange; 9] {
    [
        ("chain", |h| h.chain = ChainId(Digest([1; 32]))),
        ("epoch", |h| h.epoch = Epoch(1)),
        ("height", |h| h.height = Height(7)),
        ("view", |h| h.view = View(9)),
        ("parent", |h| h.parent = Digest([1; 32])),
        ("proposer", |h| h.proposer = ReplicaId(3)),
        ("payload_root", |h| h.payload_root = Digest([1; 32])),
        ("state_root", |h| h.state_root = Digest([1; 32])),
        ("timestamp", |h| h.timestamp += 1),
    ]
}

#[test]
fn a_transaction_proof_holds_and_no_changed_byte_of_it_does() {
    let (ledger, transaction) = ledger();
    let good = ledger.prove_transaction(&transaction).expect("readable").expect("there");
    assert_eq!(good.verify(&transaction, &anchor), Ok(Outcome::Applied));
    assert_eq!((good.position, good.batch, good.outcome_position), ((1, 2), (1, 2), (4, 5)));
    for (at, changed) in changed_bytes(&good) {
        assert!(changed.verify(&transaction, &anchor).is_err(), "byte {at}: {changed:?}");
    }
}

#[test]
fn no_field_of_a_transaction_proof_can_be_changed() {
    let (ledger, transaction) = ledger();
    let good = ledger.prove_transaction(&transaction).expect("readable").expect("there");
    let shorter = |path: &mut merkle::Path| path.siblings = BoundedVec::default();
    let changes: [Change<TransactionProof>; 17] = [
        ("nonce", |p| p.transaction.body.nonce += 1),
        ("signature", |p| p.transaction.signature[0] ^= 1),
        ("index", |p| p.position.0 = 0),
        ("length", |p| p.position.1 = 3),
        ("path", |p| p.in_batch = merkle::Path::default()),
        ("batch index", |p| p.batch.0 = 0),
        ("batches", |p| p.batch.1 = 3),
        ("batch path", |p| p.in_block = p.in_batch.clone()),
        ("failed", |p| p.outcome = Outcome::Failed(FailCode::CompareFailed)),
        ("outcome index", |p| p.outcome_position.0 = 3),
        ("outcomes", |p| p.outcome_position.1 = 6),
        ("outcome path", |p| p.outcome_path = p.in_block.clone()),
        ("app root", |p| p.app_root = Digest([1; 32])),
        ("proof", |p| p.finality.proof[0] ^= 1),
        ("no proof", |p| p.finality.proof.clear()),
        ("a descendant less", |p| _ = p.finality.descendants.pop()),
        ("the middle left out", |p| _ = p.finality.descendants.remove(0)),
    ];
    for (what, change) in changes {
        let mut bad = good.clone();
        change(&mut bad);
        assert!(bad.verify(&transaction, &anchor).is_err(), "{what}");
    }
    for (what, change) in header_changes() {
        let mut bad = good.clone();
        change(&mut bad.header);
        assert!(bad.verify(&transaction, &anchor).is_err(), "{what} of the header");
        for at in 0..good.finality.descendants.len() {
            let mut bad = good.clone();
            change(&mut bad.finality.descendants[at]);
            assert!(bad.verify(&transaction, &anchor).is_err(), "{what} of descendant {at}");
        }
    }
    let mut bad = good.clone();
    shorter(&mut bad.outcome_path);
    assert_eq!(bad.verify(&transaction, &anchor), Err(ProofError::NotIncluded("outcome")));
    let about = ProofError::AboutSomethingElse("transaction");
    assert_eq!(good.verify(&Digest([1; 32]), &anchor), Err(about), "a proof of another transaction");
    let nobody = |_: &Header, _: &[u8]| Err("no".to_owned());
    assert_eq!(good.verify(&transaction, &nobody), Err(ProofError::NotFinal("no".to_owned())));
}

#[test]
fn one_transactions_outcome_does_not_pass_for_anothers() {
    let (ledger, transaction) = ledger();
    let block = ledger.block(Height(1)).expect("readable").expect("there");
    let other = block.batches[0].transactions()[2].digest();
    let mut mixed = ledger.prove_transaction(&transaction).expect("readable").expect("there");
    let foreign = ledger.prove_transaction(&other).expect("readable").expect("there");
    mixed.outcome_position = foreign.outcome_position;
    mixed.outcome_path = foreign.outcome_path;
    assert_eq!(mixed.verify(&transaction, &anchor), Err(ProofError::NotIncluded("outcome")));
}

#[test]
fn a_state_answer_holds_and_no_changed_byte_of_it_does() {
    let (ledger, _) = ledger();
    let keys = [user_key(b"mine"), user_key(b"nobody's"), account_key(&rich().account()), Vec::new()];
    for key in &keys {
        let good = ledger.prove_state(key).expect("readable");
        assert_eq!(good.value, ledger.get(key));
        assert_eq!(good.verify(key, &anchor), Ok(()));
        for (at, changed) in changed_bytes(&good) {
            assert!(changed.verify(key, &anchor).is_err(), "byte {at}: {changed:?}");
        }
        for other in keys.iter().filter(|other| *other != key) {
            if good.value.is_some() || ledger.get(other).is_some() {
                assert!(good.verify(other, &anchor).is_err(), "about another key");
            }
        }
    }
}

#[test]
fn no_field_of_a_state_answer_can_be_changed() {
    let (ledger, _) = ledger();
    let (present, absent) = (user_key(b"mine"), user_key(b"nobody's"));
    let changes: [Change<StateAnswer>; 6] = [
        ("no value", |a| a.value = if a.value.is_some() { None } else { Some(Vec::new()) }),
        ("another value", |a| a.value = Some(b"3".to_vec())),
        ("no siblings", |a| a.proof.siblings = BoundedVec::default()),
        ("another leaf", |a| a.proof.other = Some((Digest([1; 32]), Digest([2; 32])))),
        ("outcomes root", |a| a.outcomes_root = Digest([1; 32])),
        ("proof", |a| a.finality.proof = vec![0; 32]),
    ];
    for key in [present, absent] {
        let good = ledger.prove_state(&key).expect("readable");
        assert_eq!(good.verify(&key, &anchor), Ok(()));
        for (what, change) in changes {
            let mut bad = good.clone();
            change(&mut bad);
            assert!(bad.verify(&key, &anchor).is_err(), "{what}");
        }
        for (what, change) in header_changes() {
            let mut bad = good.clone();
            change(&mut bad.header);
            assert!(bad.verify(&key, &anchor).is_err(), "{what} of the header");
        }
    }
}

#[test]
fn genesis_state_is_proven_by_the_genesis_block() {
    let ledger = memory();
    let key = account_key(&rich().account());
    let answer = ledger.prove_state(&key).expect("readable");
    assert_eq!(answer.finality, crate::Finality::default(), "genesis needs no proof");
    let genesis = super::genesis().block().digest();
    let is_genesis = |header: &Header, _: &[u8]| (header.digest() == genesis).then_some(()).ok_or("another".to_owned());
    assert_eq!(answer.verify(&key, &is_genesis), Ok(()));
}

#[test]
fn every_block_is_in_the_history_at_its_height_only() {
    let (ledger, _) = ledger();
    let history = ledger.history().expect("it began with genesis");
    assert_eq!(history.len(), 4);
    for height in 0..4u64 {
        let digest = ledger.block(Height(height)).expect("readable").expect("there").block.digest();
        let path = history.prove(height as usize).expect("inside");
        for claimed in 0..4 {
            let root = path.root(merkle::leaf_hash(&digest.0), claimed, 4);
            assert_eq!(root == Some(history.root()), claimed == height);
        }
    }
}
