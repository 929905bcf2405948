//! criterion: sign, admit, verify, combine and verify-certificate of each scheme at n = 4, 16, 64 and 100, in CPU time.

use criterion::{
    BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
    measurement::{Measurement, ValueFormatter, WallTime},
};
use quorate_bench::{Case, SIZES, bls_multi, bls_threshold, cpu, ed25519};
use quorate_crypto::{
    Scheme,
    bls::{MinPk, MinSig},
};
use std::time::Duration;

/// CPU time of this thread: whatever else the machine does is not counted.
struct CpuTime;

impl Measurement for CpuTime {
    type Intermediate = Duration;
    type Value = Duration;

    fn start(&self) -> Duration {
        cpu::now()
    }

    fn end(&self, start: Duration) -> Duration {
        cpu::now() - start
    }

    fn add(&self, left: &Duration, right: &Duration) -> Duration {
        *left + *right
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        WallTime.to_f64(value)
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

fn measure<S: Scheme>(criterion: &mut Criterion<CpuTime>, name: &str, case: impl Fn(usize) -> Case<S>) {
    let mut group = criterion.benchmark_group(name);
    for n in SIZES {
        let case = case(n);
        group.throughput(Throughput::Elements(1));
        group.bench_function(BenchmarkId::new("sign", n), |bencher| bencher.iter(|| case.sign()));
        group.bench_function(BenchmarkId::new("admit", n), |bencher| bencher.iter(|| case.admit()));
        group.bench_function(BenchmarkId::new("verify", n), |bencher| bencher.iter(|| case.verify()));
        group.bench_function(BenchmarkId::new("combine", n), |bencher| bencher.iter(|| case.combine()));
        let verify = BenchmarkId::new("verify-certificate", n);
        group.bench_function(verify, |bencher| bencher.iter(|| case.verify_certificate()));
    }
    group.finish();
}

fn schemes(criterion: &mut Criterion<CpuTime>) {
    measure(criterion, "ed25519", ed25519);
    measure(criterion, "bls-multi/min_sig", bls_multi::<MinSig>);
    measure(criterion, "bls-multi/min_pk", bls_multi::<MinPk>);
    measure(criterion, "bls-threshold/min_sig", bls_threshold::<MinSig>);
    measure(criterion, "bls-threshold/min_pk", bls_threshold::<MinPk>);
}

fn configured() -> Criterion<CpuTime> {
    let brief = Criterion::default().sample_size(20).warm_up_time(Duration::from_millis(300));
    brief.measurement_time(Duration::from_secs(1)).with_measurement(CpuTime)
}

criterion_group!(name = benches; config = configured(); targets = schemes);
criterion_main!(benches);
