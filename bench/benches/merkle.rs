//! criterion: roots, paths and their checks, for a batch of 200 transactions and for the largest.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use quorate_types::{Digest, merkle};
use std::hint::black_box;

fn trees(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("merkle");
    for leaves in [200u64, 4096] {
        let hashes: Vec<Digest> = (0..leaves).map(|leaf| merkle::leaf_hash(&leaf.to_le_bytes())).collect();
        let path = merkle::prove(&hashes, 17).expect("there is such a leaf");
        group.throughput(Throughput::Elements(leaves));
        group.bench_function(BenchmarkId::new("root", leaves), |bencher| {
            bencher.iter(|| merkle::root(black_box(&hashes)))
        });
        group.throughput(Throughput::Elements(1));
        group.bench_function(BenchmarkId::new("prove", leaves), |bencher| {
            bencher.iter(|| merkle::prove(black_box(&hashes), 17));
        });
        group.bench_function(BenchmarkId::new("check", leaves), |bencher| {
            bencher.iter(|| black_box(&path).root(hashes[17], 17, leaves));
        });
    }
    group.finish();
}

criterion_group!(benches, trees);
criterion_main!(benches);
