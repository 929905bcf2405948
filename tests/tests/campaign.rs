//! Hundreds of seeds: faults of every kind, then healing and progress. `QUORATE_SEEDS` sets how many for each size; the long
//! version is `cargo run --release -p quorate-sim --bin campaign -- --seeds 10000 --n 4`.

use quorate_ledger::Protocol;
use quorate_sim::campaign::{Campaign, campaign};

fn nothing_is_violated_and_nothing_gets_stuck(replicas: usize) {
    let seeds = std::env::var("QUORATE_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(200);
    let report = campaign(Campaign { protocol: Protocol::Hotstuff, replicas, threads: 1 }, 0..seeds);
    assert!(report.is_clean(), "n={replicas}: {report}");
    assert!(report.blocks > 10 * seeds, "the seeds do too little to mean anything: {report}");
}

#[test]
fn four_replicas_stay_safe_and_come_back() {
    nothing_is_violated_and_nothing_gets_stuck(4);
}

#[test]
fn five_replicas_stay_safe_and_come_back() {
    nothing_is_violated_and_nothing_gets_stuck(5);
}

#[test]
fn seven_replicas_stay_safe_and_come_back() {
    nothing_is_violated_and_nothing_gets_stuck(7);
}
