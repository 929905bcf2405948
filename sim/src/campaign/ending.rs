//! How a run ended, in one word.

use crate::{Rule, Violation};
use std::fmt;

/// The four ways. Later ones are worse.
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
    /// Of a run with this violation, or none.
    pub fn of(violation: Option<&Violation>) -> Self {
        violation.map_or(Self::Pass, |violation| Self::after(violation.rule))
    }

    /// Of a run in which this rule was broken.
    pub fn after(rule: Rule) -> Self {
        match rule {
            Rule::Liveness => Self::NoProgress,
            Rule::Agreement | Rule::HashChain | Rule::CommitProof | Rule::Quorum | Rule::Ledger | Rule::AtMostOnce => {
                Self::Diverged
            }
            Rule::NoDoubleVote | Rule::Durability | Rule::Honesty | Rule::Bounds | Rule::Quiet => Self::Broken,
        }
    }

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
