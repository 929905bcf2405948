//! What is in force, and what is measured.

use super::{
    Console, lock,
    order::{LinkLine, Measured, NodeLine, Status},
    wanted::Process,
};
use crate::{handle::Role, lab::FaultStatus};
use futures::future::join_all;
use quorate_links::LinkSpec;
use quorate_types::ReplicaId;
use std::time::Duration;

/// A validator that has not answered by then is shown without what it would have said.
const PATIENCE: Duration = Duration::from_secs(2);

impl Console {
    /// All that is in force.
    pub(crate) async fn status(&self) -> Status {
        self.look_who_is_back().await;
        let told = join_all(self.ids().map(|id| self.ask(id))).await;
        let pids: Vec<_> = {
            let children = self.children.lock().await;
            self.names.iter().map(|name| children.pid(name).filter(|_| children.runs(name))).collect()
        };
        let wanted = lock(&self.wanted).clone();
        let line = |id: ReplicaId| {
            let node = wanted.node(id).clone();
            let status = told[id.index()].as_ref();
            NodeLine {
                name: self.name(id).to_owned(),
                process: node.process.word().to_owned(),
                pid: pids[id.index()],
                rejoins: node.rejoins,
                deeds: status.filter(|_| node.has_lied).map(|status| status.deeds),
                attack: node.attack,
                disks: node.disks,
                skew_ms: node.skew_ms,
            }
        };
        Status {
            budget: self.budget(),
            nodes: self.ids().map(line).collect(),
            cuts: wanted.cuts.iter().copied().collect(),
            links: wanted
                .links
                .iter()
                .map(|((from, to), spec)| LinkLine { from: *from, to: *to, spec: *spec })
                .collect(),
        }
    }

    /// Every direction of every link, as meant and as measured.
    pub(crate) async fn links(&self) -> Vec<Measured> {
        let told = join_all(self.ids().map(|id| self.ask(id))).await;
        let wanted = lock(&self.wanted).clone();
        let spec = |from: ReplicaId, to: ReplicaId| wanted.faults(from).links.get(&to).copied().unwrap_or_default();
        let mut lines = Vec::new();
        for from in self.ids() {
            for to in self.ids().filter(|to| *to != from) {
                let measured = told[from.index()].as_ref().and_then(|status| status.round_trips.get(&to));
                let (there, back) = (spec(from, to), spec(to, from));
                lines.push(Measured {
                    link: LinkLine { from, to, spec: there },
                    meant_ms: there_and_back(&there, &back),
                    median_ms: measured.map(|measured| measured.median_ms),
                    samples: measured.map_or(0, |measured| measured.samples),
                });
            }
        }
        lines
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = ReplicaId> + use<> {
        (0..self.names.len()).filter_map(|index| u16::try_from(index).ok()).map(ReplicaId)
    }

    /// A validator that began with new disks is no longer faulty once it takes part.
    pub(super) async fn look_who_is_back(&self) {
        let silent: Vec<_> = {
            let wanted = lock(&self.wanted);
            let rejoins = |id: &ReplicaId| wanted.node(*id).rejoins && wanted.node(*id).process == Process::Runs;
            self.ids().filter(rejoins).collect()
        };
        for id in silent {
            let answer = tokio::time::timeout(PATIENCE, self.api(id).status()).await;
            if let Ok(Ok(status)) = answer
                && status.ready
                && status.role != Role::Silent
            {
                lock(&self.wanted).node_mut(id).rejoins = false;
            }
        }
    }

    /// What a validator says of its faults; nothing if it does not run.
    async fn ask(&self, id: ReplicaId) -> Option<FaultStatus> {
        if lock(&self.wanted).node(id).process != Process::Runs {
            return None;
        }
        tokio::time::timeout(PATIENCE, self.api(id).get("/v1/faults")).await.ok()?.ok()
    }
}

/// There and back as two directions are meant, without jitter and queues.
fn there_and_back(there: &LinkSpec, back: &LinkSpec) -> Option<f64> {
    let both = there.delay.saturating_add(back.delay);
    (!there.cut && !back.cut).then_some(both.as_secs_f64() * 1000.0)
}
