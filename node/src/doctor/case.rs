//! What is known of a committee when somebody asks how it is.

use super::facts::Facts;
use quorate_types::{ReplicaId, View};
use std::collections::BTreeMap;

/// A committee, and what its members say.
#[derive(Clone, Debug)]
pub struct Case {
    /// The members' names, by index.
    pub names: Vec<String>,
    /// How many of them decide.
    pub quorum: usize,
    /// What is known of each; who is left out was not asked.
    pub seen: BTreeMap<ReplicaId, Seen>,
    /// Addresses of which nobody knows whose they are, and how they are silent.
    pub nameless: Vec<(String, String)>,
}

/// What is known of one member.
#[derive(Clone, Debug)]
pub enum Seen {
    /// It answered.
    Answers(Box<Facts>),
    /// It did not, and that is how.
    Silent(String),
}

impl Case {
    /// What one member says when it is asked alone.
    pub fn of_one(names: Vec<String>, quorum: usize, facts: Facts) -> Self {
        Self {
            names,
            quorum,
            seen: BTreeMap::from([(facts.replica, Seen::Answers(Box::new(facts)))]),
            nameless: Vec::new(),
        }
    }

    pub(super) fn members(&self) -> impl Iterator<Item = ReplicaId> + '_ {
        (0..self.names.len()).filter_map(|index| u16::try_from(index).ok().map(ReplicaId))
    }

    /// Those who answered.
    pub(super) fn facts(&self) -> impl Iterator<Item = &Facts> {
        self.seen.values().filter_map(|seen| match seen {
            Seen::Answers(facts) => Some(&**facts),
            Seen::Silent(_) => None,
        })
    }

    pub(super) fn of(&self, member: ReplicaId) -> Option<&Facts> {
        match self.seen.get(&member) {
            Some(Seen::Answers(facts)) => Some(facts),
            Some(Seen::Silent(_)) | None => None,
        }
    }

    /// Those who did not, and how.
    pub(super) fn silent(&self) -> impl Iterator<Item = (ReplicaId, &str)> {
        self.seen.iter().filter_map(|(member, seen)| match seen {
            Seen::Silent(how) => Some((*member, how.as_str())),
            Seen::Answers(_) => None,
        })
    }

    pub(super) fn is_silent(&self, member: ReplicaId) -> bool {
        matches!(self.seen.get(&member), Some(Seen::Silent(_)))
    }

    /// The greatest view that somebody is in.
    pub(super) fn furthest(&self) -> View {
        self.facts().map(|facts| facts.view).max().unwrap_or_default()
    }
}
