//! Runs one seed of a campaign and shows everything: `cargo run -p quorate-sim --example look -- SEED REPLICAS [PROTOCOL]`.
use quorate_sim::campaign::{Campaign, Watch, watch_plan};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize| arguments.get(index).and_then(|text| text.parse::<u64>().ok());
    let (seed, replicas) = (number(0).unwrap_or(0), number(1).unwrap_or(4));
    let protocol = arguments.get(2).map_or(Ok(quorate_ledger::Protocol::Hotstuff), |text| text.parse());
    let protocol = protocol.expect("hotstuff or pbft");
    let campaign = Campaign::new(protocol, usize::try_from(replicas).unwrap_or(4));
    let outcome = watch_plan(&campaign.plan(seed), Watch { state: true, ..Watch::default() });
    println!("{}\n{:?}\n{}", outcome.details, outcome.violation, outcome.state.join("\n"));
}
