//! What the key-value application's transactions do, one by one.

use super::{bytes, extend, genesis, memory, poor, put, raw, rich, tx, value};
use crate::{AccountState, FailCode, KvOp, MAX_KEY, MAX_VALUE, Outcome, SkipCode, TxError, app};
use quorate_crypto::ClientSecret;
use quorate_types::{Account, Transaction, encode};

/// The outcomes of transactions in one block after the other.
fn run(transactions: Vec<Transaction>) -> (super::Memory, Vec<Outcome>) {
    let mut ledger = memory();
    let each = transactions.into_iter().map(|transaction| {
        let committed = extend(&mut ledger, vec![super::batch([transaction])]);
        committed.outcomes[0].1
    });
    let outcomes = each.collect();
    (ledger, outcomes)
}

fn transfer(to: &ClientSecret, amount: u64) -> KvOp {
    KvOp::Transfer { to: to.account(), amount }
}

fn swap(key: &str, expected: Option<&str>, new: Option<&str>) -> KvOp {
    KvOp::CompareAndSwap { key: bytes(key), expected: expected.map(bytes), new: new.map(bytes) }
}

fn balances(ledger: &super::Memory) -> (u64, u64) {
    (ledger.account(&rich().account()).balance, ledger.account(&poor().account()).balance)
}

#[test]
fn put_and_delete() {
    let delete = KvOp::Delete { key: bytes("a") };
    let (ledger, outcomes) = run(vec![
        tx(&poor(), 0, &put("a", "1")),
        tx(&rich(), 0, &put("a", "2")),
        tx(&rich(), 1, &put("b", "")),
        tx(&rich(), 2, &delete),
        tx(&rich(), 3, &delete),
    ]);
    assert_eq!(outcomes, [Outcome::Applied; 5], "a key that is not there may be deleted");
    assert_eq!((value(&ledger, "a"), value(&ledger, "b")), (None, Some(String::new())));
}

#[test]
fn compare_and_swap_changes_only_what_holds_the_expected() {
    let failed = Outcome::Failed(FailCode::CompareFailed);
    let cases = [
        (swap("a", None, Some("1")), Outcome::Applied, Some("1")),
        (swap("a", None, Some("2")), failed, Some("1")),
        (swap("a", Some("2"), Some("3")), failed, Some("1")),
        (swap("a", Some("1"), Some("2")), Outcome::Applied, Some("2")),
        (swap("a", Some(""), None), failed, Some("2")),
        (swap("a", Some("2"), None), Outcome::Applied, None),
        (swap("a", Some("2"), None), failed, None),
        (swap("a", None, None), Outcome::Applied, None),
    ];
    let mut ledger = memory();
    for (nonce, (op, outcome, after)) in cases.into_iter().enumerate() {
        let committed = extend(&mut ledger, vec![super::batch([tx(&rich(), nonce as u64, &op)])]);
        assert_eq!(committed.outcomes[0].1, outcome, "{op:?}");
        assert_eq!(value(&ledger, "a").as_deref(), after, "{op:?}");
    }
}

#[test]
fn a_transfer_moves_no_more_than_there_is() {
    let (ledger, outcomes) = run(vec![
        tx(&rich(), 0, &transfer(&poor(), 1)),
        tx(&rich(), 1, &transfer(&poor(), 1000)),
        tx(&rich(), 2, &transfer(&poor(), 999)),
        tx(&rich(), 3, &transfer(&poor(), 0)),
        tx(&rich(), 4, &transfer(&poor(), u64::MAX)),
    ]);
    let poor_now = Outcome::Failed(FailCode::InsufficientBalance);
    assert_eq!(outcomes, [Outcome::Applied, poor_now, Outcome::Applied, Outcome::Applied, poor_now]);
    assert_eq!(balances(&ledger), (0, 1000));
    assert_eq!(ledger.account(&rich().account()).nonce, 5, "a failed one uses its nonce up");
}

#[test]
fn a_transfer_to_oneself_changes_nothing_and_cannot_make_money() {
    let own = |amount| transfer(&rich(), amount);
    let (ledger, outcomes) = run(vec![tx(&rich(), 0, &own(600)), tx(&rich(), 1, &own(1001))]);
    assert_eq!(outcomes, [Outcome::Applied, Outcome::Failed(FailCode::InsufficientBalance)]);
    assert_eq!(ledger.account(&rich().account()), AccountState { nonce: 2, balance: 1000 });
}

#[test]
fn a_balance_cannot_overflow() {
    let mut genesis = genesis();
    let crate::AppGenesis::Kv { accounts } = &mut genesis.application else { panic!("the test genesis is a kv one") };
    accounts.insert(poor().account(), u64::MAX);
    let mut state = app::first_state(&genesis.application);
    let before = state.clone();
    let outcome =
        app::apply(&genesis.application, &mut state, quorate_types::Height(1), &tx(&rich(), 0, &transfer(&poor(), 1)));
    assert_eq!(outcome, Outcome::Failed(FailCode::BalanceOverflow));
    let balance = |state, of: &Account| app::account(state, of).balance;
    for who in [rich().account(), poor().account()] {
        assert_eq!(balance(&state, &who), balance(&before, &who), "nobody lost or got anything");
    }
}

#[test]
fn a_nonce_that_is_not_the_next_is_skipped_without_trace() {
    let mut ledger = memory();
    extend(&mut ledger, vec![super::batch([tx(&rich(), 0, &put("a", "1"))])]);
    let (state, account) = (ledger.state.root(), ledger.account(&rich().account()));
    for (nonce, why) in [(0, SkipCode::OldNonce), (2, SkipCode::FutureNonce), (u64::MAX, SkipCode::FutureNonce)] {
        let committed = extend(&mut ledger, vec![super::batch([tx(&rich(), nonce, &put("a", "2"))])]);
        assert_eq!(committed.outcomes[0].1, Outcome::Skipped(why));
        assert_eq!((ledger.state.root(), ledger.account(&rich().account())), (state, account));
    }
}

