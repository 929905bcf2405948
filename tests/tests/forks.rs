//! More liars than the protocol can bear: then honest replicas cannot agree, but they can notice.

use quorate_consensus::hotstuff::{Ballot, Certificates, JustifiedBlock, Message, QuorumCertificate};
use quorate_crypto::{Scheme, Symbolic};
use quorate_sim::{Cluster, Cue, Death, Hands, SimScheme};
use quorate_types::{Block, BoundedVec, Header, Height, Payload, ReplicaId, View};
use quorate_validator::Wire;
use std::time::Duration;

type S = Symbolic;

const MS: Duration = Duration::from_millis(1);
const HONEST: ReplicaId = ReplicaId(0);

/// Blocks of consecutive views on genesis, each with the certificate of the one below, and the last one's certificate.
fn branch(scheme: &S, genesis: &Header, views: [u64; 3]) -> (Vec<JustifiedBlock<S>>, QuorumCertificate<S>) {
    let mut justify = QuorumCertificate::genesis(genesis);
    let mut blocks = Vec::new();
    for view in views.map(View) {
        let proposer = ReplicaId(u16::try_from(view.0 % 4).expect("one of four"));
        let (height, parent, payload_root) = (justify.height().next(), justify.block(), Block::payload_root(&[]));
        let header = Header { height, view, parent, proposer, payload_root, ..genesis.clone() };
        let ballot = Ballot::of(&header);
        let sign = |id: u16| (ReplicaId(id), scheme.sign(&scheme.secret_of(ReplicaId(id)), &ballot));
        let proof = scheme.combine(&ballot, &[1, 2, 3].map(sign).into()).expect("a quorum of liars");
        blocks.push(JustifiedBlock { block: Block { header, payload: Payload::default() }, justify });
        justify = QuorumCertificate { ballot, proof: Some(proof) };
    }
    (blocks, justify)
}

/// Three of four certify one branch, and when replica 0 has committed its first block, another one.
fn liar(genesis: Header) -> impl FnMut(&mut Hands, Cue) {
    move |hands, cue| {
        let branches = [branch(&hands.scheme, &genesis, [1, 2, 3]), branch(&hands.scheme, &genesis, [9, 10, 11])];
        match cue {
            Cue::Started => (0..2).for_each(|turn| hands.set_timer(500 * MS * (turn + 1), u64::from(turn))),
            Cue::Timer(turn) => {
                let high_qc = branches[usize::from(turn == 1)].1.clone();
                hands.send(
                    HONEST,
                    Message::Certificates(Box::new(Certificates { high_qc, entry: None, is_whole: false })),
                );
            }
            Cue::Received { wire: Wire::Consensus(Message::AskBlock(wanted)), .. } => {
                let held =
                    |(blocks, _): &&(Vec<JustifiedBlock<S>>, _)| blocks.iter().any(|b| b.block.digest() == wanted);
                let Some((blocks, _)) = branches.iter().find(held) else { return };
                let down = blocks.iter().rev().skip_while(|b| b.block.digest() != wanted).cloned().collect();
                let blocks = BoundedVec::new(down).expect("three at most");
                hands.send(HONEST, Message::Blocks { wanted, blocks });
            }
            Cue::Received { .. } | Cue::Asked { .. } => {}
        }
    }
}

#[test]
fn row_33_a_replica_that_sees_a_certified_branch_beside_what_it_committed_stops() {
    let genesis = Cluster::new().build().genesis().block().header;
    let builder = (1..4).fold(Cluster::new(), |builder, id| builder.puppet(id, liar(genesis.clone())));
    let mut cluster = builder.build();
    cluster.run_until(|cluster| cluster.height(0) == Height(1), 400 * MS + 500 * MS);
    cluster.try_until(|cluster| !cluster.is_running(0), 20_000 * MS);
    let Some(Death::Halted(why)) = cluster.death(0) else { panic!("it does not notice\n{}", cluster.report()) };
    assert!(why.contains("certified"), "{why}");
}
