//! What the judge of scenarios asks of a run on processes: answered from what was seen while it ran and from what the stopped validators
//! left on their disks.

use super::drive::Played;
use crate::{
    evidence,
    exit::Failure,
    offline::{OfflineLedger, investigate},
    testnet::{Manifest, TestnetHome, verdict::Verdict},
};
use quorate_ledger::Genesis;
use quorate_scenario::Seen;
use quorate_sim::campaign::Plan;
use quorate_types::ReplicaId;
use std::{collections::BTreeSet, time::Duration};

/// What the honest left.
pub(super) struct LeftBehind {
    /// Of each piece of evidence that somebody keeps, the accused.
    accused: Vec<ReplicaId>,
    /// Whom their disks convict, compared with each other.
    convicted: BTreeSet<ReplicaId>,
}

/// Reads it. `honest` names them.
pub(super) fn left_behind(home: &TestnetHome, honest: &Manifest, genesis: &Genesis) -> Result<LeftBehind, Failure> {
    let mut accused = Vec::new();
    let mut ledgers = Vec::new();
    for node in &honest.nodes {
        let of = home.node(&node.name);
        for file in evidence::files(&of.evidence()).unwrap_or_default() {
            let (piece, _) =
                evidence::parse(&file).map_err(|why| Failure::failed(format!("{}: {why}", file.display())))?;
            accused.push(piece.accused);
        }
        ledgers.push(OfflineLedger::open(&of, genesis.clone())?);
    }
    let findings = investigate(&ledgers, genesis)?;
    Ok(LeftBehind { accused, convicted: findings.evidence.iter().map(|piece| piece.accused).collect() })
}

/// A scenario that has been played.
pub(super) struct AtTheEnd<'a> {
    pub(super) plan: &'a Plan,
    pub(super) played: &'a Played,
    /// What comparing the honest ledgers showed.
    pub(super) ledgers: &'a Verdict,
    pub(super) left: &'a LeftBehind,
}

impl AtTheEnd<'_> {
    /// Whether ledgers differ.
    pub(super) fn is_diverged(&self) -> bool {
        matches!(self.ledgers, Verdict::Differ { .. })
    }
}

impl Seen for AtTheEnd<'_> {
    fn agreement(&self) -> Result<String, String> {
        match self.ledgers {
            Verdict::Agree { .. } => Ok(format!("one chain of {} blocks", self.height_at(self.played.until))),
            Verdict::Differ { height, .. } => Err(format!("honest ledgers differ from height {height} on")),
            Verdict::Unread { .. } => Err(self.ledgers.text()),
        }
    }

    fn phase(&self) -> Duration {
        self.plan.end()
    }

    fn until(&self) -> Duration {
        self.played.until
    }

    fn height_at(&self, at: Duration) -> u64 {
        self.played.heights.iter().take_while(|(seen, _)| *seen <= at).last().map_or(0, |(_, height)| *height)
    }

    fn accusations(&self, accused: Option<ReplicaId>) -> usize {
        self.left.accused.iter().filter(|of| accused.is_none_or(|accused| accused == **of)).count()
    }

    fn recovered(&self) -> Option<Result<String, String>> {
        self.played.recovered.clone()
    }

    fn quiet(&self) -> Option<Result<String, String>> {
        self.played.quiet.clone()
    }

    fn stopped(&self) -> Result<String, String> {
        let (stopped, honest) = (self.played.stopped.len(), self.plan.replicas - self.plan.liars().len());
        let names = self.played.stopped.join(", ");
        match stopped == honest {
            true => Ok(format!("stopped by themselves: {names}")),
            false => Err(format!("{stopped} of {honest} stopped: {names}")),
        }
    }

    fn convicted(&self) -> BTreeSet<ReplicaId> {
        self.left.convicted.clone()
    }

    fn liars(&self) -> BTreeSet<ReplicaId> {
        self.plan.liars()
    }
}
