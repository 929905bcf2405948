//! Whole runs drawn from seeds: faults first, then healing and progress.
//!
//! A seed draws a [`Plan`]: protocol parameters, links, latencies, load, and a list of faults at times. The *safety phase*
//! carries it out; then everything heals, everybody is started, and the *liveness phase* must see everything submitted take
//! effect and all replicas at one head within a bound of virtual time; then the *quiet phase* must see next to no messages.
//! Checkers look all the time.

mod ending;
mod plan;
mod report;
mod run;

pub use ending::Ending;
pub use plan::{Fault, Plan};
pub use report::{Failure, Report};
pub use run::{Outcome, look, run_plan, run_real, run_seed};

use quorate_ledger::{Protocol, SchemeKind};
use std::{ops::Range, panic};

/// What a campaign runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Campaign {
    /// What the replicas run.
    pub protocol: Protocol,
    /// Replicas.
    pub replicas: usize,
    /// Each hundredth seed is run with this scheme's real signatures, all others with symbolic ones; `None`: all with symbolic ones.
    pub scheme: Option<SchemeKind>,
    /// Threads to spread the seeds over.
    pub threads: usize,
}

/// One seed in so many is run with real signatures.
const REAL_EVERY: u64 = 100;

/// Runs all seeds and reports. Every thread takes every n-th seed, so that the work is even.
///
/// # Panics
/// If a thread cannot be joined, which means that the simulator itself is broken.
pub fn campaign(campaign: Campaign, seeds: Range<u64>) -> Report {
    watched(campaign, seeds, &|_| {})
}

/// Runs all seeds, and after each tells `seen` its failure, or that there was none. Threads tell at the same time.
///
/// # Panics
/// If a thread cannot be joined, which means that the simulator itself is broken.
pub fn watched(campaign: Campaign, seeds: Range<u64>, seen: &(dyn Fn(Option<&Failure>) + Sync)) -> Report {
    let threads = campaign.threads.max(1);
    let silent = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let reports = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads)
            .map(|thread| {
                let mine = seeds.clone().skip(thread).step_by(threads);
                scope.spawn(move || run_all(campaign, mine, seen))
            })
            .collect();
        handles.into_iter().map(|handle| handle.join().expect("panics of runs are caught")).collect::<Vec<_>>()
    });
    panic::set_hook(silent);
    reports.into_iter().fold(Report::default(), Report::join)
}

fn run_all(
    Campaign { protocol, replicas, scheme, .. }: Campaign,
    seeds: impl Iterator<Item = u64>,
    seen: &(dyn Fn(Option<&Failure>) + Sync),
) -> Report {
    let mut report = Report::default();
    for seed in seeds {
        let real = scheme.filter(|_| seed.is_multiple_of(REAL_EVERY));
        report.real += u64::from(real.is_some());
        let run = || match real {
            Some(scheme) => run_real(protocol, replicas, scheme, seed),
            None => run_seed(protocol, replicas, seed),
        };
        seen(match panic::catch_unwind(run) {
            Ok(outcome) => report.add(outcome),
            Err(panicked) => report.panicked(replicas, seed, &*panicked),
        });
    }
    report
}
