//! criterion: ten simulated seconds of four replicas under a light load. Votes are symbolic.

use criterion::{Criterion, criterion_group, criterion_main};
use quorate_sim::{Cluster, SimProtocol, SymbolicHotStuff, SymbolicPbft};
use std::time::Duration;

fn run<P: SimProtocol>() -> u64 {
    let mut cluster = Cluster::of::<P>().replicas(4).seed(1).build();
    for second in 0..10 {
        cluster.submit((0..10).map(|index| format!("{second}/{index}")));
        cluster.run_for(Duration::from_secs(1));
    }
    cluster.events()
}

fn simulate(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("simulator, ten seconds of four replicas");
    group.sample_size(10);
    group.bench_function("hotstuff", |bencher| bencher.iter(run::<SymbolicHotStuff>));
    group.bench_function("pbft", |bencher| bencher.iter(run::<SymbolicPbft>));
    group.finish();
}

criterion_group!(benches, simulate);
criterion_main!(benches);
