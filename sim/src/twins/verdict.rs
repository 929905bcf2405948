//! What must hold in every scenario, and what was seen.

use super::{
    scenario::{Scenario, Shape},
    subject::Subject,
    world::World,
};
use crate::campaign::Ending;
use quorate_types::{Height, ReplicaId};
use std::fmt;

/// Blocks that every honest replica must commit in the synchronous tail.
pub const TAIL_BLOCKS: usize = 3;

/// Something that must not happen, of a process that is the only one of its replica.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Breach {
    /// Two of them have different blocks at one height.
    #[error("processes {one} and {other} commit different blocks at {height}")]
    Fork {
        /// One of them.
        one: usize,
        /// The other.
        other: usize,
        /// Where.
        height: Height,
    },
    /// It commits beside what it has committed.
    #[error("process {process} commits a block at {height} that does not stand above its head")]
    NotAboveItsHead {
        /// Who.
        process: usize,
        /// Where.
        height: Height,
    },
    /// It did not commit enough in the tail.
    #[error("process {process} lacks {lacks} of the {TAIL_BLOCKS} blocks that a synchronous tail must bring")]
    Stuck {
        /// Who.
        process: usize,
        /// How many were missing in the end.
        lacks: usize,
    },
    /// It stopped.
    #[error("process {process} halts: {why}")]
    Halted {
        /// Who.
        process: usize,
        /// What it said.
        why: String,
    },
    /// It has evidence against a replica that runs once.
    #[error("process {process} accuses {accused}, which runs once")]
    Accused {
        /// Who.
        process: usize,
        /// Whom.
        accused: ReplicaId,
    },
    /// Its evidence convinces nobody.
    #[error("evidence of process {process} does not verify: {why}")]
    Evidence {
        /// Whose.
        process: usize,
        /// Why not.
        why: String,
    },
    /// Its commit proof convinces nobody.
    #[error("a commit proof of process {process} does not verify: {why}")]
    Proof {
        /// Whose.
        process: usize,
        /// Why not.
        why: String,
    },
    /// It said something that everybody refuses.
    #[error("a message of process {process} is refused: {why}")]
    Refused {
        /// Who.
        process: usize,
        /// Why.
        why: String,
    },
    /// It panicked, twin or not.
    #[error("process {process} panics: {why}")]
    Panicked {
        /// Who.
        process: usize,
        /// Its words.
        why: String,
    },
}

impl Breach {
    /// How a run ends in which this happens.
    pub fn ending(&self) -> Ending {
        match self {
            Self::Fork { .. } | Self::NotAboveItsHead { .. } | Self::Proof { .. } => Ending::Diverged,
            Self::Stuck { .. } => Ending::NoProgress,
            Self::Halted { .. }
            | Self::Accused { .. }
            | Self::Evidence { .. }
            | Self::Refused { .. }
            | Self::Panicked { .. } => Ending::Broken,
        }
    }
}

/// What became of a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What went wrong.
    pub breaches: Vec<Breach>,
    /// The longest chain of an honest replica before the tail.
    pub committed: usize,
    /// Replicas that honest ones could prove to lie.
    pub accused: usize,
    /// How often timers ran out in the tail.
    pub waves: usize,
}

impl Outcome {
    /// The worst that happened.
    pub fn ending(&self) -> Ending {
        self.breaches.iter().map(Breach::ending).max().unwrap_or(Ending::Pass)
    }
}

/// A scenario in which something went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What happened, view by view.
    pub scenario: Scenario,
    /// What it led to.
    pub breaches: Vec<Breach>,
}

impl Finding {
    /// For people, in one line.
    pub fn display<'a>(&'a self, shape: &'a Shape) -> impl fmt::Display + 'a {
        fmt::from_fn(move |f| {
            write!(f, "{}:", self.scenario.display(shape))?;
            self.breaches.iter().try_for_each(|breach| write!(f, " {breach};"))
        })
    }
}

impl<P: Subject> World<P> {
    /// Runs the tail, and looks at everybody.
    pub(super) fn judge(mut self) -> Outcome {
        let committed = self.longest();
        let waves = self.tail();
        let forks = self.forks();
        self.breaches.extend(forks);
        Outcome { breaches: self.breaches, committed, accused: self.accused.len(), waves }
    }

    fn longest(&self) -> usize {
        self.honest().map(|process| self.processes[process].chain.len()).max().unwrap_or(0)
    }

    fn forks(&self) -> Vec<Breach> {
        let pairs = self
            .honest()
            .flat_map(|one| self.honest().filter(move |other| one < *other).map(move |other| (one, other)));
        let fork = |(one, other): (usize, usize)| {
            let (left, right) = (&self.processes[one].chain, &self.processes[other].chain);
            let at = left.iter().zip(right).position(|(left, right)| left != right)?;
            let height = Height(u64::try_from(at + 1).expect("short chains"));
            Some(Breach::Fork { one, other, height })
        };
        pairs.filter_map(fork).collect()
    }
}
