//! What the judge of scenarios asks of a simulated run.

use super::{ending::ending_of, plan::Plan};
use crate::{Cluster, SimProtocol};
use quorate_scenario::Seen;
use quorate_types::{Height, ReplicaId};
use std::{collections::BTreeSet, time::Duration};

/// A cluster at its end, and how far it came.
pub(super) struct AtTheEnd<'a, P: SimProtocol> {
    pub(super) cluster: &'a Cluster<P>,
    pub(super) plan: &'a Plan,
    pub(super) phases: &'a Phases,
}

impl<P: SimProtocol> Seen for AtTheEnd<'_, P> {
    fn agreement(&self) -> Result<String, String> {
        if let Some(height) = self.cluster.forked_at() {
            return Err(format!("honest ledgers differ from height {height} on"));
        }
        match self.cluster.violation() {
            Some(violation) if ending_of(Some(violation)).is_unsafe() => Err(violation.to_string()),
            Some(violation) => Ok(violation.to_string()),
            None => Ok(format!("one chain of {} blocks", self.cluster.committed().0)),
        }
    }

    fn phase(&self) -> Duration {
        self.plan.end()
    }

    fn until(&self) -> Duration {
        self.cluster.now()
    }

    fn height_at(&self, at: Duration) -> u64 {
        let commits = self.cluster.commits().iter().zip(0..);
        let honest = commits.filter(|(_, replica)| !self.cluster.is_dishonest(*replica));
        let before = honest.flat_map(|(commits, _)| commits).filter(|commit| commit.at <= at);
        before.map(|commit| commit.height).max().unwrap_or(Height::GENESIS).0
    }

    fn accusations(&self, accused: Option<ReplicaId>) -> usize {
        let all = self.cluster.accusations();
        all.filter(|(_, evidence)| accused.is_none_or(|accused| evidence.accused == accused)).count()
    }

    fn recovered(&self) -> Option<Result<String, String>> {
        self.phases.recovered.clone()
    }

    fn quiet(&self) -> Option<Result<String, String>> {
        self.phases.quiet.clone()
    }

    fn stopped(&self) -> Result<String, String> {
        self.cluster.all_honest_halted()
    }

    fn convicted(&self) -> BTreeSet<ReplicaId> {
        self.cluster.convicted()
    }

    fn liars(&self) -> BTreeSet<ReplicaId> {
        self.plan.liars()
    }
}

/// What became of the phases after the faults: what was seen, right or wrong.
#[derive(Clone, Debug, Default)]
pub(super) struct Phases {
    pub(super) recovered: Option<Result<String, String>>,
    pub(super) quiet: Option<Result<String, String>>,
}
