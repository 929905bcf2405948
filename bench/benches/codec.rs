//! criterion: a batch of 200 transactions of 512 bytes, encoded and decoded. Decoding computes its name.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use quorate_bench::fixture;
use quorate_types::{Batch, decode, encode};
use std::hint::black_box;

fn codec(criterion: &mut Criterion) {
    let batch = fixture::batch(fixture::chain(), 0, 200);
    let encoded = encode(&*batch);
    let mut group = criterion.benchmark_group("codec");
    group.throughput(Throughput::Bytes(encoded.len() as u64));
    group.bench_function("encode a batch", |bencher| bencher.iter(|| encode(black_box(&*batch))));
    group.bench_function("decode a batch", |bencher| bencher.iter(|| decode::<Batch>(black_box(&encoded))));
    group.bench_function("name a transaction", |bencher| {
        bencher.iter(|| black_box(&batch.transactions()[0]).digest());
    });
    group.finish();
}

criterion_group!(benches, codec);
criterion_main!(benches);
