//! Every field of every message, changed in each of seven ways by the replica that signs it: the honest survive, and nobody honest is
//! accused. The fields follow from the types, so the coverage cannot be less than it claims. The report:
//! `cargo test -p quorate-sim --test field_mutators -- --nocapture`.

use quorate_byzantine::{
    Attacks, Byzantine, Target,
    mutate::{Coverage, Mutator, Pair, Resign},
};
use quorate_sim::{Cluster, SimProtocol, SymbolicHotStuff, SymbolicPbft};
use std::time::Duration;

const BASE: Duration = Duration::from_millis(200);
/// Runs after which nothing new is expected.
const RUNS: u64 = 60;

/// A run in which every kind of message is said: a replica is away, views change, somebody is behind, and one loses its disks.
fn run<P: SimProtocol + Attacks + Resign>(seed: u64, coverage: &Coverage) {
    let coverage = coverage.clone();
    let builder = Cluster::of::<Byzantine<P>>().replicas(4).seed(seed).timeout(BASE).checkpoint_interval(4);
    let attack = move |target: &Target| coverage.attack::<P>(target, seed);
    let mut cluster = builder.corrupt(1, Target::default(), attack).build();
    let mut submitted = 0;
    let mut load = |cluster: &mut Cluster<_>, at: u16| {
        for _ in 0..12 {
            submitted += 1;
            cluster.submit_at(at, [format!("{submitted}")]);
            cluster.run_for(BASE / 4);
        }
    };
    load(&mut cluster, 0);
    cluster.crash(2);
    load(&mut cluster, 3);
    cluster.restart(2);
    load(&mut cluster, 2);
    cluster.crash(1);
    load(&mut cluster, 3);
    cluster.restart(1);
    load(&mut cluster, 0);
    cluster.settle();
    cluster.assert_agreement();
    cluster.assert_ledger((1..=submitted).map(|transaction| format!("{transaction}")));
    assert!(
        cluster.accusations().all(|(_, evidence)| evidence.accused.0 == 1),
        "seed {seed}: somebody honest is accused"
    );
}

/// There is one chain and one epoch, the one called 0: nobody says another, and zero is no change.
fn is_possible((path, mutator): &Pair) -> bool {
    let has_other_values = !path.ends_with(".header.chain") && !path.ends_with(".header.epoch");
    let is_calculated = !matches!(mutator, Mutator::Earlier | Mutator::Others);
    has_other_values || is_calculated && !(path.ends_with(".epoch") && *mutator == Mutator::Zero)
}

fn missing(coverage: &Coverage) -> Vec<Pair> {
    coverage.missing().into_iter().filter(is_possible).collect()
}

fn every_field_is_changed_in_every_way<P: SimProtocol + Attacks + Resign>() {
    let coverage = Coverage::of::<P>();
    let mut runs = 0;
    while runs < RUNS && !missing(&coverage).is_empty() {
        run::<P>(runs, &coverage);
        runs += 1;
    }
    println!("{:?}, {runs} runs: {coverage}", P::KIND);
    assert_eq!(missing(&coverage), Vec::<Pair>::new());
}

#[test]
fn hotstuff_survives_every_field_changed_in_every_way() {
    every_field_is_changed_in_every_way::<SymbolicHotStuff>();
}

#[test]
fn pbft_survives_every_field_changed_in_every_way() {
    every_field_is_changed_in_every_way::<SymbolicPbft>();
}
