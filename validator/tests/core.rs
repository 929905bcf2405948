//! The core under leaders that name batches again, and with batches that others may lack.

use quorate_consensus::{
    Action, BatchLimits, Config, Election, Executed, Ignored, Journal, Keys, Mempool, PoolMessage, Protocol, Replica,
    SeenCertificates, Timeouts,
    hotstuff::{Ballot, HotStuff, JustifiedBlock, Message, Proposal, ProposalStatement, QuorumCertificate, Record},
    pbft::{self, Pbft},
};
use quorate_crypto::{ClientSecret, Scheme, Symbolic, conformance};
use quorate_ledger::{Entry, Params};
use quorate_types::{
    Batch, Block, BoundedVec, ChainId, Digest, Epoch, Header, Height, ReplicaId, Transaction, TransactionBody, View,
};
use quorate_validator::{
    Checked, Committed, Core, Docket, Effect, Input, LedgerReply, LedgerWork, Output, TransactionChecks, Wire, WireKeys,
};
use std::{collections::BTreeMap, convert::Infallible, sync::Arc, time::Duration};

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
    let transactions = TransactionChecks::new(chain);
    World { keys: WireKeys { consensus: Keys::new(scheme.clone(), &genesis), transactions }, scheme, genesis }
}

struct NoDisk;

impl<R> Journal<R> for NoDisk {
    type Error = Infallible;
    fn persist(&mut self, _: Vec<R>) -> Result<(), Infallible> {
        Ok(())
    }
}

fn config(world: &World) -> Config<Symbolic> {
    let id = ReplicaId(0);
    Config {
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
    }
}

fn core(world: &World) -> Core<Node> {
    let replica = HotStuff::recover(config(world), Vec::<Record<Symbolic>>::new());
    let docket = Docket::new::<Node>(ReplicaId(0), world.keys.consensus.clone());
    Core::new(replica, Mempool::new(ReplicaId(0), conformance::committee(4), BatchLimits::default()), docket)
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
    let (again, late) = (batch(world.keys.transactions.chain(), 0), batch(world.keys.transactions.chain(), 1));
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

/// Block sync brings the block that a replica holds uncommitted. A transaction in it came too early and did not apply; its turn is still to
/// come, and who hears of its batch again must take it for work. While the batch passed for one that is used up, the validators that had synced
/// stood still, and the transaction of one of them was never sent again.
#[test]
fn a_batch_that_comes_committed_by_sync_is_done_with_and_what_was_too_early_in_it_may_come_again() {
    let world = world();
    let mut core = core(&world);
    let early = batch(world.keys.transactions.chain(), 1);
    hear(&world, &mut core, Wire::Pool(PoolMessage::Batch(early.clone())));
    let Message::Proposal(proposal) = propose(&world, &[&early]) else { panic!("a proposal") };
    hear(&world, &mut core, Wire::Consensus(Message::Proposal(proposal.clone())));
    assert_eq!(core.replica().uncommitted_batches(), [early.digest()].into());
    let committed = Committed {
        head: Height(1),
        batches: vec![early.digest()],
        early: early.transactions().iter().map(Transaction::digest).collect(),
        ..Committed::default()
    };
    let head = proposal.justified.block.header;
    let _step =
        core.handle(Input::Ledger(LedgerReply::Synced { head, proof: Vec::new(), committed, recent: Vec::new() }));
    assert_eq!(core.pool().status().batches, 0, "nothing needs it");
    assert!(!core.replica().status().has_work);
    hear(&world, &mut core, Wire::Pool(PoolMessage::Batch(early)));
    assert!(core.replica().status().has_work, "it may apply in a later block");
}

fn pbft_core(world: &World) -> Core<Pbft<Symbolic>> {
    let (id, params) = (ReplicaId(0), Params::default());
    let [base, max] = [params.timeout_base_ms, params.timeout_max_ms].map(Duration::from_millis);
    let config = Config { timeouts: Timeouts { base, max, block_interval: None }, ..config(world) };
    let replica = Pbft::recover(config, Vec::<pbft::Record<Symbolic>>::new());
    let docket = Docket::new::<Pbft<Symbolic>>(id, world.keys.consensus.clone());
    Core::new(replica, Mempool::new(id, conformance::committee(4), BatchLimits::default()), docket)
}

/// A liar gives a batch to one backup alone. With the genesis' usual timeouts that one tells the others of it first, and loses patience
/// with a primary that knows of it only.
#[test]
fn a_backup_offers_a_batch_before_it_deposes_the_primary_for_it() {
    let world = world();
    let mut core = pbft_core(&world);
    let wire: Wire<pbft::Message<Symbolic>> = Wire::Pool(PoolMessage::Batch(batch(world.keys.transactions.chain(), 0)));
    let message = Checked::check(wire, ReplicaId(3), &world.keys).expect("good");
    let mut inputs = vec![Input::Received { from: ReplicaId(3), message }, Input::Started];
    let (mut timers, mut count) = (BTreeMap::new(), 0);
    let mut now = Duration::ZERO;
    loop {
        let input = inputs.pop().unwrap_or_else(|| {
            let ((at, _), timer) = timers.pop_first().expect("timers run");
            now = at;
            Input::TimedOut(timer)
        });
        let Output { effects, step } = core.handle(input);
        for effect in effects {
            match effect {
                Effect::SetTimer { timer, after } => {
                    count += 1;
                    timers.insert((now + after, count), timer);
                }
                Effect::Broadcast(PoolMessage::Offer(_)) => return,
                _ => {}
            }
        }
        let Ok(actions) = step.release(&mut NoDisk);
        let deposes = |action: &Action<_>| matches!(action, Action::Broadcast(pbft::Message::ViewChange(_)));
        assert!(!actions.iter().any(deposes), "after {now:?}, and nobody else has heard of the batch");
    }
}

/// A leader proposes twice, a follower too, and one block gives another result: each is refused, and the last one is known by its rule.
#[test]
fn the_last_proposal_that_was_refused_is_known_with_the_rule() {
    let world = world();
    let mut core = core(&world);
    let batch = batch(world.keys.transactions.chain(), 0);
    hear(&world, &mut core, Wire::Pool(PoolMessage::Batch(batch.clone())));
    assert!(core.last_refusal().is_none());
    let effects = hear(&world, &mut core, Wire::Consensus(propose(&world, &[&batch])));
    assert!(core.last_refusal().is_none(), "it waits to be executed, which is no refusal");
    let executing = effects.iter().find_map(|effect| match effect {
        Effect::Ledger(LedgerWork::Execute { block, .. }) => Some(block.digest()),
        _ => None,
    });
    let block = executing.expect("it has all batches");
    let _step = core.handle(Input::Ledger(LedgerReply::Executed { block, outcome: Executed::Invalid }));
    let refusal = *core.last_refusal().expect("it claims another result");
    let proposal = refusal.proposal;
    assert_eq!((proposal.view, proposal.height, proposal.proposer), (View(1), Height(1), ReplicaId(1)));
    assert_eq!((refusal.why, refusal.before), (Ignored::Invalid, 0));
    hear(&world, &mut core, Wire::Consensus(propose(&world, &[])));
    let refusal = *core.last_refusal().expect("a second one");
    assert_eq!((refusal.why, refusal.before), (Ignored::Equivocation, 1));
    assert_eq!(core.missing_batches(), 0);
}
