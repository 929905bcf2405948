//! Whether what was expected held, with the figure.

use crate::{Cluster, SimProtocol};
use quorate_scenario::{Comparison, Expectation};
use quorate_types::Height;
use std::time::Duration;

use super::Ending;

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

impl Held {
    /// How a run ends that should have kept to it.
    pub fn ending(&self) -> Ending {
        match self.expectation {
            _ if self.holds => Ending::Pass,
            Expectation::Agree => Ending::Diverged,
            Expectation::Recovers | Expectation::Commits { comparison: Comparison::AtLeast, .. } => Ending::NoProgress,
            Expectation::Quiet | Expectation::Commits { .. } | Expectation::Evidence(_) | Expectation::NoEvidence => {
                Ending::Broken
            }
        }
    }
}

impl<P: SimProtocol> Cluster<P> {
    /// The greatest height that somebody honest has committed by then.
    fn committed_by(&self, at: Duration) -> Height {
        let honest = self.commits().iter().zip(0..).filter(|(_, replica)| !self.is_dishonest(*replica));
        let commits = honest.flat_map(|(commits, _)| commits).filter(|commit| commit.at <= at);
        commits.map(|commit| commit.height).max().unwrap_or(Height::GENESIS)
    }

    /// How a run stands at its end, `phase` being when everything had happened.
    pub(super) fn judge(&self, expectation: Expectation, phase: Duration, phases: &Phases) -> Held {
        let held = |holds, figure: String| Held { expectation, holds, figure };
        match expectation {
            Expectation::Agree => match self.violation() {
                Some(violation) => held(!Ending::of(Some(violation)).is_unsafe(), violation.to_string()),
                None => held(true, format!("one chain of {} blocks", self.committed().0)),
            },
            Expectation::Recovers => phases.held(expectation, phases.recovered.as_ref()),
            Expectation::Quiet => phases.held(expectation, phases.quiet.as_ref()),
            Expectation::Commits { comparison, blocks, within } => {
                let at = within.unwrap_or(phase).min(self.now());
                let height = self.committed_by(at).0;
                held(comparison.holds(height, blocks), format!("{height} at {:.3} s", at.as_secs_f64()))
            }
            Expectation::Evidence(replica) => {
                let count = self.accusations().filter(|(_, evidence)| evidence.accused == replica).count();
                held(count > 0, format!("{count} accusations"))
            }
            Expectation::NoEvidence => {
                let count = self.accusations().count();
                held(count == 0, format!("{count} accusations"))
            }
        }
    }
}

/// What became of the phases after the faults: what was seen, right or wrong.
#[derive(Clone, Debug, Default)]
pub(super) struct Phases {
    pub(super) recovered: Option<Result<String, String>>,
    pub(super) quiet: Option<Result<String, String>>,
}

impl Phases {
    fn held(&self, expectation: Expectation, phase: Option<&Result<String, String>>) -> Held {
        let (holds, figure) = match phase {
            Some(Ok(figure)) => (true, figure.clone()),
            Some(Err(figure)) => (false, figure.clone()),
            None => (false, "the run ended before".to_owned()),
        };
        Held { expectation, holds, figure }
    }
}
