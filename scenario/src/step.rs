//! When what happens, and what clients do.

use crate::{Action, Comparison, time};
use quorate_types::ReplicaId;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt, time::Duration};

/// Something happens at a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// When.
    pub moment: Moment,
    /// What.
    pub action: Action,
}

/// When something happens: once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// So long after the start.
    At(Duration),
    /// As soon as a figure is so great.
    When(Measure, u64),
}

/// What a step can wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// The greatest height that anybody honest has committed.
    Height,
    /// The greatest view that anybody is in.
    View,
    /// Accusations with evidence.
    Evidence,
}

impl Measure {
    const ALL: [(&'static str, Self); 3] =
        [("height", Self::Height), ("view", Self::View), ("evidence", Self::Evidence)];

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, measure)| *measure == self).map_or("", |(name, _)| name)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(at) => f.write_str(&time::show(*at)),
            Self::When(measure, least) => write!(f, "{} >= {least}", measure.name()),
        }
    }
}

/// Reads `height >= 20` and the like.
pub(crate) fn condition(text: &str) -> Result<Moment, String> {
    let bad = || {
        format!("`{text}` is not a condition such as `height >= 20`; what can be waited for is height, view, evidence")
    };
    let [name, comparison, number] = text.split_whitespace().collect::<Vec<_>>()[..] else { return Err(bad()) };
    let (_, measure) = Measure::ALL.iter().find(|(known, _)| *known == name).ok_or_else(bad)?;
    match (Comparison::parse(comparison), number.parse()) {
        (Some(Comparison::AtLeast), Ok(least)) => Ok(Moment::When(*measure, least)),
        _ => Err(bad()),
    }
}

/// A replica that lies, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Attacker {
    /// Which one.
    pub replica: ReplicaId,
    /// What it does, by the name that `quorate sim attacks` gives it.
    pub attack: String,
    /// Before this view it is honest.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub from_view: u64,
    /// From this view on it is honest again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_view: Option<u64>,
    /// Who suffers, where the attack can choose; nobody: whom the attack says.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub against: BTreeSet<ReplicaId>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What clients do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// A client acts once.
    Once {
        /// When.
        at: Duration,
        /// Which one.
        client: usize,
        /// At which replica.
        replica: ReplicaId,
        /// How.
        kind: LoadKind,
    },
    /// Clients act in turn, at replicas in turn.
    Steady {
        /// The first time, and the pause between two.
        every: Duration,
        /// Nobody acts from then on.
        until: Duration,
    },
}

/// How a client acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadKind {
    /// Hands in its next transaction, and again until it has taken effect.
    Once,
    /// At this replica as well, at once.
    Twice(ReplicaId),
    /// A liar: two different transactions of one nonce, the other one at this replica.
    DoubleSpend(ReplicaId),
}
