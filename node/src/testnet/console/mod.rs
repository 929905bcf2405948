//! The fault console of a running testnet: whatever is done to its validators and links on purpose goes through here.
//!
//! It belongs to the testnet's own process, which started the validators and may therefore end them. What is wanted of each is kept
//! ([`wanted`]); an order changes that as a whole or is refused (nonsense, or more faults than the protocol bears: [`budget`]), then
//! processes are killed, started and stopped ([`processes`]), and every validator that runs is told all that is wrong with it (`PUT
//! /v1/faults`). An order is answered when it is in force. Orders come one after another, from `quorate fault` ([`endpoint`]) and from
//! scenarios.

mod advice;
mod budget;
mod endpoint;
mod file;
mod fuse;
mod order;
mod processes;
mod status;
mod wanted;

pub(crate) use advice::shown;
pub(crate) use endpoint::Endpoint;
pub(crate) use file::ConsoleFile;
pub(crate) use order::{Answer, Measured, NodeLine, Order, Status};

use super::{Shared, TestnetHome, children::Died, manifest::Manifest};
use crate::{
    client::Api,
    exit::Failure,
    lab::{FaultStatus, FaultToken, NodeFaults},
};
use budget::{Budget, Exceeded};
use futures::future::join_all;
use quorate_ledger::Protocol;
use quorate_scenario::{Action, Scenario};
use quorate_types::ReplicaId;
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use wanted::{Deed, Process, Wanted};

/// The console of one testnet.
pub(crate) struct Console {
    home: TestnetHome,
    protocol: Protocol,
    names: Vec<String>,
    apis: Vec<Api>,
    children: Shared,
    wanted: Mutex<Wanted>,
    /// What each process has been told is wrong with it.
    told: Mutex<Vec<NodeFaults>>,
    /// One order at a time.
    turn: tokio::sync::Mutex<()>,
}

/// Why an order is not in force.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// It makes no sense here.
    #[error("{0}")]
    Senseless(String),
    /// More faults than the protocol bears.
    #[error("{0}")]
    TooMuch(String),
    /// A process that is not ours is in the way.
    #[error("{0}")]
    Foreign(String),
    /// It could not be done.
    #[error("{0}")]
    Failed(String),
}

impl From<Exceeded> for Refused {
    fn from(exceeded: Exceeded) -> Self {
        Self::TooMuch(exceeded.to_string())
    }
}

/// Refuses a scenario with something in it that cannot be done to processes.
pub(crate) fn check(scenario: &Scenario) -> Result<(), String> {
    let mut wanted = Wanted::new(usize::from(scenario.net.replicas));
    scenario.steps.iter().try_for_each(|step| wanted.change(&step.action).map(drop))
}

