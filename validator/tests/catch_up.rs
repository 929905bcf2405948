//! Catching up when peers are slow, silent or mean.

use quorate_crypto::{ClientSecret, IdentitySecret, VoteSecret};
use quorate_ledger::{
    AppGenesis, Election, Genesis, Ledger, MemoryDisk, MemoryIndex, Params, Protocol, SchemeKind, Validator,
};
use quorate_types::{BoundedVec, Digest, Header, Height, ReplicaId, View};
use quorate_validator::{
    NotFinal,
    sync::{Ask, Broken, CatchUp, Outcome, SyncError, SyncReply, SyncRequest, answer},
};
use std::time::Duration;

type Memory = Ledger<MemoryDisk, MemoryIndex>;

fn genesis() -> Genesis {
    let validator = |index: u8| Validator {
        name: format!("v{index}"),
        identity: IdentitySecret::from_seed([index + 100; 32]).public(),
        vote: VoteSecret::from_seed([index; 32]).public(),
        bls: None,
        address: None,
    };
    Genesis {
        chain: "test".into(),
        time: 1_000,
        protocol: Protocol::Hotstuff,
        scheme: SchemeKind::Ed25519,
        election: Election::RoundRobin,
        params: Params::default(),
        validators: (0..4).map(validator).collect(),
        commitments: None,
        application: AppGenesis::Kv { accounts: [(ClientSecret::from_seed([9; 32]).account(), 1000)].into() },
        fault_injection: false,
    }
}

fn open() -> Memory {
    Ledger::open(MemoryDisk::default(), MemoryIndex::default(), &genesis()).expect("empty")
}

fn proof(block: &Digest) -> Vec<u8> {
    block.0.to_vec()
}

fn grow(ledger: &mut Memory, height: u64) {
    grow_at(ledger, height, 1_000);
}

/// Blocks of another time are other blocks.
fn grow_at(ledger: &mut Memory, height: u64, time: u64) {
    while ledger.head().height.0 < height {
        let (parent, view) = (ledger.head().digest(), View(ledger.head().height.0 + 1));
        let block = ledger.build(&parent, view, ReplicaId(0), vec![], time).expect("above the head").digest();
        ledger.commit(&block, proof(&block)).expect("built here");
    }
}

/// How a peer answers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Peer {
    Honest,
    /// One block at a time, each just before the question's time runs out.
    Drips,
    /// All that was asked for, just before the question's time runs out.
    Late,
    Dead,
}

/// Brings a ledger from nothing to 1,500 blocks. The first peer is the one that told of them.
fn questions_to_each(peers: [Peer; 3]) -> [usize; 3] {
    const TARGET: u64 = 1500;
    let (mut server, mut ledger) = (open(), open());
    grow(&mut server, TARGET);
    let check = |_: &Header, _: &[u8]| -> Result<(), NotFinal> { Ok(()) };
    let ids = [ReplicaId(1), ReplicaId(2), ReplicaId(3)];
    let mut catch_up = CatchUp::new(ids.to_vec(), 2048);
    let (mut asked, mut ask) = ([0; 3], catch_up.want((ids[0], Height(TARGET)), &ledger));
    while let Some(Ask { to, request, ticket }) = ask {
        let index = to.index() - 1;
        asked[index] += 1;
        let peer = peers[index];
        let outcome = if peer == Peer::Dead {
            catch_up.failed(ticket, SyncError::Unanswered("dead".into()), &ledger)
        } else {
            let mut reply = answer(&server, request).expect("readable");
            if let (Peer::Drips, SyncReply::Blocks(blocks)) = (peer, &mut reply) {
                let first = blocks.blocks[0].clone();
                blocks.proof = BoundedVec::new(proof(&first.block.digest())).expect("short");
                blocks.blocks = BoundedVec::new(vec![first]).expect("one");
            }
            let took = Duration::from_secs(if peer == Peer::Honest { 1 } else { 19 });
            catch_up.answered(ticket, (reply, took), &mut ledger, &check).expect("our ledger is well")
        };
        ask = outcome.ask;
    }
    assert_eq!(ledger.head().height, Height(TARGET));
    asked
}

#[test]
fn who_helps_soon_and_much_is_asked_again() {
    assert_eq!(questions_to_each([Peer::Honest, Peer::Honest, Peer::Honest]), [6, 0, 0]);
}

#[test]
fn who_gives_little_or_late_does_not_keep_the_others_from_helping() {
    assert_eq!(questions_to_each([Peer::Drips, Peer::Honest, Peer::Honest]), [1, 6, 0]);
    assert_eq!(questions_to_each([Peer::Late, Peer::Honest, Peer::Honest]), [1, 5, 0]);
}

/// The dead one costs a whole question's time: once, and not each time that the slow ones have had their turns.
#[test]
fn who_failed_is_not_asked_again_while_others_help() {
    assert_eq!(questions_to_each([Peer::Late, Peer::Dead, Peer::Honest]), [1, 1, 5]);
    let [dead, late, dripping] = questions_to_each([Peer::Dead, Peer::Late, Peer::Drips]);
    assert_eq!((dead, late, dripping), (1, 6, 5));
}