#[test]
fn one_transaction_twice_in_a_block_applies_once_and_is_found_where_it_did() {
    let mut ledger = memory();
    let twice = tx(&rich(), 0, &transfer(&poor(), 10));
    let other = tx(&poor(), 0, &put("x", "y"));
    let committed = extend(&mut ledger, vec![super::batch([twice.clone()]), super::batch([other, twice.clone()])]);
    let outcomes: Vec<_> = committed.outcomes.iter().map(|(_, outcome)| *outcome).collect();
    assert_eq!(outcomes, [Outcome::Applied, Outcome::Applied, Outcome::Skipped(SkipCode::OldNonce)]);
    assert_eq!(balances(&ledger), (990, 10));
    extend(&mut ledger, vec![super::batch([twice.clone()])]);
    let record = ledger.transaction(&twice.digest()).expect("readable").expect("it is there");
    assert_eq!((record.height.0, record.batch, record.position, record.outcome), (1, 0, 0, Outcome::Applied));
}

#[test]
fn a_skipped_transaction_that_applies_later_is_found_where_it_applied() {
    let mut ledger = memory();
    let early = tx(&rich(), 1, &put("a", "1"));
    extend(&mut ledger, vec![super::batch([early.clone()])]);
    let skipped = ledger.transaction(&early.digest()).expect("readable").expect("it is there");
    assert_eq!(skipped.outcome, Outcome::Skipped(SkipCode::FutureNonce));
    extend(&mut ledger, vec![super::batch([tx(&rich(), 0, &put("b", "1")), early.clone()])]);
    let record = ledger.transaction(&early.digest()).expect("readable").expect("it is there");
    assert_eq!((record.height.0, record.position, record.outcome), (2, 1, Outcome::Applied));
}

#[test]
fn a_malformed_payload_uses_up_its_nonce_and_nothing_else() {
    let too_long = |key: usize, value: usize| encode(&(0u8, vec![1u8; key], vec![1u8; value]));
    assert_eq!(encode(&put("ab", "c")), encode(&(0u8, b"ab".to_vec(), b"c".to_vec())), "the tuple is a put");
    let trailing = [encode(&put("a", "1")), vec![0]].concat();
    let bad = [vec![], vec![9], trailing, too_long(MAX_KEY + 1, 1), too_long(1, MAX_VALUE + 1)];
    let mut ledger = memory();
    for (nonce, payload) in bad.iter().enumerate() {
        let transaction = raw(&rich(), nonce as u64, payload);
        assert!(matches!(ledger.tip().admit(&transaction), Err(TxError::Malformed { .. })), "refused at the door");
        let committed = extend(&mut ledger, vec![super::batch([transaction])]);
        assert_eq!(committed.outcomes[0].1, Outcome::Failed(FailCode::MalformedPayload));
        assert_eq!(ledger.account(&rich().account()), AccountState { nonce: nonce as u64 + 1, balance: 1000 });
        assert_eq!(ledger.state_len(), 1);
    }
    let longest = raw(&rich(), bad.len() as u64, &too_long(MAX_KEY, MAX_VALUE));
    assert_eq!(extend(&mut ledger, vec![super::batch([longest])]).outcomes[0].1, Outcome::Applied);
}

#[test]
fn a_user_key_cannot_reach_an_account() {
    let key = String::from_utf8(vec![b'a'; 3]).expect("text");
    let (ledger, _) = run(vec![tx(&poor(), 0, &put(&key, "rich")), tx(&poor(), 1, &put("", "empty key"))]);
    assert_eq!(ledger.account(&rich().account()).balance, 1000);
    assert_ne!(crate::user_key(b""), crate::account_key(&rich().account()));
}

#[test]
fn the_door_refuses_other_chains_and_old_nonces() {
    let mut ledger = memory();
    extend(&mut ledger, vec![super::batch([tx(&rich(), 0, &put("a", "1"))])]);
    assert_eq!(ledger.tip().admit(&tx(&rich(), 0, &put("a", "1"))), Err(TxError::OldNonce { nonce: 0, next: 1 }));
    assert_eq!(ledger.tip().admit(&tx(&rich(), 1, &put("a", "1"))), Ok(()));
    assert_eq!(ledger.tip().admit(&tx(&rich(), 7, &put("a", "1"))), Ok(()), "its turn may come");
    let mut foreign = tx(&rich(), 1, &put("a", "1"));
    foreign.body.chain = quorate_types::ChainId(quorate_types::Digest([7; 32]));
    assert!(matches!(ledger.tip().admit(&foreign), Err(TxError::WrongChain { .. })));
}

#[test]
fn the_opaque_application_orders_any_bytes_by_nonce() {
    let genesis = crate::Genesis { application: crate::AppGenesis::Opaque, ..genesis() };
    let mut state = app::first_state(&genesis.application);
    let mut apply = |nonce, payload: &[u8]| {
        app::apply(&genesis.application, &mut state, quorate_types::Height(1), &raw(&poor(), nonce, payload))
    };
    assert_eq!(apply(0, &[0xff; 100]), Outcome::Applied);
    assert_eq!(apply(0, b""), Outcome::Skipped(SkipCode::OldNonce));
    assert_eq!(apply(2, b""), Outcome::Skipped(SkipCode::FutureNonce));
    assert_eq!(apply(1, b""), Outcome::Applied);
}
