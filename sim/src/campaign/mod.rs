//! Whole runs drawn from seeds: faults first, then healing and progress.
//!
//! A seed draws a [`Plan`]: protocol parameters, links, latencies, load, up to `f` attackers, and a list of faults at times. The *safety phase*
//! carries it out; then everything heals, everybody is started, and the *liveness phase* must see everything submitted take
//! effect and all replicas at one head within a bound of virtual time; then the *quiet phase* must see next to no messages.
//! Checkers look all the time.

mod draw;
mod ending;
mod expect;
mod file;
mod page;
mod phases;
mod plan;
mod report;
mod run;
mod shrink;

pub use draw::attacks;
pub use ending::Ending;
pub use plan::{Attacker, Fault, Late, Load, LoadKind, Plan};
pub use quorate_scenario::Held;
pub use report::{Failure, Report};
pub use run::{Outcome, Runner, Watch, run_plan, run_under, watch_plan};
pub use shrink::{Shrunk, attempt, shrink};

use quorate_ledger::Protocol;
use std::{ops::Range, panic};

/// What a campaign runs.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// What the replicas run.
    pub protocol: Protocol,
    /// Replicas.
    pub replicas: usize,
    /// Names of the attacks that attackers use; `None`: all of the registry, as they are added.
    pub attacks: Option<Vec<String>>,
    /// Each hundredth seed is run by this one, with a scheme's real signatures, all others with symbolic ones; `None`: all with symbolic ones.
    pub real: Option<Runner>,
    /// Threads to spread the seeds over.
    pub threads: usize,
}

impl Campaign {
    /// All attacks, symbolic signatures, one thread.
    pub fn new(protocol: Protocol, replicas: usize) -> Self {
        Self { protocol, replicas, attacks: None, real: None, threads: 1 }
    }

    /// The plan of a seed.
    pub fn plan(&self, seed: u64) -> Plan {
        match &self.attacks {
            Some(named) => Plan::draw(self.protocol, self.replicas, named, seed),
            None => Plan::draw(self.protocol, self.replicas, &attacks(self.protocol), seed),
        }
    }

    /// Runs a seed, as the campaign does.
    pub fn run(&self, seed: u64) -> Outcome {
        self.runner(seed)(&self.plan(seed), Watch::default())
    }

    /// Whether a seed is run with real signatures.
    pub fn is_real(&self, seed: u64) -> bool {
        self.real.is_some() && seed.is_multiple_of(REAL_EVERY)
    }

    /// Who runs a seed.
    pub fn runner(&self, seed: u64) -> Runner {
        self.real.filter(|_| self.is_real(seed)).unwrap_or(watch_plan)
    }
}

/// One seed in so many is run with real signatures.
const REAL_EVERY: u64 = 100;

/// Runs all seeds and reports. Every thread takes every n-th seed, so that the work is even.
///
/// # Panics
/// If a thread cannot be joined, which means that the simulator itself is broken.
pub fn campaign(campaign: &Campaign, seeds: Range<u64>) -> Report {
    watched(campaign, seeds, &|_| {})
}

/// Runs all seeds, and after each tells `seen` its failure, or that there was none. Threads tell at the same time.
///
/// # Panics
/// If a thread cannot be joined, which means that the simulator itself is broken.
pub fn watched(campaign: &Campaign, seeds: Range<u64>, seen: &(dyn Fn(Option<&Failure>) + Sync)) -> Report {
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

fn run_all(campaign: &Campaign, seeds: impl Iterator<Item = u64>, seen: &(dyn Fn(Option<&Failure>) + Sync)) -> Report {
    let mut report = Report::default();
    for seed in seeds {
        report.real += u64::from(campaign.is_real(seed));
        seen(match panic::catch_unwind(|| campaign.run(seed)) {
            Ok(outcome) => report.add(outcome),
            Err(panicked) => report.panicked(campaign.replicas, seed, &*panicked),
        });
    }
    report
}
