//! Runs one seed of a campaign and shows everything: `cargo run -p quorate-sim --example look -- SEED REPLICAS`.
fn main() {
    let mut arguments = std::env::args().skip(1).filter_map(|text| text.parse::<u64>().ok());
    let (seed, replicas) = (arguments.next().unwrap_or(0), arguments.next().unwrap_or(4));
    let (outcome, dump) = quorate_sim::campaign::look(usize::try_from(replicas).unwrap_or(4), seed);
    println!("{}\n{:?}\n{dump}", outcome.details, outcome.violation);
}
