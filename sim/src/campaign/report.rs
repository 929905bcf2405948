//! What a campaign found.

use super::{Ending, run::Outcome};
use crate::Rule;
use quorate_types::Digest;
use std::{any::Any, fmt};

/// Failures that are told in full.
const TOLD: usize = 5;

/// A run that failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Its seed.
    pub seed: u64,
    /// Which rule; `None`: the code under test panicked.
    pub rule: Option<Rule>,
    /// In a line.
    pub what: String,
    /// In full.
    pub details: String,
}

impl Failure {
    /// In one word.
    pub fn ending(&self) -> Ending {
        self.rule.map_or(Ending::Broken, Ending::from)
    }
}

/// The sum of many runs.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Runs.
    pub seeds: u64,
    /// Of them with real signatures.
    pub real: u64,
    /// Events in all of them.
    pub events: u64,
    /// Blocks committed in all of them.
    pub blocks: u64,
    /// All trace hashes, put together so that their order does not matter: the same seeds have the same, with any number of threads.
    pub traces: Digest,
    /// Runs that failed, but for those that got stuck.
    pub violations: Vec<Failure>,
    /// Runs in which not everything took effect in time.
    pub stuck: Vec<Failure>,
}

impl Report {
    pub(super) fn add(&mut self, outcome: Outcome) -> Option<&Failure> {
        self.seeds += 1;
        self.events += outcome.events;
        self.blocks += outcome.height;
        self.mix(outcome.trace);
        let violation = outcome.violation?;
        let failure = Failure {
            seed: outcome.seed,
            rule: Some(violation.rule),
            what: violation.to_string(),
            details: outcome.details,
        };
        let list = if violation.rule == Rule::Liveness { &mut self.stuck } else { &mut self.violations };
        list.push(failure);
        list.last()
    }

    fn mix(&mut self, trace: Digest) {
        self.traces.0.iter_mut().zip(trace.0).for_each(|(sum, byte)| *sum ^= byte);
    }

    pub(super) fn panicked(&mut self, replicas: usize, seed: u64, panicked: &(dyn Any + Send)) -> Option<&Failure> {
        self.seeds += 1;
        let text = panicked.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panicked.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        let what = format!("panicked: {}", text.unwrap_or_else(|| "without a message".to_owned()));
        let details = format!("SEED={seed} with {replicas} replicas {what}");
        self.violations.push(Failure { seed, rule: None, what, details });
        self.violations.last()
    }

    pub(super) fn join(mut self, other: Self) -> Self {
        self.seeds += other.seeds;
        self.real += other.real;
        self.events += other.events;
        self.blocks += other.blocks;
        self.mix(other.traces);
        self.violations.extend(other.violations);
        self.stuck.extend(other.stuck);
        self.violations.sort_by_key(|failure| failure.seed);
        self.stuck.sort_by_key(|failure| failure.seed);
        self
    }

    /// Whether every run was as it should be.
    pub fn is_clean(&self) -> bool {
        self.ending() == Ending::Pass
    }

    /// The worst ending of all runs.
    pub fn ending(&self) -> Ending {
        self.violations.iter().chain(&self.stuck).map(Failure::ending).max().unwrap_or(Ending::Pass)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (violations, stuck) = (self.violations.len(), self.stuck.len());
        writeln!(
            f,
            "{} seeds ({} with real signatures): {violations} violations, {stuck} stuck; {} blocks, {} events",
            self.seeds, self.real, self.blocks, self.events
        )?;
        for failure in self.violations.iter().chain(&self.stuck) {
            writeln!(f, "SEED={} {}", failure.seed, failure.what.lines().next().unwrap_or_default())?;
        }
        for failure in self.violations.iter().chain(&self.stuck).take(TOLD) {
            writeln!(f, "\n{}", failure.details)?;
        }
        Ok(())
    }
}
