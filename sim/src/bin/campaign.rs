//! Runs many seeds with symbolic signatures: `cargo run --release -p quorate-sim --bin campaign -- --protocol pbft --seeds 10000
//! --n 4 [--from 0] [--threads 2] [--attacks equivocate,silent]`. What planted faults are looked for with; `quorate sim campaign` can do more.

use quorate_ledger::Protocol;
use quorate_sim::campaign::{Campaign, campaign};
use std::process::ExitCode;

const USAGE: &str = "usage: campaign [--protocol hotstuff|pbft] [--seeds COUNT] [--from SEED] [--n REPLICAS] [--threads THREADS] [--attacks NAME,...]";

struct Options {
    campaign: Campaign,
    seeds: u64,
    from: u64,
}

fn parse(arguments: &[String]) -> Option<Options> {
    let mut options = Options { campaign: Campaign::new(Protocol::Hotstuff, 4), seeds: 1000, from: 0 };
    for pair in arguments.chunks(2) {
        let [name, value] = pair else { return None };
        match name.as_str() {
            "--protocol" => options.campaign.protocol = value.parse().ok()?,
            "--attacks" => options.campaign.attacks = Some(value.split_terminator(',').map(str::to_owned).collect()),
            "--n" => options.campaign.replicas = value.parse().ok().filter(|replicas| (1..=100).contains(replicas))?,
            "--threads" => options.campaign.threads = value.parse().ok()?,
            "--seeds" => options.seeds = value.parse().ok()?,
            "--from" => options.from = value.parse().ok()?,
            _ => return None,
        }
    }
    Some(options)
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(Options { campaign: runs, seeds, from }) = parse(&arguments) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let started = clock();
    let report = campaign(&runs, from..from.saturating_add(seeds));
    let seconds = started.elapsed().as_secs_f64();
    println!("{}, n={}: {report}", runs.protocol, runs.replicas);
    println!("{seconds:.1} s on {} threads: {:.1} seeds a second", runs.threads, seeds as f64 / seconds);
    if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Real time, to say how fast it went; nothing simulated sees it.
#[expect(clippy::disallowed_methods, reason = "measures the campaign from outside")]
fn clock() -> std::time::Instant {
    std::time::Instant::now()
}
