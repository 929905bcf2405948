//! criterion: 1,000 transactions of 64 clients on their way through a mempool: taken in, closed into batches, committed.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use quorate_bench::fixture;
use quorate_consensus::{BatchLimits, Mempool, PoolAction};
use quorate_crypto::conformance;
use quorate_types::{ReplicaId, Transaction};
use std::collections::{BTreeMap, BTreeSet};

const TRANSACTIONS: u64 = 1000;

fn through(transactions: Vec<Transaction>) -> usize {
    let mut pool = Mempool::new(ReplicaId(0), conformance::committee(4), BatchLimits::default());
    let mut actions = Vec::new();
    for transaction in transactions {
        pool.submit(transaction, 0, &mut actions).expect("there is room");
    }
    let ready = |action: PoolAction| match action {
        PoolAction::Ready(batch) => Some(batch.digest()),
        _ => None,
    };
    let batches: Vec<_> = actions.into_iter().filter_map(ready).collect();
    let closed = batches.len();
    pool.on_committed(batches, &BTreeSet::new(), &BTreeMap::new(), &mut Vec::new());
    closed
}

fn mempool(criterion: &mut Criterion) {
    let all: Vec<_> = (0..TRANSACTIONS).map(|index| fixture::transaction(fixture::chain(), index)).collect();
    assert!(through(all.clone()) >= 4, "batches are closed by their size");
    let mut group = criterion.benchmark_group("mempool");
    group.throughput(Throughput::Elements(TRANSACTIONS));
    group.bench_function("take in, batch, commit", |bencher| {
        bencher.iter_batched(|| all.clone(), through, BatchSize::LargeInput);
    });
    group.finish();
}

criterion_group!(benches, mempool);
criterion_main!(benches);
