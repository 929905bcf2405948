//! Hundreds of seeds: faults of every kind, up to `f` liars, then healing and progress. `QUORATE_SEEDS` sets how many for each
//! size; the long version is `quorate sim campaign --protocol pbft --seeds 0..10000 --n 4`.

use quorate_sim::{
    SimProtocol,
    campaign::{Campaign, campaign},
    for_each_protocol,
};

for_each_protocol!(
    four_replicas_stay_safe_and_come_back,
    five_replicas_stay_safe_and_come_back,
    seven_replicas_stay_safe_and_come_back,
);

fn nothing_is_violated_and_nothing_gets_stuck<P: SimProtocol>(replicas: usize) {
    let seeds = std::env::var("QUORATE_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(200);
    let report = campaign(&Campaign::new(P::KIND, replicas), 0..seeds);
    assert!(report.is_clean(), "n={replicas}: {report}");
    assert!(report.blocks > 10 * seeds, "the seeds do too little to mean anything: {report}");
}

fn four_replicas_stay_safe_and_come_back<P: SimProtocol>() {
    nothing_is_violated_and_nothing_gets_stuck::<P>(4);
}

fn five_replicas_stay_safe_and_come_back<P: SimProtocol>() {
    nothing_is_violated_and_nothing_gets_stuck::<P>(5);
}

fn seven_replicas_stay_safe_and_come_back<P: SimProtocol>() {
    nothing_is_violated_and_nothing_gets_stuck::<P>(7);
}
