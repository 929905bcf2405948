//! A cluster that counts: every message once for each receiver, every check by each receiver, and nothing more than the protocols' papers say.
//!
//! The formulas for all sizes, schemes and faults are in `quorate-bench`; here two sizes, so that one broadcast too many is noticed
//! where protocols are worked on.

use quorate_consensus::{BatchLimits, Phase, hotstuff::HotStuff, pbft::Pbft};
use quorate_crypto::{Counted, Symbolic};
use quorate_ledger::{Election, Params};
use quorate_sim::{Cluster, LinkSpec, SimProtocol};
use std::time::Duration;

/// Four blocks and whatever follows them, from one quiet moment to another: how many, and the messages of each phase.
fn spent<P: SimProtocol>(n: usize) -> (u64, impl Fn(Phase) -> u64, quorate_crypto::Operations) {
    let (unit, long) = (Duration::from_millis(10), Duration::from_secs(3600));
    let limits = BatchLimits { transactions: 1, repeat_after: long, ..BatchLimits::default() };
    let mut cluster = Cluster::of::<P>()
        .replicas(n)
        .election(Election::RoundRobin)
        .params(Params { max_block_batches: 1, ..Params::default() })
        .timeout(long)
        .batch_limits(limits)
        .links(LinkSpec { delay: unit, ..LinkSpec::default() })
        .client_retry(None)
        .count()
        .build();
    cluster.submit_at(0, ["first"]);
    cluster.run_until(Cluster::is_settled, long);
    cluster.run_for(100 * unit);
    cluster.count_anew();
    let (before, operations) = (cluster.committed(), cluster.operations());
    cluster.submit_at(0, ["a", "b", "c", "d"]);
    cluster.run_until(Cluster::is_settled, long);
    cluster.run_for(100 * unit);
    let lines = cluster.account().expect("it counts").lines();
    let of = move |phase| lines.iter().filter(|(line, _)| line.phase == phase).map(|(_, tally)| tally.messages).sum();
    (cluster.committed().0 - before.0, of, cluster.operations() - operations)
}

#[test]
fn a_pbft_block_costs_2n_squared_minus_2n_messages() {
    for n in [4, 7] {
        let (blocks, of, operations) = spent::<Pbft<Counted<Symbolic>>>(n);
        let n = n as u64;
        assert_eq!(blocks, 4);
        assert_eq!(of(Phase::Propose), blocks * (n - 1));
        assert_eq!(of(Phase::Vote), blocks * (n - 1) * (n - 1));
        assert_eq!(of(Phase::Commit), blocks * n * (n - 1));
        assert_eq!(
            Phase::ALL.into_iter().filter(|phase| phase.is_ordering()).map(of).sum::<u64>(),
            blocks * 2 * n * (n - 1)
        );
        assert_eq!((operations.signs, operations.attests), (blocks * 2 * n, blocks));
        assert_eq!(operations.admits, blocks * 2 * n * (n - 1), "each receiver checks for itself");
    }
}

#[test]
fn a_hotstuff_view_costs_2n_minus_2_messages() {
    for n in [4, 7] {
        let (views, of, operations) = spent::<HotStuff<Counted<Symbolic>>>(n);
        let n = n as u64;
        assert!(views > 4, "empty ones finish the last: {views}");
        assert_eq!((of(Phase::Propose), of(Phase::Vote)), (views * (n - 1), views * (n - 1)));
        assert_eq!(
            Phase::ALL.into_iter().filter(|phase| phase.is_ordering()).map(of).sum::<u64>(),
            views * 2 * (n - 1)
        );
        assert_eq!((operations.signs, operations.proof_checks), (views * n, views * (n - 1)), "each certificate once");
    }
}
