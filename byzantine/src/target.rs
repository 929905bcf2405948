//! When an attack lasts, and whom it is against.

use quorate_types::{ReplicaId, View};
use std::collections::BTreeSet;

/// When and against whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Before this view the replica is honest.
    pub from: View,
    /// From this view on it is honest again; `None`: never.
    pub until: Option<View>,
    /// Who suffers, where an attack can choose; nobody: whom each attack says.
    pub against: BTreeSet<ReplicaId>,
}

impl Default for Target {
    /// Always.
    fn default() -> Self {
        Self { from: View::GENESIS, until: None, against: BTreeSet::new() }
    }
}

impl Target {
    /// From this view on.
    pub fn from_view(view: u64) -> Self {
        Self { from: View(view), ..Self::default() }
    }

    /// Honest again from this view on.
    #[must_use]
    pub fn until_view(mut self, view: u64) -> Self {
        self.until = Some(View(view));
        self
    }

    /// These members alone.
    #[must_use]
    pub fn against(mut self, members: impl IntoIterator<Item = u16>) -> Self {
        self.against = members.into_iter().map(ReplicaId).collect();
        self
    }

    /// Whether `member` is one of those named, or everybody is.
    pub fn hits(&self, member: ReplicaId) -> bool {
        self.against.is_empty() || self.against.contains(&member)
    }

    /// Whether the attack is on in `view`.
    pub fn is_on(&self, view: View) -> bool {
        self.from <= view && self.until.is_none_or(|until| view < until)
    }
}
