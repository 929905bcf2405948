//! criterion: a block of 200 transactions of 512 bytes built, executed, committed and indexed; in memory, and on files with redb.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use quorate_bench::fixture;
use quorate_crypto::{IdentitySecret, VoteSecret};
use quorate_ledger::{
    AppGenesis, Disk, Election, FileDisk, Genesis, Index, Ledger, MemoryDisk, MemoryIndex, Params, Protocol, RedbIndex,
    SchemeKind, Validator,
};
use quorate_types::{Batch, ReplicaId, View};
use std::sync::Arc;

const TRANSACTIONS: u64 = 200;

fn genesis() -> Genesis {
    let validator = Validator {
        name: "v0".into(),
        identity: IdentitySecret::from_seed([1; 32]).public(),
        vote: VoteSecret::from_seed([2; 32]).public(),
        bls: None,
        address: None,
    };
    Genesis {
        chain: "bench".into(),
        time: 0,
        protocol: Protocol::Hotstuff,
        scheme: SchemeKind::Ed25519,
        election: Election::RoundRobin,
        params: Params::default(),
        validators: vec![validator],
        commitments: None,
        application: AppGenesis::Unsigned,
        fault_injection: true,
    }
}

/// Appends blocks one after the other.
struct Chain<D: Disk, I: Index> {
    ledger: Ledger<D, I>,
    next: u64,
}

impl<D: Disk, I: Index> Chain<D, I> {
    fn new(disk: D, index: I) -> Self {
        Self { ledger: Ledger::open(disk, index, &genesis()).expect("an empty ledger opens"), next: 0 }
    }

    fn batch(&mut self) -> Arc<Batch> {
        self.next += TRANSACTIONS;
        fixture::batch(genesis().chain_id(), self.next - TRANSACTIONS, TRANSACTIONS)
    }

    fn append(&mut self, batch: Arc<Batch>) {
        let head = self.ledger.head().clone();
        let built =
            self.ledger.build(&head.digest(), View(head.height.0 + 1), ReplicaId(0), vec![batch], head.timestamp);
        let block = built.expect("it stands on the head");
        self.ledger.commit(&block.digest(), vec![0; 256]).expect("it was executed");
    }
}

fn measure<D: Disk, I: Index>(criterion: &mut Criterion, name: &str, chain: Chain<D, I>) {
    let mut group = criterion.benchmark_group("ledger append");
    group.throughput(Throughput::Elements(TRANSACTIONS)).sample_size(20);
    let chain = std::cell::RefCell::new(chain);
    group.bench_function(name, |bencher| {
        let batch = || chain.borrow_mut().batch();
        bencher.iter_batched(batch, |batch| chain.borrow_mut().append(batch), BatchSize::PerIteration);
    });
    group.finish();
}

fn append(criterion: &mut Criterion) {
    measure(criterion, "memory", Chain::new(MemoryDisk::default(), MemoryIndex::default()));
    let dir = tempfile::tempdir().expect("a temporary directory");
    let disk = FileDisk::open(dir.path().join("blocks")).expect("a new directory");
    let (index, _) = RedbIndex::open_or_recreate(&dir.path().join("index.redb")).expect("a new file");
    measure(criterion, "files and redb", Chain::new(disk, index));
}

criterion_group!(benches, append);
criterion_main!(benches);
