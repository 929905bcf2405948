//! The same seed does the same, to the last message.

use quorate_ledger::Protocol;
use quorate_sim::{Cluster, campaign::run_seed};
use quorate_types::Digest;
use std::collections::BTreeSet;

#[test]
fn a_seed_of_a_campaign_leaves_the_same_trace_twice() {
    for seed in 0..20 {
        let (first, second) = (run_seed(Protocol::Hotstuff, 4, seed), run_seed(Protocol::Hotstuff, 4, seed));
        assert_eq!((first.trace, first.events), (second.trace, second.events), "SEED={seed}");
    }
}

#[test]
fn different_seeds_leave_different_traces() {
    let traces: BTreeSet<_> = (0..20).map(|seed| run_seed(Protocol::Hotstuff, 4, seed).trace).collect();
    assert_eq!(traces.len(), 20);
}

#[test]
fn a_scenario_is_decided_by_its_seed() {
    fn trace(seed: u64) -> Digest {
        let mut cluster = Cluster::new().replicas(4).seed(seed).build();
        cluster.submit(["a", "b"]);
        cluster.run_until_height(1);
        cluster.crash_all();
        cluster.settle();
        cluster.trace_hash()
    }
    assert_eq!(trace(7), trace(7));
    assert_ne!(trace(7), trace(8));
}
