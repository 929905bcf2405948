//! Catching up when peers are slow, silent or mean.

use quorate_crypto::{ClientSecret, IdentitySecret, VoteSecret};
use quorate_ledger::{
    AppGenesis, Election, Genesis, Ledger, MemoryDisk, MemoryIndex, Params, Protocol, SchemeKind, Validator,
};
use quorate_types::{BoundedVec, Digest, Header, Height, ReplicaId, View};
use quorate_validator::{
    NotFinal,
    sync::{Ask, CatchUp, SyncError, SyncReply, answer},
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
    while ledger.head().height.0 < height {
        let (parent, view) = (ledger.head().digest(), View(ledger.head().height.0 + 1));
        let block = ledger.build(&parent, view, ReplicaId(0), vec![], 1_000).expect("above the head").digest();
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
