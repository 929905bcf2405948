//! Blocks that are refused before a vote, and what a proposer cannot build.

use super::{Memory, batch, build, memory, poor, put, rich, tx};
use crate::ExecuteError;
use quorate_types::{Batch, Block, BoundedVec, ChainId, Digest, Epoch, Height, ReplicaId, View};
use std::sync::Arc;

const HOUR: u64 = 3_600_000;

fn proposal() -> (Memory, Block, Vec<Arc<Batch>>) {
    let batches = vec![batch([tx(&rich(), 0, &put("a", "1"))]), batch([tx(&poor(), 0, &put("b", "1"))])];
    let mut leader = memory();
    let parent = leader.head().digest();
    let block = build(&mut leader, &parent, 1, batches.clone());
    (memory(), block, batches)
}

fn refused(change: impl FnOnce(&mut Block, &mut Vec<Arc<Batch>>)) -> ExecuteError {
    let (mut ledger, mut block, mut batches) = proposal();
    change(&mut block, &mut batches);
    let error = ledger.execute(&block, batches).expect_err("a bad block");
    assert_eq!(ledger.uncommitted(), 0, "nothing of it is kept");
    error
}

#[test]
fn an_honest_proposal_is_executed() {
    let (mut ledger, block, batches) = proposal();
    assert_eq!(ledger.execute(&block, batches), Ok(()));
    assert!(ledger.is_executed(&block.digest()));
}

#[test]
fn the_timestamp_lies_in_the_hour_above_the_parents() {
    let parent = memory().head().timestamp;
    for time in [0, parent - 1, parent + HOUR + 1, u64::MAX] {
        let error = refused(|block, _| block.header.timestamp = time);
        assert_eq!(error, ExecuteError::BadTimestamp { time, parent });
    }
    for time in [parent, parent + HOUR] {
        let (mut ledger, mut block, batches) = proposal();
        block.header.timestamp = time;
        assert_eq!(ledger.execute(&block, batches), Ok(()), "the ends belong to it");
    }
}

#[test]
fn a_proposers_clock_is_clamped_into_that_hour() {
    let mut ledger = memory();
    let parent = ledger.head().clone();
    for (view, (now, time)) in
        [(0, parent.timestamp), (u64::MAX, parent.timestamp + HOUR), (1_500, 1_500)].into_iter().enumerate()
    {
        let block = ledger.build(&parent.digest(), View(view as u64 + 1), ReplicaId(0), vec![], now).expect("good");
        assert_eq!(block.header.timestamp, time);
        assert_eq!(memory().execute(&block, vec![]), Ok(()), "what is built is accepted");
    }
}

#[test]
fn a_block_in_the_wrong_place_is_refused() {
    for height in [0, 2, u64::MAX] {
        assert_eq!(refused(|block, _| block.header.height = Height(height)), ExecuteError::WrongPlace);
    }
    assert_eq!(refused(|block, _| block.header.chain = ChainId(Digest::ZERO)), ExecuteError::WrongPlace);
    assert_eq!(refused(|block, _| block.header.epoch = Epoch(1)), ExecuteError::WrongPlace);
    let parent = Digest([5; 32]);
    assert_eq!(refused(|block, _| block.header.parent = parent), ExecuteError::UnknownParent { parent });
}

#[test]
fn a_block_that_claims_another_state_is_refused_with_both_roots() {
    let (_, honest, _) = proposal();
    let claimed = Digest([5; 32]);
    let error = refused(|block, _| block.header.state_root = claimed);
    assert_eq!(error, ExecuteError::WrongStateRoot { claimed, computed: honest.header.state_root });
}

#[test]
fn batches_other_than_the_named_ones_are_refused() {
    type Change = fn(&mut Block, &mut Vec<Arc<Batch>>);
    let changes: [(&str, Change); 7] = [
        ("one missing", |_, batches| drop(batches.pop())),
        ("one too many", |_, batches| batches.push(batch([tx(&rich(), 1, &put("a", "2"))]))),
        ("another order", |_, batches| batches.reverse()),
        ("another body", |_, batches| batches[0] = batch([tx(&rich(), 0, &put("a", "2"))])),
        ("a list that the root does not cover", |block, batches| {
            block.payload = BoundedVec::new(block.payload.iter().rev().copied().collect()).expect("short");
            batches.reverse();
        }),
        ("a root that covers no list", |block, _| block.header.payload_root = Digest::ZERO),
        ("one batch twice", |block, batches| {
            let twice = vec![block.payload[0]; 2];
            block.header.payload_root = Block::payload_root(&twice);
            block.payload = BoundedVec::new(twice).expect("short");
            batches[1] = batches[0].clone();
        }),
    ];
    for (what, change) in changes {
        assert_eq!(refused(change), ExecuteError::WrongBatches, "{what}");
    }
}

#[test]
fn what_nobody_would_accept_is_not_built() {
    let mut ledger = memory();
    let head = ledger.head().digest();
    let one = batch([tx(&rich(), 0, &put("a", "1"))]);
    let mut try_build = |parent: &Digest, batches| ledger.build(parent, View(1), ReplicaId(0), batches, 0);
    assert_eq!(try_build(&head, vec![one.clone(), one]), Err(ExecuteError::WrongBatches));
    let many = (0..65).map(|nonce| batch([tx(&rich(), nonce, &put("a", "1"))])).collect();
    assert_eq!(try_build(&head, many), Err(ExecuteError::WrongBatches), "more than a block may name");
    let parent = Digest([5; 32]);
    assert_eq!(try_build(&parent, vec![]), Err(ExecuteError::UnknownParent { parent }));
    assert_eq!(ledger.uncommitted(), 0);
}

#[test]
fn uncommitted_blocks_are_bounded_and_those_of_the_oldest_views_without_children_go() {
    let mut ledger = memory();
    let head = ledger.head().digest();
    let mut build = |parent: &Digest, view| ledger.build(parent, View(view), ReplicaId(0), vec![], 0);
    let max = crate::execute::MAX_OVERLAYS as u64;
    let certified = build(&head, 0).expect("there is room").digest();
    let abandoned: Vec<_> = (1..max).map(|view| build(&certified, view).expect("there is room").digest()).collect();
    // However many views have failed, the next is not refused.
    let next = build(&certified, max).expect("there is always room for one more").digest();
    let above = build(&next, max + 1).expect("above the newest").digest();
    let (_, block, batches) = proposal();
    assert_eq!(ledger.execute(&block, batches), Ok(()), "or somebody else's");
    assert_eq!(ledger.uncommitted(), crate::execute::MAX_OVERLAYS);
    assert!([certified, next, above, block.digest()].iter().all(|kept| ledger.is_executed(kept)));
    let gone = abandoned.iter().take_while(|digest| !ledger.is_executed(digest)).count();
    assert_eq!(gone, 3, "the first three");
    assert!(abandoned[gone..].iter().all(|digest| ledger.is_executed(digest)));
}

#[test]
fn a_chain_is_not_cut_however_long_it_is() {
    let mut ledger = memory();
    let mut tip = ledger.head().digest();
    for view in 1..=crate::execute::MAX_OVERLAYS as u64 + 1 {
        tip = ledger.build(&tip, View(view), ReplicaId(0), vec![], 0).expect("above the one before").digest();
    }
    assert!(ledger.commit(&tip, vec![]).is_ok());
    assert_eq!(ledger.head().digest(), tip);
}
