//! Carrying a plan out.

use super::{
    Ending, Held, Plan,
    ending::ending_of,
    expect::AtTheEnd,
    phases::{self, ChangeHands},
};
use crate::{
    Builder, Cluster, Commit, SimProtocol, SimScheme, SymbolicHotStuff, SymbolicPbft, Violation, story::Story,
};
use quorate_byzantine::{Attacks, Byzantine};
use quorate_consensus::{hotstuff::HotStuff, pbft::Pbft};
use quorate_ledger::Protocol;
use quorate_scenario::{Expectation, judge};
use quorate_types::Digest;
use std::{collections::BTreeMap, time::Duration};

/// Runs a plan under some scheme.
pub type Runner = fn(&Plan, Watch) -> Outcome;

/// What of a run is kept beside its outcome. The run is the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Watch {
    /// Everything that the replicas hold in the end.
    pub state: bool,
    /// Everything that happens.
    pub story: bool,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its seed.
    pub seed: u64,
    /// What was violated, if anything; [`Rule::Liveness`](crate::Rule::Liveness): stuck.
    pub violation: Option<Violation>,
    /// What was expected, and whether it held.
    pub held: Vec<Held>,
    /// Everything about it, when something was violated.
    pub details: String,
    /// Height of the chain in the end.
    pub height: u64,
    /// Things that happened.
    pub events: u64,
    /// Two runs of one seed have the same.
    pub trace: Digest,
    /// Messages put on links, by kind, counted per receiver.
    pub messages: BTreeMap<&'static str, u64>,
    /// What each replica committed, over all its lives.
    pub commits: Vec<Vec<Commit>>,
    /// How far virtual time came.
    pub lasted: Duration,
    /// Everything that each replica held in the end, if somebody watched.
    pub state: Vec<String>,
    /// Everything that happened, if somebody watched.
    pub story: Option<Story>,
}

impl Outcome {
    /// In one word: the worst of what was violated and what did not hold.
    pub fn ending(&self) -> Ending {
        self.held.iter().map(Held::ending).max().unwrap_or(Ending::Pass).max(ending_of(self.violation.as_ref()))
    }

    /// Whether another run failed as this one did.
    pub fn is_like(&self, other: &Self) -> bool {
        let rule = |outcome: &Self| outcome.violation.as_ref().map(|violation| violation.rule);
        self.ending() == other.ending() && rule(self) == rule(other)
    }
}

/// Runs a plan with symbolic signatures.
pub fn run_plan(plan: &Plan) -> Outcome {
    watch_plan(plan, Watch::default())
}

/// Runs a plan with symbolic signatures, and keeps more of it.
///
/// Replicas that are never corrupted are of a type of their own: what most tests run is then compiled once, here.
pub fn watch_plan(plan: &Plan, watch: Watch) -> Outcome {
    match (plan.protocol, plan.liars().is_empty()) {
        (Protocol::Hotstuff, true) => honest::<SymbolicHotStuff>(plan, watch),
        (Protocol::Pbft, true) => honest::<SymbolicPbft>(plan, watch),
        (Protocol::Hotstuff, false) => corrupt::<SymbolicHotStuff>(plan, watch),
        (Protocol::Pbft, false) => corrupt::<SymbolicPbft>(plan, watch),
    }
}

/// Runs a plan under any scheme. Signatures say what symbolic ones would, so that the plan is the same.
///
/// Not called in this crate: each scheme that is named is compiled with the whole simulator around it. See `quorate-sim-real`.
pub fn run_under<S: SimScheme>(plan: &Plan, watch: Watch) -> Outcome {
    match plan.protocol {
        Protocol::Hotstuff => corrupt::<HotStuff<S>>(plan, watch),
        Protocol::Pbft => corrupt::<Pbft<S>>(plan, watch),
    }
}

fn honest<P: SimProtocol>(plan: &Plan, watch: Watch) -> Outcome {
    carry_out(set(Cluster::of::<P>(), plan), |_, _, _| (), plan, watch)
}

fn corrupt<P: SimProtocol + Attacks>(plan: &Plan, watch: Watch) -> Outcome {
    let builder = plan.attackers.iter().fold(set(Cluster::of::<Byzantine<P>>(), plan), |builder, attacker| {
        builder.attacker(attacker.replica.0, &attacker.attack, attacker.target())
    });
    let change_hands: ChangeHands<Byzantine<P>> = |cluster, replica, attacker| match attacker {
        Some(attacker) => cluster.start_attack(replica.0, &attacker.attack, attacker.target()),
        None => cluster.stop_attack(replica.0),
    };
    carry_out(builder, change_hands, plan, watch)
}

fn carry_out<P: SimProtocol>(builder: Builder<P>, change_hands: ChangeHands<P>, plan: &Plan, watch: Watch) -> Outcome {
    let builder =
        if plan.expect.iter().any(Expectation::looks_beyond_a_fork) { builder.let_it_fork() } else { builder };
    let mut cluster = builder.tell(watch.story).build();
    let reached = phases::run(&mut cluster, change_hands, plan);
    let seen = AtTheEnd { cluster: &cluster, plan, phases: &reached };
    let held = plan.expect.iter().map(|expectation| judge(*expectation, &seen)).collect();
    let violation = cluster.violation().or(cluster.fork()).cloned();
    let replicas = (0..plan.replicas).filter_map(|index| u16::try_from(index).ok()).filter(|_| watch.state);
    let details = violation.as_ref().map(|_| format!("{}\n{plan:#?}", cluster.report())).unwrap_or_default();
    Outcome {
        seed: plan.seed,
        violation,
        held,
        details,
        height: cluster.committed().0,
        events: cluster.events(),
        trace: cluster.trace_hash(),
        messages: cluster.message_counts().clone(),
        commits: cluster.commits().to_vec(),
        lasted: cluster.now(),
        state: replicas.map(|index| cluster.dump(index)).collect(),
        story: cluster.story().cloned(),
    }
}

fn set<P: SimProtocol>(builder: Builder<P>, plan: &Plan) -> Builder<P> {
    let base = Duration::from_millis(plan.params.timeout_base_ms);
    let builder = builder
        .replicas(plan.replicas)
        .seed(plan.seed)
        .election(plan.election)
        .params(plan.params)
        .links(plan.links)
        .flush_latency(plan.flush.0, plan.flush.1)
        .ledger_latency(plan.ledger.0, plan.ledger.1)
        .rotate_after(plan.rotate_after)
        .sync_ledger_every(plan.sync_every)
        .snapshot_gap(plan.snapshot_gap)
        .client_retry(Some(base * 4))
        .keep_violations();
    if plan.is_kv { builder.kv() } else { builder }
}
