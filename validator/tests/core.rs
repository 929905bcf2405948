//! The core under leaders that name batches again.

use quorate_consensus::{
    BatchLimits, Config, Election, Keys, Mempool, PoolMessage, Protocol, SeenCertificates, Timeouts,
    hotstuff::{Ballot, HotStuff, JustifiedBlock, Message, Proposal, ProposalStatement, QuorumCertificate, Record},
};
use quorate_crypto::{ClientSecret, Scheme, Symbolic, conformance};
use quorate_ledger::Entry;
use quorate_types::{
    Batch, Block, BoundedVec, ChainId, Digest, Epoch, Header, Height, ReplicaId, TransactionBody, View,
};
use quorate_validator::{Checked, Committed, Core, Effect, Input, LedgerReply, LedgerWork, Wire, WireKeys};
use std::{sync::Arc, time::Duration};

type Node = HotStuff<Symbolic>;

struct World {
    scheme: Symbolic,
    keys: WireKeys<Keys<Symbolic>>,
    genesis: Header,
}

fn world() -> World {
    let scheme = Symbolic::new(conformance::committee(4), 1);
    let chain = conformance::committee(4).chain();
    let genesis = Header {
        chain,
        epoch: Epoch(0),
        height: Height::GENESIS,
        view: View::GENESIS,
        parent: Digest::ZERO,
        proposer: ReplicaId(0),
        payload_root: Block::payload_root(&[]),
        state_root: Digest::ZERO,
        timestamp: 0,
    };
    World { keys: WireKeys { consensus: Keys::new(scheme.clone(), &genesis), chain }, scheme, genesis }
}

fn core(world: &World) -> Core<Node> {
    let id = ReplicaId(0);
    let config = Config {
        id,
        scheme: world.scheme.clone(),
        secret: world.scheme.secret(id),
        election: Election::RoundRobin,
        timeouts: Timeouts { base: Duration::from_secs(1), max: Duration::from_secs(1), block_interval: None },
        max_block_batches: 8,
        checkpoint_interval: 64,
        genesis: world.genesis.clone(),
        head: world.genesis.clone(),
        head_proof: None,
        recent: Vec::new(),
        seen: SeenCertificates::default(),
    };
    let replica = HotStuff::recover(config, Vec::<Record<Symbolic>>::new());
    Core::new(replica, Mempool::new(id, conformance::committee(4), BatchLimits::default()))
}

fn batch(chain: ChainId, nonce: u64) -> Arc<Batch> {
    let secret = ClientSecret::from_seed([7; 32]);
    let payload = BoundedVec::new(vec![1]).expect("short");
    let transaction = secret.sign(TransactionBody { chain, sender: secret.account(), nonce, payload });
    Arc::new(Batch::new(vec![transaction]).expect("small"))
}

/// The block that replica 1 proposes in view 1.
fn propose(world: &World, batches: &[&Arc<Batch>]) -> Message<Symbolic> {
    let payload: Vec<_> = batches.iter().map(|batch| batch.digest()).collect();
    let header = Header {
        height: Height(1),
        view: View(1),
        parent: world.genesis.digest(),
        proposer: ReplicaId(1),
        payload_root: Block::payload_root(&payload),
        ..world.genesis.clone()
    };
    let statement = ProposalStatement(Ballot::of(&header));
    let attestation = world.scheme.attest(&world.scheme.secret(ReplicaId(1)), &statement);
    let block = Block { header, payload: BoundedVec::new(payload).expect("few") };
    let justified = JustifiedBlock { block, justify: QuorumCertificate::genesis(&world.genesis) };
    Message::Proposal(Box::new(Proposal { justified, entry: None, attestation }))
}

fn hear(world: &World, core: &mut Core<Node>, wire: Wire<Message<Symbolic>>) -> Vec<Effect> {
    let message = Checked::check(wire, ReplicaId(1), &world.keys).expect("honest");
    core.handle(Input::Received { from: ReplicaId(1), message }).effects
}

fn executed_with(effects: &[Effect]) -> Vec<usize> {
    let batches = |effect: &Effect| match effect {
        Effect::Ledger(LedgerWork::Execute { batches, .. }) => Some(batches.len()),
        _ => None,
    };
    effects.iter().filter_map(batches).collect()
}

/// A leader names a batch that an ancestor has, and one that it holds back until that ancestor is committed. Executed without the
/// first the block would look wrong here alone, and a certificate for it would stop this validator for nothing.
#[test]
fn a_batch_that_is_committed_below_stays_for_the_uncommitted_block_that_names_it_again() {
    let world = world();
    let mut core = core(&world);
    let (again, late) = (batch(world.keys.chain, 0), batch(world.keys.chain, 1));
    hear(&world, &mut core, Wire::Pool(PoolMessage::Batch(again.clone())));
    let asked = hear(&world, &mut core, Wire::Consensus(propose(&world, &[&again, &late])));
    assert_eq!(executed_with(&asked), Vec::<usize>::new(), "one batch is missing");
    let committed = Committed { batches: vec![again.digest()], ..Committed::default() };
    let _nothing = core.handle(Input::Ledger(LedgerReply::Committed(committed)));
    let effects = hear(&world, &mut core, Wire::Pool(PoolMessage::Batch(late)));
    assert_eq!(executed_with(&effects), [2], "with all its batches");
    let is_kept = |entry: &Entry<_>| matches!(entry, Entry::Batch(batch) if batch.digest() == again.digest());
    assert!(core.journal_snapshot().iter().any(is_kept), "a rotated journal has it for the votes that rest on it");
}