/// A ledger of five blocks asks one of another chain, whose proofs are good or not.
fn forked(is_final: bool) -> Result<Outcome, Broken> {
    let (mut server, mut ledger) = (open(), open());
    grow_at(&mut server, 20, 2_000);
    grow(&mut ledger, 5);
    let check = |_: &Header, _: &[u8]| if is_final { Ok(()) } else { Err(NotFinal::NotGenesis) };
    let mut catch_up = CatchUp::new(vec![ReplicaId(1), ReplicaId(2)], 2048);
    let ask = catch_up.want((ReplicaId(1), Height(20)), &ledger).expect("it is behind");
    let reply = answer(&server, ask.request).expect("readable");
    let outcome = catch_up.answered(ask.ticket, (reply, Duration::ZERO), &mut ledger, &check);
    assert_eq!(ledger.head().height, Height(5), "nothing of it is taken");
    outcome
}

#[test]
fn blocks_as_final_as_ours_that_stand_on_another_end_everything() {
    let broken = forked(true).expect_err("two final blocks at one height");
    assert!(matches!(broken, Broken::Fork { height: Height(5), .. }), "{broken}");
}

#[test]
fn blocks_that_nobody_made_final_are_a_lie_and_no_more() {
    let outcome = forked(false).expect("its lie");
    assert!(outcome.refused.is_some_and(|refusal| refusal.peer == ReplicaId(1) && refusal.why.is_lie()));
    assert_eq!(outcome.ask.map(|ask| ask.to), Some(ReplicaId(2)));
}

/// Brings a ledger to `target` blocks, as far as these peers' ledgers help; one without is silent. Tells what each was asked.
fn run(peers: [Option<&Memory>; 3], ledger: &mut Memory, (gap, target): (u64, u64)) -> Vec<(usize, SyncRequest)> {
    let check = |_: &Header, _: &[u8]| -> Result<(), NotFinal> { Ok(()) };
    let ids = [ReplicaId(1), ReplicaId(2), ReplicaId(3)];
    let mut catch_up = CatchUp::new(ids.to_vec(), gap);
    let (mut asked, mut ask) = (vec![], catch_up.want((ids[0], Height(target)), ledger));
    while let Some(Ask { to, request, ticket }) = ask {
        asked.push((to.index() - 1, request));
        assert!(asked.len() < 100, "it asks for ever: {asked:?}");
        let outcome = match peers[to.index() - 1] {
            None => catch_up.failed(ticket, SyncError::Unanswered("silence".into()), ledger),
            Some(peer) => {
                let reply = answer(peer, request).expect("readable");
                catch_up.answered(ticket, (reply, Duration::ZERO), ledger, &check).expect("our ledger is well")
            }
        };
        ask = outcome.ask;
    }
    asked
}

fn grown(height: u64) -> Memory {
    let mut ledger = open();
    grow(&mut ledger, height);
    ledger
}

/// A ledger of 100 blocks that began from the snapshot at 64.
fn begun_from_a_snapshot() -> Memory {
    let (server, mut ledger) = (grown(100), open());
    run([Some(&server), None, None], &mut ledger, (50, 100));
    assert_eq!((ledger.head().height, has(&ledger, 64), has(&ledger, 65)), (Height(100), false, true));
    ledger
}

fn has(ledger: &Memory, height: u64) -> bool {
    ledger.block(Height(height)).expect("readable").is_some()
}

fn above(height: u64) -> SyncRequest {
    SyncRequest::Blocks { above: Height(height) }
}

/// Whoever was cut off keeps its history: it asks again.
#[test]
fn silence_does_not_say_that_nobody_has_the_blocks() {
    let (server, mut ledger) = (grown(66), grown(60));
    let asked = run([None, None, None], &mut ledger, (2048, 66));
    assert_eq!(asked, [(0, above(60)), (1, above(60)), (2, above(60))]);
    run([None, Some(&server), None], &mut ledger, (2048, 66));
    assert_eq!((ledger.head().height, has(&ledger, 61)), (Height(66), true));
}

/// A neighbour behind the same cut has nothing either. Nobody else is asked for a snapshot for its sake.
#[test]
fn only_who_has_none_of_the_blocks_is_asked_for_a_snapshot_in_their_place() {
    let (neighbour, mut ledger) = (grown(60), grown(60));
    let asked = run([None, Some(&neighbour), None], &mut ledger, (2048, 66));
    let manifest = SyncRequest::Manifest { above: Height(60) };
    assert_eq!(asked, [(0, above(60)), (1, above(60)), (2, above(60)), (1, manifest)]);
}

/// The first claims blocks and never gives any.
#[test]
fn where_all_others_began_from_snapshots_one_more_begins_from_theirs() {
    let (pruned, mut ledger) = (begun_from_a_snapshot(), grown(5));
    run([None, Some(&pruned), Some(&pruned)], &mut ledger, (2048, 100));
    assert_eq!((ledger.head().height, has(&ledger, 64), has(&ledger, 65)), (Height(100), false, true));
}

#[test]
fn one_that_has_the_blocks_is_enough() {
    let (pruned, server, mut ledger) = (begun_from_a_snapshot(), grown(100), grown(5));
    run([Some(&pruned), Some(&server), Some(&pruned)], &mut ledger, (2048, 100));
    assert_eq!((ledger.head().height, has(&ledger, 6)), (Height(100), true));
}
