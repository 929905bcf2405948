//! Carrying a plan out.

use super::{
    Ending,
    plan::{Fault, Load, LoadKind, Plan},
};
use crate::{
    Builder, Cluster, Commit, LinkSpec, Rng, Rule, SimProtocol, SimScheme, SymbolicHotStuff, SymbolicPbft, Violation,
};
use quorate_byzantine::{Attacks, Byzantine};
use quorate_consensus::{hotstuff::HotStuff, pbft::Pbft};
use quorate_ledger::{KvOp, Protocol};
use quorate_types::{BoundedVec, Digest};
use std::{collections::BTreeMap, time::Duration};

/// Runs a plan under some scheme.
pub type Runner = fn(&Plan) -> Outcome;

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

/// Runs a plan with symbolic signatures.
pub fn run_plan(plan: &Plan) -> Outcome {
    symbolic(plan, false).0
}

/// Runs a plan with symbolic signatures, and tells everything that the replicas hold in the end.
pub fn look(plan: &Plan) -> (Outcome, String) {
    symbolic(plan, true)
}

/// Replicas that are never corrupted are of a type of their own: what most tests run is then compiled once, here.
fn symbolic(plan: &Plan, look: bool) -> (Outcome, String) {
    match (plan.protocol, plan.attackers.is_empty()) {
        (Protocol::Hotstuff, true) => carry_out(set(Cluster::of::<SymbolicHotStuff>(), plan), plan, look),
        (Protocol::Pbft, true) => carry_out(set(Cluster::of::<SymbolicPbft>(), plan), plan, look),
        (Protocol::Hotstuff, false) => carry_out(corrupt::<SymbolicHotStuff>(plan), plan, look),
        (Protocol::Pbft, false) => carry_out(corrupt::<SymbolicPbft>(plan), plan, look),
    }
}

/// Runs a plan under any scheme. Signatures say what symbolic ones would, so that the plan is the same.
///
/// Not called in this crate: each scheme that is named is compiled with the whole simulator around it. See `quorate-sim-real`.
pub fn run_under<S: SimScheme>(plan: &Plan) -> Outcome {
    match plan.protocol {
        Protocol::Hotstuff => carry_out(corrupt::<HotStuff<S>>(plan), plan, false).0,
        Protocol::Pbft => carry_out(corrupt::<Pbft<S>>(plan), plan, false).0,
    }
}

fn corrupt<P: SimProtocol + Attacks>(plan: &Plan) -> Builder<Byzantine<P>> {
    plan.attackers.iter().fold(set(Cluster::of::<Byzantine<P>>(), plan), |builder, attacker| {
        builder.attacker(attacker.replica.0, &attacker.attack, attacker.target())
    })
}

fn carry_out<P: SimProtocol>(builder: Builder<P>, plan: &Plan, look: bool) -> (Outcome, String) {
    let mut cluster = builder.build();
    let outcome = run_in(&mut cluster, plan);
    let replicas = (0..plan.replicas).filter_map(|index| u16::try_from(index).ok()).filter(|_| look);
    let dumps: Vec<_> = replicas.map(|index| cluster.dump(index)).collect();
    (outcome, dumps.join("\n"))
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
    if cluster.violation().is_none() {
        cluster.compare_ledgers();
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

fn safety_phase<P: SimProtocol>(cluster: &mut Cluster<P>, plan: &Plan, rng: &mut Rng) {
    let (mut faults, mut load) = (plan.faults.iter().peekable(), plan.load.iter().peekable());
    loop {
        let next_fault = faults.peek().map(|(at, _)| *at);
        let next_load = load.peek().map(|load| load.at);
        let Some(at) = next_fault.into_iter().chain(next_load).min() else { break };
        cluster.run_for(at.saturating_sub(cluster.now()));
        if cluster.violation().is_some() {
            return;
        }
        if next_fault == Some(at) {
            faults.next().into_iter().for_each(|(_, fault)| inflict(cluster, fault));
        } else if let Some(load) = load.next() {
            submit(cluster, load, rng);
        }
    }
    cluster.run_for(plan.safety_phase.saturating_sub(cluster.now()));
}

fn inflict<P: SimProtocol>(cluster: &mut Cluster<P>, fault: &Fault) {
    match fault {
        Fault::Crash(who) => cluster.crash(*who),
        Fault::CrashAfter(who, actions) => cluster.crash_after(*who, *actions),
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

fn submit<P: SimProtocol>(cluster: &mut Cluster<P>, load: &Load, rng: &mut Rng) {
    let op = operation(cluster, load.client, rng);
    match load.kind {
        LoadKind::Once => cluster.submit_op(load.client, load.replica, &op),
        LoadKind::Twice(other) => cluster.submit_op_at_all(load.client, &[load.replica, other], &op),
        LoadKind::DoubleSpend(other) => {
            let another = operation(cluster, load.client, rng);
            cluster.double_spend(load.client, [(load.replica, &op), (other, &another)]);
        }
    }
}

/// Few keys, so that operations meet.
fn operation<P: SimProtocol>(cluster: &Cluster<P>, client: usize, rng: &mut Rng) -> KvOp {
    let key = BoundedVec::new(vec![b'k', b'0' + u8::try_from(rng.below(5)).expect("a digit")]).expect("two bytes");
    let value = rng.next().to_le_bytes().to_vec();
    match rng.below(5) {
        0 => KvOp::Delete { key },
        1 => KvOp::CompareAndSwap { key, expected: None, new: Some(BoundedVec::new(value).expect("eight bytes")) },
        2 => KvOp::Transfer { to: cluster.client(client + 1), amount: 300 },
        _ => KvOp::Put { key, value: BoundedVec::new(value).expect("eight bytes") },
    }
}

/// Everything heals. Then everything submitted must take effect, at all replicas.
fn liveness_phase<P: SimProtocol>(cluster: &mut Cluster<P>, plan: &Plan) {
    let base = Duration::from_millis(plan.params.timeout_base_ms);
    cluster.heal();
    cluster.links(LinkSpec { jitter: base / 50, ..LinkSpec::delay(base / 50) });
    cluster.restart_all();
    cluster.replace_bad_disks();
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
    // Attackers make as much noise as they like.
    if plan.params.block_interval_ms.is_some() || !plan.attackers.is_empty() {
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
        cluster.violated_from_outside(Violation::new(Rule::Quiet, what));
    }
}
