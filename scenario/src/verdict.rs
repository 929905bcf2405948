//! Whether what was expected held, and how a run ended: one judge for whoever runs scenarios.

use crate::{Comparison, Expectation};
use quorate_types::ReplicaId;
use std::{collections::BTreeSet, fmt, time::Duration};

/// What became of a run, as far as an expectation can ask. Whoever ran it answers.
pub trait Seen {
    /// One chain on all honest ledgers, and no rule that makes it so was broken: which. Or how not.
    fn agreement(&self) -> Result<String, String>;
    /// When everything had happened.
    fn phase(&self) -> Duration;
    /// Until when it was looked at.
    fn until(&self) -> Duration;
    /// The greatest height that somebody honest had committed by then.
    fn height_at(&self, at: Duration) -> u64;
    /// Pieces of evidence that the honest hold, against this one or against anybody.
    fn accusations(&self, accused: Option<ReplicaId>) -> usize;
    /// Whether everything took effect when all was put right; nothing if the run ended before.
    fn recovered(&self) -> Option<Result<String, String>>;
    /// Whether hardly anything was said then; nothing if the run ended before.
    fn quiet(&self) -> Option<Result<String, String>>;
    /// Whether every honest replica stopped by itself rather than go on with one of two chains; who, and why.
    fn stopped(&self) -> Result<String, String>;
    /// Whom the honest ledgers and journals convict.
    fn convicted(&self) -> BTreeSet<ReplicaId>;
    /// Who lied.
    fn liars(&self) -> BTreeSet<ReplicaId>;
}

/// An expectation, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// What was expected.
    pub expectation: Expectation,
    /// Whether it held.
    pub holds: bool,
    /// What was seen.
    pub figure: String,
}

/// How a run ended. Later ones are worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// Everything held.
    Pass,
    /// Nothing wrong was done, and not everything that should have happened did.
    NoProgress,
    /// A rule was broken, or the code under test panicked, and no ledgers differ for it.
    Broken,
    /// Honest ledgers differ, or hold what was never agreed on.
    Diverged,
}

impl Ending {
    /// Whether ledgers differ, or worse.
    pub fn is_unsafe(self) -> bool {
        self == Self::Diverged
    }

    /// As it is printed and written to files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::NoProgress => "no-progress",
            Self::Broken => "broken",
            Self::Diverged => "diverged",
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Held {
    /// How a run ends that should have kept to it.
    pub fn ending(&self) -> Ending {
        match self.expectation {
            _ if self.holds => Ending::Pass,
            Expectation::Agree => Ending::Diverged,
            Expectation::Recovers | Expectation::Commits { comparison: Comparison::AtLeast, .. } => Ending::NoProgress,
            Expectation::Quiet
            | Expectation::Commits { .. }
            | Expectation::Evidence(_)
            | Expectation::NoEvidence
            | Expectation::Stops
            | Expectation::Convicts(_) => Ending::Broken,
        }
    }
}

/// Whether an expectation held.
pub fn judge(expectation: Expectation, seen: &impl Seen) -> Held {
    let (holds, figure) = match expectation {
        Expectation::Agree => told(seen.agreement()),
        Expectation::Recovers => told(phase(seen.recovered())),
        Expectation::Quiet => told(phase(seen.quiet())),
        Expectation::Commits { comparison, blocks, within } => {
            let at = within.unwrap_or(seen.phase()).min(seen.until());
            let height = seen.height_at(at);
            (comparison.holds(height, blocks), format!("{height} at {:.3} s", at.as_secs_f64()))
        }
        Expectation::Evidence(replica) => {
            let count = seen.accusations(Some(replica));
            (count > 0, format!("{count} accusations"))
        }
        Expectation::NoEvidence => {
            let count = seen.accusations(None);
            (count == 0, format!("{count} accusations"))
        }
        Expectation::Stops => told(seen.stopped()),
        Expectation::Convicts(replica) => convicts(replica, seen),
    };
    Held { expectation, holds, figure }
}

fn told(what: Result<String, String>) -> (bool, String) {
    match what {
        Ok(figure) => (true, figure),
        Err(figure) => (false, figure),
    }
}

fn phase(reached: Option<Result<String, String>>) -> Result<String, String> {
    reached.unwrap_or_else(|| Err("the run ended before".to_owned()))
}

/// Nobody honest may be among the convicted.
fn convicts(replica: ReplicaId, seen: &impl Seen) -> (bool, String) {
    let (convicted, liars) = (seen.convicted(), seen.liars());
    let names: Vec<_> = convicted.iter().map(|id| id.0.to_string()).collect();
    let figure =
        if names.is_empty() { "nobody is convicted".to_owned() } else { format!("convicted: {}", names.join(", ")) };
    (convicted.contains(&replica) && convicted.is_subset(&liars), figure)
}
