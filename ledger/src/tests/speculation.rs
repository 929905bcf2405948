//! Blocks executed above the head before anything is final.

use super::{anchor, batch, build, extend, genesis, grow, memory, poor, proof, put, rich, tx, value};
use crate::{LedgerError, Outcome, SkipCode, user_key};
use quorate_types::{Digest, Height};

#[test]
fn of_two_children_the_loser_goes_and_its_batch_runs_again() {
    let mut ledger = memory();
    grow(&mut ledger, 2);
    let head = ledger.head().digest();
    let lost = batch([tx(&poor(), 0, &put("lost", "and found"))]);
    let winner = build(&mut ledger, &head, 3, vec![batch([tx(&rich(), 4, &put("k", "winner"))])]);
    let loser = build(&mut ledger, &head, 4, vec![lost.clone()]);
    let below_loser = build(&mut ledger, &loser.digest(), 5, vec![]);
    let above_winner = build(&mut ledger, &winner.digest(), 6, vec![]);
    assert_eq!(value(&ledger, "lost"), None, "nothing is visible before it is final");

    let committed = ledger.commit(&winner.digest(), proof(&winner.digest())).expect("executed");
    assert_eq!(committed.iter().map(|c| c.block.digest()).collect::<Vec<_>>(), [winner.digest()]);
    assert_eq!(value(&ledger, "k").as_deref(), Some("winner"));
    assert!(!ledger.is_executed(&loser.digest()) && !ledger.is_executed(&below_loser.digest()), "pruned");
    assert!(ledger.is_executed(&above_winner.digest()), "what stands above the head stays");
    assert_eq!(ledger.uncommitted(), 1);
    assert!(matches!(ledger.commit(&loser.digest(), vec![]), Err(LedgerError::NotExecuted { .. })));

    let again = extend(&mut ledger, vec![lost.clone()]);
    assert_eq!(again.outcomes[0].1, Outcome::Applied, "its transactions are as fresh as before");
    assert_eq!(value(&ledger, "lost").as_deref(), Some("and found"));
    let twice = extend(&mut ledger, vec![lost]);
    assert_eq!(twice.outcomes[0].1, Outcome::Skipped(SkipCode::OldNonce));
}

#[test]
fn committing_a_block_commits_its_ancestors_oldest_first_with_one_proof() {
    let mut ledger = memory();
    grow(&mut ledger, 1);
    let mut parent = ledger.head().digest();
    let mut chain: Vec<Digest> = Vec::new();
    let transactions: Vec<_> = (0..4).map(|at| tx(&rich(), 2 + at, &put(&format!("key {at}"), "v"))).collect();
    for (at, transaction) in transactions.iter().enumerate() {
        let block = build(&mut ledger, &parent, 2 + at as u64, vec![batch([transaction.clone()])]);
        parent = block.digest();
        chain.push(parent);
    }
    let committed = ledger.commit(&chain[2], proof(&chain[2])).expect("executed");
    assert_eq!(committed.iter().map(|c| c.block.digest()).collect::<Vec<_>>(), chain[..3]);
    assert_eq!((ledger.head().digest(), ledger.uncommitted()), (chain[2], 1), "the fourth is not final");

    let finality = |height: u64| ledger.finality(Height(height)).expect("readable").expect("final");
    for height in 2..=4 {
        let header = ledger.block(Height(height)).expect("readable").expect("there").block.header;
        let finality = finality(height);
        assert_eq!(finality.descendants.len() as u64, 4 - height, "headers up to the block that was proven");
        assert_eq!(finality.verify(&header, &anchor), Ok(()));
        let transaction = transactions[height as usize - 2].digest();
        let proven = ledger.prove_transaction(&transaction).expect("readable").expect("there");
        assert_eq!(proven.verify(&transaction, &anchor), Ok(Outcome::Applied));
        assert_eq!(proven.header, header);
    }
    assert_eq!(finality(1).descendants, [], "a block with a proof of its own needs no other");
    assert_eq!(ledger.finality(Height(5)).expect("readable"), None);
    assert_eq!(ledger.prove_transaction(&transactions[3].digest()).expect("readable"), None, "not final");

    for (key, held) in [("key 2", true), ("key 3", false)] {
        let key = user_key(key.as_bytes());
        let answer = ledger.prove_state(&key).expect("readable");
        assert_eq!(answer.value.is_some(), held);
        assert_eq!(answer.verify(&key, &anchor), Ok(()));
    }
}

#[test]
fn committing_twice_is_harmless_and_what_was_never_executed_is_refused() {
    let mut ledger = memory();
    grow(&mut ledger, 3);
    let before = ledger.store.sync().expect("memory");
    for height in 0..=3 {
        let digest = ledger.block(Height(height)).expect("readable").expect("there").block.digest();
        assert_eq!(ledger.commit(&digest, vec![1, 2, 3]).expect("already final"), []);
    }
    assert_eq!(ledger.store.sync().expect("memory"), before, "nothing was written");
    let unknown = Digest([7; 32]);
    assert!(matches!(ledger.commit(&unknown, vec![]), Err(LedgerError::NotExecuted { block }) if block == unknown));
}

#[test]
fn execution_gives_the_same_result_on_every_replica() {
    let (mut one, mut other) = (memory(), memory());
    for round in 0..5 {
        let block = {
            let parent = one.head().digest();
            build(&mut one, &parent, round + 1, vec![batch([tx(&rich(), round, &put("k", "v"))])])
        };
        let batches = vec![batch([tx(&rich(), round, &put("k", "v"))])];
        assert_eq!(other.execute(&block, batches.clone()), Ok(()));
        assert_eq!(other.execute(&block, batches), Ok(()), "twice is harmless");
        for ledger in [&mut one, &mut other] {
            ledger.commit(&block.digest(), proof(&block.digest())).expect("executed");
        }
        assert_eq!(one.state.root(), other.state.root());
    }
    assert_eq!(one.store.disk.files, other.store.disk.files, "the same bytes in the logs");
    assert_eq!(genesis().block().digest(), one.block(Height(0)).expect("readable").expect("genesis").block.digest());
}

#[test]
fn what_block_sync_brings_is_committed_with_one_proof_even_when_there_is_no_room() {
    let mut source = memory();
    grow(&mut source, 5);
    let blocks: Vec<_> = (1..=5)
        .map(|height| source.block(Height(height)).expect("readable").expect("there"))
        .map(|stored| (stored.block, stored.batches.iter().map(|batch| (**batch).clone()).collect::<Vec<_>>()))
        .collect();
    let mut ledger = memory();
    let first = ledger.head().digest();
    let spare = build(&mut ledger, &first, 99, vec![]);
    let executed = ledger.overlays[&spare.digest()].clone();
    for at in 0..crate::execute::MAX_OVERLAYS as u64 {
        ledger.overlays.insert(quorate_types::Digest::of(quorate_types::Domain::TRACE, &at), executed.clone());
    }
    assert!(ledger.uncommitted() > crate::execute::MAX_OVERLAYS, "full");
    let head = source.head().digest();
    let committed = ledger.append_synced(blocks, proof(&head)).expect("final blocks are always taken in");
    assert_eq!(committed.len(), 5);
    assert_eq!((ledger.head(), ledger.uncommitted()), (source.head(), 0));
    assert_eq!(ledger.finality(Height(2)).expect("readable").expect("final").descendants.len(), 3);
}
