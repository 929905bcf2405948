//! The same seed does the same, to the last message.

use quorate_ledger::Protocol;
use quorate_sim::{
    Cluster, SimProtocol,
    campaign::{Campaign, Outcome},
    for_each_protocol,
};
use quorate_types::Digest;
use std::collections::BTreeSet;

fn run_seed(protocol: Protocol, replicas: usize, seed: u64) -> Outcome {
    Campaign::new(protocol, replicas).run(seed)
}

#[test]
fn a_seed_of_a_campaign_leaves_the_same_trace_twice() {
    for (protocol, seed) in Protocol::ALL.into_iter().flat_map(|protocol| (0..20).map(move |seed| (protocol, seed))) {
        let (first, second) = (run_seed(protocol, 4, seed), run_seed(protocol, 4, seed));
        assert_eq!((first.trace, first.events), (second.trace, second.events), "{protocol}, SEED={seed}");
    }
}

#[test]
fn different_seeds_leave_different_traces() {
    let runs = Protocol::ALL.into_iter().flat_map(|protocol| (0..20).map(move |seed| run_seed(protocol, 4, seed)));
    assert_eq!(runs.map(|run| run.trace).collect::<BTreeSet<_>>().len(), 40);
}

for_each_protocol!(a_scenario_is_decided_by_its_seed);

fn a_scenario_is_decided_by_its_seed<P: SimProtocol>() {
    fn trace<P: SimProtocol>(seed: u64) -> Digest {
        let mut cluster = Cluster::of::<P>().replicas(4).seed(seed).build();
        cluster.submit(["a", "b"]);
        cluster.run_until_height(1);
        cluster.crash_all();
        cluster.settle();
        cluster.trace_hash()
    }
    assert_eq!(trace::<P>(7), trace::<P>(7));
    assert_ne!(trace::<P>(7), trace::<P>(8));
}
