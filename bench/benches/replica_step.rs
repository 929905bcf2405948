//! criterion: a follower takes its leader's proposal: checked, and handled up to the request to execute it. Votes are symbolic, so this
//! is what the protocol itself costs.

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use quorate_consensus::{
    Config, Election, Event, Keys, Protocol, Replica, SeenCertificates, Timeouts, Verified, hotstuff, pbft,
};
use quorate_crypto::{Scheme, Symbolic, conformance};
use quorate_types::{Block, BoundedVec, Digest, Epoch, Header, Height, ReplicaId, View};
use std::time::Duration;

type HotStuff = hotstuff::HotStuff<Symbolic>;
type Pbft = pbft::Pbft<Symbolic>;

/// Who takes the proposal.
const FOLLOWER: ReplicaId = ReplicaId(3);

fn scheme() -> Symbolic {
    Symbolic::new(conformance::committee(4), 1)
}

fn genesis() -> Header {
    Header {
        chain: conformance::committee(4).chain(),
        epoch: Epoch(0),
        height: Height::GENESIS,
        view: View::GENESIS,
        parent: Digest::ZERO,
        proposer: ReplicaId(0),
        payload_root: Block::payload_root(&[]),
        state_root: Digest::ZERO,
        timestamp: 0,
    }
}

fn follower<P: Protocol<Scheme = Symbolic>>(election: Election) -> P {
    let config = Config {
        id: FOLLOWER,
        scheme: scheme(),
        secret: scheme().secret(FOLLOWER),
        election,
        timeouts: Timeouts { base: Duration::from_secs(1), max: Duration::from_secs(1), block_interval: None },
        max_block_batches: 8,
        checkpoint_interval: 64,
        genesis: genesis(),
        head: genesis(),
        head_proof: None,
        recent: Vec::new(),
        seen: SeenCertificates::default(),
    };
    let mut replica = P::recover(config, Vec::new());
    let _timers = replica.handle(Event::Started);
    replica
}

/// An empty block of the view that the replica is in, by that view's leader.
fn block(replica: &impl Replica) -> Block {
    let status = replica.status();
    let proposer = status.leader.expect("a replica that has lost nothing knows its leader");
    let header = Header { height: Height(1), view: status.view, parent: genesis().digest(), proposer, ..genesis() };
    Block { header, payload: BoundedVec::default() }
}

fn hotstuff_proposal(replica: &HotStuff) -> hotstuff::Message<Symbolic> {
    let block = block(replica);
    let statement = hotstuff::ProposalStatement(hotstuff::Ballot::of(&block.header));
    let attestation = scheme().attest(&scheme().secret(block.header.proposer), &statement);
    let justified = hotstuff::JustifiedBlock { block, justify: hotstuff::QuorumCertificate::genesis(&genesis()) };
    hotstuff::Message::Proposal(Box::new(hotstuff::Proposal { justified, entry: None, attestation }))
}

fn pbft_proposal(replica: &Pbft) -> pbft::Message<Symbolic> {
    let (block, view) = (block(replica), replica.status().view);
    let (ballot, secret) = (pbft::Ballot::of(view, &block.header), scheme().secret(block.header.proposer));
    let attestation = scheme().attest(&secret, &pbft::PrePrepareStatement(ballot));
    let prepare = scheme().sign(&secret, &pbft::Prepare(ballot));
    pbft::Message::PrePrepare(Box::new(pbft::PrePrepare { view, block, attestation, prepare }))
}

fn measure<P>(criterion: &mut Criterion, name: &str, election: Election, propose: impl Fn(&P) -> P::Message)
where
    P: Protocol<Scheme = Symbolic> + Clone,
{
    let replica: P = follower(election);
    let (proposal, leader) = (propose(&replica), replica.status().leader.expect("there is one"));
    let keys = Keys::new(scheme(), &genesis());
    let take = |mut replica: P| {
        let message = Verified::check(proposal.clone(), leader, &keys).expect("an honest proposal");
        replica.handle(Event::Received { from: leader, message }).take_requests().len()
    };
    assert!(take(replica.clone()) > 0, "it asks for the block to be executed");
    criterion.bench_function(name, |bencher| bencher.iter_batched(|| replica.clone(), take, BatchSize::SmallInput));
}

fn steps(criterion: &mut Criterion) {
    measure(criterion, "replica step: a hotstuff proposal", Election::RoundRobin, hotstuff_proposal);
    measure(criterion, "replica step: a pbft pre-prepare", Election::Stable, pbft_proposal);
}

criterion_group!(benches, steps);
criterion_main!(benches);
