//! Carrying a plan out.

use super::{
    Ending,
    plan::{Fault, Plan},
};
use crate::{
    Cluster, Commit, LinkSpec, Rng, Rule, SimProtocol, SimScheme, SymbolicHotStuff, SymbolicPbft, Violation, checker,
};
use quorate_consensus::{hotstuff::HotStuff, pbft::Pbft};
use quorate_crypto::{
    Ed25519List, Symbolic,
    bls::{BlsMulti, BlsThreshold, MinPk, MinSig},
};
use quorate_ledger::{KvOp, Protocol, SchemeKind};
use quorate_types::{BoundedVec, Digest};
use std::{collections::BTreeMap, time::Duration};

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its seed.
    pub seed: u64,
    /// What was violated, if anything; [`Rule::Liveness`]: stuck.
    pub violation: Option<Violation>,
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
}

impl Outcome {
    /// In one word.
    pub fn ending(&self) -> Ending {
        Ending::of(self.violation.as_ref())
    }
}

/// Runs a seed.
pub fn run_seed(protocol: Protocol, replicas: usize, seed: u64) -> Outcome {
    run_plan(&Plan::draw(protocol, replicas, seed))
}

/// Runs a seed, and tells everything that the replicas hold in the end.
pub fn look(protocol: Protocol, replicas: usize, seed: u64) -> (Outcome, String) {
    let plan = &Plan::draw(protocol, replicas, seed);
    match protocol {
        Protocol::Hotstuff => look_at::<SymbolicHotStuff>(plan),
        Protocol::Pbft => look_at::<SymbolicPbft>(plan),
    }
}

fn look_at<P: SimProtocol>(plan: &Plan) -> (Outcome, String) {
    let mut cluster = build::<P>(plan);
    let outcome = run_in(&mut cluster, plan);
    let dumps = (0..plan.replicas).filter_map(|index| u16::try_from(index).ok()).map(|index| cluster.dump(index));
    (outcome, dumps.collect::<Vec<_>>().join("\n"))
}

/// Runs a plan.
pub fn run_plan(plan: &Plan) -> Outcome {
    run_under::<Symbolic>(plan)
}

/// Runs a seed with the real signatures of a scheme. They say what symbolic ones would, so that the plan is the same.
pub fn run_real(protocol: Protocol, replicas: usize, scheme: SchemeKind, seed: u64) -> Outcome {
    let plan = &Plan::draw(protocol, replicas, seed);
    match scheme {
        SchemeKind::Ed25519 => run_under::<Ed25519List>(plan),
        SchemeKind::BlsMulti => run_under::<BlsMulti<MinSig>>(plan),
        SchemeKind::BlsMultiMinPk => run_under::<BlsMulti<MinPk>>(plan),
        SchemeKind::BlsThreshold => run_under::<BlsThreshold<MinSig>>(plan),
        SchemeKind::BlsThresholdMinPk => run_under::<BlsThreshold<MinPk>>(plan),
    }
}

fn run_under<S: SimScheme>(plan: &Plan) -> Outcome {
    match plan.protocol {
        Protocol::Hotstuff => run_in(&mut build::<HotStuff<S>>(plan), plan),
        Protocol::Pbft => run_in(&mut build::<Pbft<S>>(plan), plan),
    }
}

fn run_in<P: SimProtocol>(cluster: &mut Cluster<P>, plan: &Plan) -> Outcome {
    let mut rng = Rng::new(plan.seed ^ 0x6c6f_6164);
    safety_phase(cluster, plan, &mut rng);
    if cluster.violation().is_none() {
        liveness_phase(cluster, plan);
    }
    if cluster.violation().is_none() {
        quiet_phase(cluster, plan);
    }
    let violation = cluster.violation().cloned();
    let details = violation.as_ref().map(|_| format!("{}\n{plan:#?}", cluster.report())).unwrap_or_default();
    Outcome {
        seed: plan.seed,
        violation,
        details,
        height: cluster.committed().0,
        events: cluster.events(),
        trace: cluster.trace_hash(),
        messages: cluster.message_counts().clone(),
        commits: cluster.commits().to_vec(),
        lasted: cluster.now(),
    }
}

fn build<P: SimProtocol>(plan: &Plan) -> Cluster<P> {
    let base = Duration::from_millis(plan.params.timeout_base_ms);
    let builder = Cluster::of::<P>()
        .replicas(plan.replicas)
        .seed(plan.seed)
        .election(plan.election)
        .params(plan.params)
        .links(plan.links)
        .flush_latency(plan.flush.0, plan.flush.1)
        .ledger_latency(plan.ledger.0, plan.ledger.1)
        .rotate_after(plan.rotate_after)
        .sync_ledger_every(plan.sync_every)
        .client_retry(Some(base * 4))
        .keep_violations();
    if plan.is_kv { builder.kv().build() } else { builder.build() }
}

