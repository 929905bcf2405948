//! criterion: a collector's work for one certificate: a quorum of votes admitted, then combined.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use quorate_bench::{Case, bls_multi, bls_threshold, ed25519};
use quorate_crypto::{Scheme, bls::MinSig};
use std::time::Duration;

fn measure<S: Scheme>(criterion: &mut Criterion, name: &str, case: impl Fn(usize) -> Case<S>) {
    let mut group = criterion.benchmark_group("tally");
    for n in [4, 16, 64] {
        let case = case(n);
        group.bench_function(BenchmarkId::new(name, n), |bencher| {
            bencher.iter(|| {
                (0..case.quorum()).for_each(|_| case.admit());
                case.combine();
            });
        });
    }
    group.finish();
}

fn tally(criterion: &mut Criterion) {
    measure(criterion, "ed25519", ed25519);
    measure(criterion, "bls-multi", bls_multi::<MinSig>);
    measure(criterion, "bls-threshold", bls_threshold::<MinSig>);
}

fn configured() -> Criterion {
    Criterion::default().sample_size(20).measurement_time(Duration::from_secs(2))
}

criterion_group!(name = benches; config = configured(); targets = tally);
criterion_main!(benches);
