//! The three phases of a run: faults, healing, quiet.

use super::{
    expect::Phases,
    plan::{Attacker, Fault, Late, Load, LoadKind, Plan},
};
use crate::{Cluster, LinkSpec, Rng, Rule, SimProtocol, Violation};
use quorate_ledger::KvOp;
use quorate_scenario::{Expectation, Measure};
use quorate_types::{BoundedVec, ReplicaId};
use std::time::Duration;

/// Puts a replica into the hands of an attacker, or takes it out of them.
pub(super) type ChangeHands<P> = fn(&mut Cluster<P>, ReplicaId, Option<&Attacker>);

/// Runs as far as the plan expects something.
pub(super) fn run<P: SimProtocol>(cluster: &mut Cluster<P>, change_hands: ChangeHands<P>, plan: &Plan) -> Phases {
    let mut phases = Phases::default();
    safety_phase(cluster, change_hands, plan);
    if cluster.violation().is_none() && plan.expect.contains(&Expectation::Recovers) {
        phases.recovered = Some(liveness_phase(cluster, plan));
    }
    if cluster.violation().is_none() && plan.expect.contains(&Expectation::Quiet) {
        phases.quiet = Some(quiet_phase(cluster, plan));
    }
    if cluster.violation().is_none() {
        cluster.compare_ledgers();
    }
    phases
}

/// What is still to happen when a figure is great enough.
struct Waiting<'a, P: SimProtocol> {
    late: Vec<&'a Late>,
    change_hands: ChangeHands<P>,
}

impl<'a, P: SimProtocol> Waiting<'a, P> {
    fn is_due(cluster: &Cluster<P>, late: &Late) -> bool {
        let figure = match late.measure {
            Measure::Height => cluster.committed().0,
            Measure::View => cluster.running().map(|replica| cluster.view(replica).0).max().unwrap_or(0),
            Measure::Evidence => u64::try_from(cluster.accusations().count()).unwrap_or(u64::MAX),
        };
        figure >= late.least
    }

    /// Lets time pass until `at`, and what is due happen on the way.
    fn run_to(&mut self, cluster: &mut Cluster<P>, at: Duration) {
        let left = |cluster: &Cluster<P>| at.saturating_sub(cluster.now());
        while !self.late.is_empty() && cluster.violation().is_none() {
            let waiting = &self.late;
            let limit = left(cluster);
            if !cluster.try_until(|cluster| waiting.iter().any(|late| Self::is_due(cluster, late)), limit) {
                return;
            }
            let (due, waiting): (Vec<&'a Late>, _) = self.late.iter().partition(|late| Self::is_due(cluster, late));
            self.late = waiting;
            due.into_iter().for_each(|late| inflict(cluster, self.change_hands, &late.fault));
        }
        cluster.run_for(left(cluster));
    }
}

fn safety_phase<P: SimProtocol>(cluster: &mut Cluster<P>, change_hands: ChangeHands<P>, plan: &Plan) {
    let mut rng = Rng::new(plan.seed ^ 0x6c6f_6164);
    let mut waiting = Waiting { late: plan.late.iter().collect(), change_hands };
    let (mut faults, mut load) = (plan.faults.iter().peekable(), plan.load.iter().peekable());
    loop {
        let next_fault = faults.peek().map(|(at, _)| *at);
        let next_load = load.peek().map(|load| load.at);
        let Some(at) = next_fault.into_iter().chain(next_load).min() else { break };
        waiting.run_to(cluster, at);
        if cluster.violation().is_some() {
            return;
        }
        if next_fault == Some(at) {
            faults.next().into_iter().for_each(|(_, fault)| inflict(cluster, change_hands, fault));
        } else if let Some(load) = load.next() {
            submit(cluster, load, &mut rng);
        }
    }
    waiting.run_to(cluster, plan.end());
}

fn inflict<P: SimProtocol>(cluster: &mut Cluster<P>, change_hands: ChangeHands<P>, fault: &Fault) {
    match fault {
        Fault::Crash(who) => cluster.crash(*who),
        Fault::CrashAfter(who, actions) => cluster.crash_after(*who, *actions),
        Fault::CrashAll => cluster.crash_all(),
        Fault::Restart(who) => cluster.restart(*who),
        Fault::RestartAll => cluster.restart_all(),
        Fault::Wipe(who) => cluster.wipe(*who),
        Fault::LoseDisks(who) => {
            cluster.wipe(*who);
            cluster.restart(*who);
        }
        Fault::Disk(who, disk, fault) => cluster.fail_disk(*who, *disk, *fault),
        Fault::Pause(who) => cluster.pause(*who),
        Fault::Resume(who) => cluster.resume(*who),
        Fault::Partition(groups) => cluster.partition_into(groups),
        Fault::OneWay(from, to) => cluster.one_way(from.0, to.0),
        Fault::Heal => cluster.heal(),
        Fault::Links(spec) => cluster.links(*spec),
        Fault::Link(from, to, spec) => cluster.link(from.0, to.0, *spec),
        Fault::Skew(who, milliseconds) => cluster.skew_clock(*who, *milliseconds),
        Fault::Attack(attacker) => change_hands(cluster, attacker.replica, Some(attacker)),
        Fault::StopAttack(who) => change_hands(cluster, *who, None),
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
fn liveness_phase<P: SimProtocol>(cluster: &mut Cluster<P>, plan: &Plan) -> Result<String, String> {
    let base = Duration::from_millis(plan.params.timeout_base_ms);
    cluster.heal();
    cluster.links(LinkSpec { jitter: base / 50, ..LinkSpec::delay(base / 50) });
    cluster.resume_all();
    cluster.restart_all();
    cluster.replace_bad_disks();
    cluster.quicken_disks();
    let longest = Duration::from_millis(plan.params.timeout_max_ms);
    let limit = base * 100 + longest * 6 * u32::try_from(plan.replicas).expect("small");
    let healed = cluster.now();
    let is_settled = cluster.try_until(Cluster::is_settled, limit);
    let took = cluster.now() - healed;
    if is_settled {
        return Ok(format!("all took effect {:.3} s after healing", took.as_secs_f64()));
    }
    let what = format!("not everything submitted took effect everywhere within {limit:?} after healing");
    if cluster.violation().is_none() {
        cluster.violated_from_outside(Violation::new(Rule::Liveness, what.clone()));
    }
    Err(what)
}

/// Without work there are polls, and little else.
fn quiet_phase<P: SimProtocol>(cluster: &mut Cluster<P>, plan: &Plan) -> Result<String, String> {
    let base = Duration::from_millis(plan.params.timeout_base_ms);
    cluster.run_for(base * 40);
    // Attackers make as much noise as they like.
    if plan.params.block_interval_ms.is_some() || !plan.liars().is_empty() {
        return Ok("not counted: there are empty blocks, or liars".to_owned());
    }
    let total = |cluster: &Cluster<P>| cluster.message_counts().values().sum::<u64>();
    let before = total(cluster);
    cluster.run_for(base * 32);
    let sent = total(cluster) - before;
    // Each replica asks one other in eight base timeouts, and may be answered; one that rejoins asks all.
    let n = u64::try_from(plan.replicas).expect("small");
    let allowed = 5 * 2 * n * n;
    let what = format!("{sent} messages in 32 base timeouts without work; {allowed} are plenty");
    if sent <= allowed {
        return Ok(what);
    }
    if cluster.violation().is_none() {
        cluster.violated_from_outside(Violation::new(Rule::Quiet, what.clone()));
    }
    Err(what)
}