fn safety_phase<P: SimProtocol>(cluster: &mut Cluster<P>, plan: &Plan, rng: &mut Rng) {
    let (mut faults, mut load) = (plan.faults.iter().peekable(), plan.load.iter().peekable());
    loop {
        let next_fault = faults.peek().map(|(at, _)| *at);
        let next_load = load.peek().map(|(at, ..)| *at);
        let Some(at) = next_fault.into_iter().chain(next_load).min() else { break };
        cluster.run_for(at.saturating_sub(cluster.now()));
        if cluster.violation().is_some() {
            return;
        }
        if next_fault == Some(at) {
            faults.next().into_iter().for_each(|(_, fault)| inflict(cluster, fault));
        } else if let Some((_, client, replica)) = load.next() {
            submit(cluster, plan, *client, *replica, rng);
        }
    }
    cluster.run_for(plan.safety_phase.saturating_sub(cluster.now()));
}

fn inflict<P: SimProtocol>(cluster: &mut Cluster<P>, fault: &Fault) {
    match fault {
        Fault::Crash(who) => cluster.crash(*who),
        Fault::CrashAll => cluster.crash_all(),
        Fault::Restart(who) => cluster.restart(*who),
        Fault::RestartAll => cluster.restart_all(),
        Fault::LoseDisks(who) => {
            cluster.wipe(*who);
            cluster.restart(*who);
        }
        Fault::Disk(who, disk, fault) => cluster.fail_disk(*who, *disk, *fault),
        Fault::Partition(groups) => cluster.partition_into(groups),
        Fault::OneWay(from, to) => cluster.one_way(from.0, to.0),
        Fault::Heal => cluster.heal(),
        Fault::Links(spec) => cluster.links(*spec),
        Fault::Skew(who, milliseconds) => cluster.skew_clock(*who, *milliseconds),
    }
}

fn submit<P: SimProtocol>(
    cluster: &mut Cluster<P>,
    plan: &Plan,
    client: usize,
    at: quorate_types::ReplicaId,
    rng: &mut Rng,
) {
    let text = |rng: &mut Rng| BoundedVec::new(vec![b'k', b'0' + u8::try_from(rng.below(5)).expect("a digit")]);
    let key = text(rng).expect("two bytes");
    let value = || BoundedVec::new(rng.clone().next().to_le_bytes().to_vec()).expect("eight bytes");
    let op = match rng.clone().below(5) {
        0 => KvOp::Delete { key },
        1 => KvOp::CompareAndSwap { key, expected: None, new: Some(value()) },
        2 => KvOp::Transfer { to: cluster.client(client + 1), amount: 300 },
        _ => KvOp::Put { key, value: BoundedVec::new(value().into_inner()).expect("eight bytes") },
    };
    debug_assert!(plan.replicas > at.index());
    cluster.submit_op(client, at, &op);
}

/// Everything heals. Then everything submitted must take effect, at all replicas.
fn liveness_phase<P: SimProtocol>(cluster: &mut Cluster<P>, plan: &Plan) {
    let base = Duration::from_millis(plan.params.timeout_base_ms);
    cluster.heal();
    cluster.links(LinkSpec { jitter: base / 50, ..LinkSpec::delay(base / 50) });
    cluster.restart_all();
    let longest = Duration::from_millis(plan.params.timeout_max_ms);
    let limit = base * 100 + longest * 6 * u32::try_from(plan.replicas).expect("small");
    let settled = cluster.try_until(Cluster::is_settled, limit);
    if !settled && cluster.violation().is_none() {
        let what = format!("not everything submitted took effect everywhere within {limit:?} after healing");
        cluster.violated_from_outside(Violation::new(Rule::Liveness, what));
    }
}

/// Without work there are polls, and little else.
fn quiet_phase<P: SimProtocol>(cluster: &mut Cluster<P>, plan: &Plan) {
    let base = Duration::from_millis(plan.params.timeout_base_ms);
    cluster.run_for(base * 40);
    if plan.params.block_interval_ms.is_some() {
        return;
    }
    let total = |cluster: &Cluster<P>| cluster.message_counts().values().sum::<u64>();
    let before = total(cluster);
    cluster.run_for(base * 32);
    let sent = total(cluster) - before;
    // Each replica asks one other in eight base timeouts, and may be answered; one that rejoins asks all.
    let n = u64::try_from(plan.replicas).expect("small");
    let allowed = 5 * 2 * n * n;
    if sent > allowed && cluster.violation().is_none() {
        let what = format!("{sent} messages in 32 base timeouts without work; {allowed} are plenty");
        cluster.violated_from_outside(checker::Violation::new(Rule::Quiet, what));
    }
}
