//! How a run ends in which a rule was broken.

use crate::{Rule, Violation};
pub use quorate_scenario::Ending;

impl From<Rule> for Ending {
    fn from(rule: Rule) -> Self {
        match rule {
            Rule::Liveness => Self::NoProgress,
            Rule::Agreement | Rule::HashChain | Rule::CommitProof | Rule::Quorum | Rule::Ledger | Rule::AtMostOnce => {
                Self::Diverged
            }
            Rule::NoDoubleVote | Rule::Durability | Rule::Honesty | Rule::Bounds | Rule::Quiet => Self::Broken,
        }
    }
}

/// With this violation, or none.
pub(super) fn ending_of(violation: Option<&Violation>) -> Ending {
    violation.map_or(Ending::Pass, |violation| Ending::from(violation.rule))
}