/// Locks that no panic leaves in disorder: values are put into them whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Console {
    /// The console of validators that run, with nothing wrong.
    pub(crate) fn new(
        home: &TestnetHome,
        manifest: &Manifest,
        token: &FaultToken,
        children: Shared,
    ) -> Result<Self, Failure> {
        let apis = manifest.nodes.iter().map(|node| Api::with_token(&node.api.to_string(), token));
        let size = manifest.nodes.len();
        Ok(Self {
            home: home.clone(),
            protocol: manifest.protocol,
            names: manifest.nodes.iter().map(|node| node.name.clone()).collect(),
            apis: apis.collect::<Result<_, _>>()?,
            children,
            wanted: Mutex::new(Wanted::new(size)),
            told: Mutex::new(vec![NodeFaults::default(); size]),
            turn: tokio::sync::Mutex::default(),
        })
    }

    /// Carries an order out. It is in force when this returns.
    pub(crate) async fn apply(self: &Arc<Self>, order: &Order) -> Result<Answer, Refused> {
        let _turn = self.turn.lock().await;
        self.look_who_is_back().await;
        self.check_attacks(&order.actions)?;
        let mut idle = Vec::new();
        let change = |wanted: &mut Wanted| {
            let mut deeds = Vec::new();
            for action in &order.actions {
                let more = wanted.change(action).map_err(Refused::Senseless)?;
                idle.extend(advice::idle(action, &more, wanted, &self.names));
                deeds.extend(more);
            }
            Ok(deeds)
        };
        let (before, deeds) = self.want(change, order.beyond_f)?;
        let mut did = self.enact_all(deeds).await?;
        self.tell_all_or_go_back_to(before).await?;
        did.extend(order.actions.iter().filter_map(|action| advice::did(action, &self.names)));
        if did.is_empty() {
            did.extend(idle);
        }
        let look = advice::look(&order.actions, self);
        Ok(Answer { did, budget: self.budget(), look })
    }

    /// Puts everything in order again.
    pub(crate) async fn reset(self: &Arc<Self>) -> Result<Answer, Refused> {
        let _turn = self.turn.lock().await;
        let (before, deeds) = self.want(|wanted| Ok(wanted.reset()), true)?;
        let mut did = self.enact_all(deeds).await?;
        self.tell_all_or_go_back_to(before).await?;
        did.push(
            "nobody lies, no link is cut, slow or lossy, disks and clocks are in order, everybody runs".to_owned(),
        );
        self.look_who_is_back().await;
        Ok(Answer { did, budget: self.budget(), look: advice::after_reset(self) })
    }

    /// Puts everything in order but liars: nothing is cut, slow or lossy, everybody runs.
    pub(crate) async fn mend(self: &Arc<Self>) -> Result<(), Refused> {
        let _turn = self.turn.lock().await;
        let (before, deeds) = self.want(|wanted| Ok(wanted.mend()), true)?;
        self.enact_all(deeds).await?;
        self.tell_all_or_go_back_to(before).await
    }

    /// Validators whose processes have ended by themselves.
    pub(crate) fn ended(&self) -> BTreeSet<String> {
        let wanted = lock(&self.wanted);
        let ended = self.names.iter().zip(&wanted.nodes).filter(|(_, node)| node.process == Process::Ended);
        ended.map(|(name, _)| name.clone()).collect()
    }

    /// A validator's process has ended by itself. Whether that was to be expected of what was done to it.
    pub(crate) async fn died(&self, died: &Died) -> bool {
        let Some(id) = self.names.iter().position(|name| *name == died.name) else { return false };
        if self.children.lock().await.runs(&died.name) {
            // Another one has taken its place.
            return true;
        }
        let mut wanted = lock(&self.wanted);
        let node = &mut wanted.nodes[id];
        if node.process.is_there() {
            node.process = Process::Ended;
        }
        let failing = |disk: &crate::lab::DiskFaults| disk.sync_fails || disk.full_after.is_some();
        node.process != Process::Ended || failing(&node.disks.journal) || failing(&node.disks.blocks)
    }

    /// How many validators are faulty.
    pub(crate) fn budget(&self) -> Budget {
        Budget::of(&lock(&self.wanted), &self.names)
    }

    fn name(&self, id: ReplicaId) -> &str {
        &self.names[id.index()]
    }

    fn api(&self, id: ReplicaId) -> &Api {
        &self.apis[id.index()]
    }

    /// Changes what is wanted, as a whole or not at all; gives what was wanted before, and what is to be done.
    fn want(
        &self,
        change: impl FnOnce(&mut Wanted) -> Result<Vec<Deed>, Refused>,
        beyond_f: bool,
    ) -> Result<(Wanted, Vec<Deed>), Refused> {
        let mut wanted = lock(&self.wanted);
        let mut after = wanted.clone();
        let deeds = change(&mut after)?;
        if !beyond_f {
            budget::check(&wanted, &after, &self.names)?;
        }
        Ok((std::mem::replace(&mut *wanted, after), deeds))
    }

    fn check_attacks(&self, actions: &[Action]) -> Result<(), Refused> {
        let known = quorate_sim::campaign::attacks(self.protocol);
        for action in actions {
            if let Action::Attack(attacker) = action
                && !known.contains(&attacker.attack.as_str())
            {
                let (protocol, name) = (self.protocol, &attacker.attack);
                return Err(Refused::Senseless(format!(
                    "{protocol} knows no attack `{name}`; there are {}",
                    known.join(", ")
                )));
            }
        }
        Ok(())
    }

    /// Does what is to be done to processes, all of a kind at once.
    async fn enact_all(self: &Arc<Self>, deeds: Vec<Deed>) -> Result<Vec<String>, Refused> {
        let mut did = Vec::new();
        for alike in deeds.chunk_by(|one, other| std::mem::discriminant(one) == std::mem::discriminant(other)) {
            let done = join_all(alike.iter().map(|deed| self.enact(*deed))).await;
            match done.into_iter().collect::<Result<Vec<_>, _>>() {
                Ok(lines) => did.extend(lines),
                Err(refused) => {
                    self.see_who_runs().await;
                    return Err(refused);
                }
            }
        }
        Ok(did)
    }

    /// Tells every validator that runs what is wrong with it now. If one refuses, all are told what was wrong before.
    async fn tell_all_or_go_back_to(&self, before: Wanted) -> Result<(), Refused> {
        let Err(refused) = self.tell_all().await else { return Ok(()) };
        lock(&self.wanted).go_back_to(before);
        // Whoever took the new faults took those before, too.
        let _told = self.tell_all().await;
        Err(refused)
    }

    async fn tell_all(&self) -> Result<(), Refused> {
        let told = lock(&self.told).clone();
        let news: Vec<_> = {
            let wanted = lock(&self.wanted);
            let run = wanted.members().filter(|id| wanted.node(*id).process == Process::Runs);
            let faults = run.map(|id| (id, wanted.faults(id)));
            faults.filter(|(id, faults)| *faults != told[id.index()]).collect()
        };
        let answers = join_all(news.iter().map(|(id, faults)| self.tell(*id, faults))).await;
        answers.into_iter().collect()
    }

    async fn tell(&self, id: ReplicaId, faults: &NodeFaults) -> Result<(), Refused> {
        match self.api(id).put::<FaultStatus>("/v1/faults", faults).await {
            Ok(status) if status.in_force == *faults => {
                lock(&self.told)[id.index()] = faults.clone();
                Ok(())
            }
            Ok(_) => Err(Refused::Failed(format!("{} has something else in force than it was told", self.name(id)))),
            Err(_) if !self.children.lock().await.runs(self.name(id)) => {
                self.see_who_runs().await;
                Ok(())
            }
            Err(error) => Err(Refused::Failed(format!("{}: {error}", self.name(id)))),
        }
    }

    /// A new process has been told nothing.
    fn forget(&self, id: ReplicaId) {
        lock(&self.told)[id.index()] = NodeFaults::default();
    }

    /// Whoever should be there and is not has ended by itself.
    async fn see_who_runs(&self) {
        let children = self.children.lock().await;
        let mut wanted = lock(&self.wanted);
        for (name, node) in self.names.iter().zip(&mut wanted.nodes) {
            if node.process.is_there() && !children.runs(name) {
                node.process = Process::Ended;
            }
        }
    }
}
