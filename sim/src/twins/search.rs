//! Whole families, or lists of scenarios, on threads.
//!
//! Runs whose leaders and first partitions are the same are the same so far: a family is walked as a tree, and each branch goes on from a
//! copy of the world at its fork. What is found does not depend on the number of threads.

use super::{
    family::{Family, Grow},
    scenario::{Partition, Round, Scenario, Shape},
    subject::Subject,
    verdict::{Finding, Outcome},
    world::World,
};
use crate::campaign::Ending;
use quorate_types::ReplicaId;
use std::{
    cell::RefCell,
    sync::atomic::{AtomicU64, Ordering},
};

/// Findings kept at most; all are counted.
const FINDINGS: usize = 100;

/// How a search goes on.
#[derive(Debug, Default)]
pub struct Search {
    /// Threads; 0 counts as one.
    pub jobs: usize,
    /// Scenarios done so far, for whoever wants to watch.
    pub done: AtomicU64,
    /// Those of them in which something went wrong.
    pub violations: AtomicU64,
}

impl Search {
    fn tell(&self, outcome: &Outcome) {
        self.done.fetch_add(1, Ordering::Relaxed);
        self.violations.fetch_add(u64::from(!outcome.breaches.is_empty()), Ordering::Relaxed);
    }
}

/// What a search has seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The worst that happened in any scenario.
    pub ending: Ending,
    /// Scenarios run.
    pub scenarios: u64,
    /// Scenarios in which something went wrong.
    pub violations: u64,
    /// The first of them.
    pub findings: Vec<Finding>,
    /// Scenarios in which blocks were committed before the tail.
    pub committing: u64,
    /// Scenarios in which twins were proven to lie.
    pub accusing: u64,
    /// The most often that timers had to run out in a tail.
    pub waves: usize,
}

impl Default for Report {
    fn default() -> Self {
        let (scenarios, violations, findings) = (0, 0, Vec::new());
        Self { ending: Ending::Pass, scenarios, violations, findings, committing: 0, accusing: 0, waves: 0 }
    }
}

impl Report {
    fn add(&mut self, outcome: Outcome, scenario: impl FnOnce() -> Scenario) {
        self.scenarios += 1;
        self.committing += u64::from(outcome.committed > 0);
        self.accusing += u64::from(outcome.accused > 0);
        self.waves = self.waves.max(outcome.waves);
        if !outcome.breaches.is_empty() {
            self.ending = self.ending.max(outcome.ending());
            self.violations += 1;
            if self.findings.len() < FINDINGS {
                self.findings.push(Finding { scenario: scenario(), breaches: outcome.breaches });
            }
        }
    }

    fn join(mut self, other: Self) -> Self {
        self.ending = self.ending.max(other.ending);
        self.scenarios += other.scenarios;
        self.violations += other.violations;
        self.committing += other.committing;
        self.accusing += other.accusing;
        self.waves = self.waves.max(other.waves);
        self.findings.extend(other.findings);
        self
    }

    fn sorted(mut self) -> Self {
        self.findings.sort_by(|one, other| one.scenario.cmp(&other.scenario));
        self.findings.truncate(FINDINGS);
        self
    }
}

/// Runs one scenario.
pub fn run<P: Subject>(shape: &Shape, scenario: &Scenario) -> Outcome {
    let mut world = World::<P>::new(shape, &scenario.leaders());
    for (number, round) in scenario.0.iter().enumerate() {
        world.round(number, &round.partition);
    }
    world.judge()
}

/// Runs all scenarios of a list.
///
/// # Panics
/// If a thread cannot be joined, which means that the harness itself is broken.
pub fn search_listed<P: Subject>(shape: &Shape, scenarios: &[Scenario], search: &Search) -> Report {
    on_threads(search.jobs, |thread, jobs| {
        let mut report = Report::default();
        for scenario in scenarios.iter().skip(thread).step_by(jobs) {
            let outcome = run::<P>(shape, scenario);
            search.tell(&outcome);
            report.add(outcome, || scenario.clone());
        }
        report
    })
}

/// Runs all scenarios of a family.
///
/// # Panics
/// If a thread cannot be joined, which means that the harness itself is broken.
pub fn search<P: Subject>(family: &Family, search: &Search) -> Report {
    let stems = family.stems();
    let branches: Vec<_> = stems.iter().flat_map(|stem| family.first(stem).map(move |first| (stem, first))).collect();
    on_threads(search.jobs, |thread, jobs| {
        let report = RefCell::new(Report::default());
        for (stem, first) in branches.iter().skip(thread).step_by(jobs) {
            let world = World::<P>::new(family.shape(), &stem.leaders);
            let into = (&stem.leaders[..], &report, search);
            family.grow(stem, *first, Run { world, round: 0, into });
        }
        report.into_inner()
    })
}

fn on_threads(jobs: usize, work: impl Fn(usize, usize) -> Report + Sync) -> Report {
    let jobs = jobs.max(1);
    let work = &work;
    let reports: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..jobs).map(|thread| scope.spawn(move || work(thread, jobs))).collect();
        threads.into_iter().map(|thread| thread.join().expect("panics of replicas are caught")).collect()
    });
    reports.into_iter().fold(Report::default(), Report::join).sorted()
}

/// A world that some scenarios share so far.
struct Run<'a, P: Subject> {
    world: World<P>,
    round: usize,
    into: (&'a [ReplicaId], &'a RefCell<Report>, &'a Search),
}

impl<P: Subject> Grow for Run<'_, P> {
    fn grown(&self, partition: &Partition) -> Self {
        let mut world = self.world.clone();
        world.round(self.round, partition);
        Self { world, round: self.round + 1, into: self.into }
    }

    fn finish(self, partitions: &[Partition]) {
        let (leaders, report, search) = self.into;
        let round = |(leader, partition): (&ReplicaId, &Partition)| Round { leader: *leader, partition: *partition };
        let scenario = || Scenario(leaders.iter().zip(partitions).map(round).collect());
        let outcome = self.world.judge();
        search.tell(&outcome);
        report.borrow_mut().add(outcome, scenario);
    }
}
