//! Runs many seeds: `cargo run --release -p quorate-sim --bin campaign -- --protocol pbft --seeds 10000 --n 4 [--from 0]
//! [--threads 2] [--scheme bls-threshold]`. With a scheme, each hundredth seed has its real signatures, the others symbolic ones.

use quorate_ledger::{Protocol, SchemeKind};
use quorate_sim::campaign::{Campaign, campaign};
use std::process::ExitCode;

const USAGE: &str = "usage: campaign [--protocol hotstuff|pbft] [--scheme ed25519|bls-multi|bls-threshold] [--seeds COUNT] [--from SEED] [--n REPLICAS] [--threads THREADS]";

fn main() -> ExitCode {
    let mut options = [("--seeds", 1000), ("--from", 0), ("--n", 4), ("--threads", 2)];
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut protocol = Protocol::Hotstuff;
    let mut scheme: Option<SchemeKind> = None;
    for pair in arguments.chunks(2) {
        if let [name, value] = pair
            && name == "--protocol"
            && let Ok(named) = value.parse()
        {
            protocol = named;
            continue;
        }
        if let [name, value] = pair
            && name == "--scheme"
            && let Ok(named) = value.parse()
        {
            scheme = Some(named);
            continue;
        }
        let option = options.iter_mut().find(|(name, _)| *name == pair[0]);
        let (Some((_, value)), Some(Ok(given))) = (option, pair.get(1).map(|text| text.parse::<u64>())) else {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        };
        *value = given;
    }
    let [(_, seeds), (_, from), (_, replicas), (_, threads)] = options;
    let small = |number: u64| usize::try_from(number).unwrap_or(usize::MAX).clamp(1, 100);
    let started = clock();
    let report = campaign(
        Campaign { protocol, scheme, replicas: small(replicas), threads: small(threads) },
        from..from.saturating_add(seeds),
    );
    let seconds = started.elapsed().as_secs_f64();
    let shown = scheme.map_or("symbolic", SchemeKind::name);
    println!("{protocol}, {shown}, n={replicas}: {report}");
    println!("{seconds:.1} s on {threads} threads: {:.1} seeds a second", seeds as f64 / seconds);
    if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Real time, to say how fast it went; nothing simulated sees it.
#[expect(clippy::disallowed_methods, reason = "measures the campaign from outside")]
fn clock() -> std::time::Instant {
    std::time::Instant::now()
}
