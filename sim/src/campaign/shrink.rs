//! A failing plan cut to a small one that fails in the same way.
//!
//! Delta debugging (Zeller and Hildebrandt 2002, *ddmin*) on each list of the plan, then single simplifications, again and again until
//! none helps or the runs are used up. A cut is kept if the run ends as the first one did and breaks the same rule; when, where and
//! with which blocks may differ, for a plan with less in it draws other numbers.

use super::{Ending, Fault, LoadKind, Outcome, Plan, Runner, Watch};
use crate::Rule;
use quorate_links::LinkSpec;
use quorate_types::ReplicaId;
use std::{panic, time::Duration};

/// A plan after cutting.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// What is left.
    pub plan: Plan,
    /// How it ends. `None`: the code under test panics.
    pub outcome: Option<Outcome>,
    /// Runs that it took.
    pub runs: u32,
}

/// How a run failed: what a smaller one must do as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Signature {
    ending: Ending,
    rule: Option<Rule>,
}

/// Runs a plan; `None`: the code under test panicked. The caller decides who hears of panics.
pub fn attempt(run: Runner, plan: &Plan, watch: Watch) -> Option<Outcome> {
    panic::catch_unwind(|| run(plan, watch)).ok()
}

fn signature(outcome: Option<&Outcome>) -> Signature {
    let rule = outcome.and_then(|outcome| outcome.violation.as_ref()).map(|violation| violation.rule);
    Signature { ending: outcome.map_or(Ending::Broken, Outcome::ending), rule }
}

/// Cuts a plan with at most so many runs. `None`: it does not fail.
pub fn shrink(plan: &Plan, run: Runner, most: u32) -> Option<Shrunk> {
    let outcome = attempt(run, plan, Watch::default());
    let signature = signature(outcome.as_ref());
    if signature.ending == Ending::Pass {
        return None;
    }
    let mut search = Search { best: plan.clone(), outcome, signature, run, runs: 1, most };
    while search.round() {}
    Some(Shrunk { plan: search.best, outcome: search.outcome, runs: search.runs })
}

struct Search {
    best: Plan,
    outcome: Option<Outcome>,
    signature: Signature,
    run: Runner,
    runs: u32,
    most: u32,
}

impl Search {
    /// Keeps a plan if it fails as the first did.
    fn keep(&mut self, plan: Plan) -> bool {
        if self.runs >= self.most || plan == self.best {
            return false;
        }
        self.runs += 1;
        let outcome = attempt(self.run, &plan, Watch::default());
        let is_kept = signature(outcome.as_ref()) == self.signature;
        if is_kept {
            (self.best, self.outcome) = (plan, outcome);
        }
        is_kept
    }

    /// Tries everything once. Whether anything helped.
    fn round(&mut self) -> bool {
        let before = self.best.clone();
        self.list(|plan| &mut plan.faults);
        self.list(|plan| &mut plan.late);
        self.list(|plan| &mut plan.load);
        self.list(|plan| &mut plan.attackers);
        self.committee();
        self.simplify();
        self.shorten();
        self.best != before
    }

    /// Takes parts out of a list: halves, quarters, ... single entries.
    fn list<T: Clone>(&mut self, of: fn(&mut Plan) -> &mut Vec<T>) {
        let mut part = of(&mut self.best.clone()).len().div_ceil(2);
        // Nothing at all is the likeliest to be enough.
        let mut none = self.best.clone();
        of(&mut none).clear();
        self.keep(none);
        while part > 0 {
            let mut at = 0;
            while at < of(&mut self.best).len() {
                let mut less = self.best.clone();
                let list = of(&mut less);
                list.drain(at..(at + part).min(list.len()));
                // What was at `at` is gone, or stays for good.
                if !self.keep(less) {
                    at += part;
                }
            }
            part /= 2;
        }
    }

    /// The smallest committee that does, beginning with the smallest that tolerates a fault.
    fn committee(&mut self) {
        for replicas in 4..self.best.replicas {
            if let Some(plan) = with_replicas(&self.best, replicas)
                && self.keep(plan)
            {
                return;
            }
        }
    }

    fn simplify(&mut self) {
        let changes: [fn(&mut Plan); 11] = [
            in_milliseconds,
            |plan| plan.links = LinkSpec::delay(plan.links.delay),
            |plan| plan.links.loss = 0.0,
            |plan| plan.links.duplicate = 0.0,
            |plan| plan.links.reorder = 0.0,
            |plan| plan.links.jitter = Duration::ZERO,
            |plan| plan.is_kv = false,
            |plan| plan.params.block_interval_ms = None,
            |plan| plan.flush = (plan.flush.0, plan.flush.0),
            |plan| plan.ledger = (plan.ledger.0, plan.ledger.0),
            |plan| plan.load.iter_mut().for_each(|load| load.kind = LoadKind::Once),
        ];
        for change in changes {
            let mut plan = self.best.clone();
            change(&mut plan);
            self.keep(plan);
        }
    }

    /// No longer than anything happens, and half as long again and again.
    fn shorten(&mut self) {
        let faults = self.best.faults.iter().map(|(at, _)| *at);
        let last = faults.chain(self.best.load.iter().map(|load| load.at)).max().unwrap_or_default();
        for end in [Duration::ZERO, last, last + (self.best.safety_phase.saturating_sub(last)) / 2] {
            if end < self.best.safety_phase {
                let mut plan = self.best.clone();
                plan.safety_phase = end;
                if self.keep(plan) {
                    return;
                }
            }
        }
    }
}

/// Moments that a person can read.
fn in_milliseconds(plan: &mut Plan) {
    let faults = plan.faults.iter_mut().map(|(at, _)| at);
    for at in faults.chain(plan.load.iter_mut().map(|load| &mut load.at)).chain([&mut plan.links.delay]) {
        *at -= Duration::from_nanos(u64::from(at.subsec_nanos() % 1_000_000));
    }
}

/// The same with fewer replicas, those with the highest numbers gone and with them whatever happens to them; `None`: more would lie than
/// may.
fn with_replicas(plan: &Plan, replicas: usize) -> Option<Plan> {
    let stays = |replica: &ReplicaId| replica.index() < replicas;
    let mut less = plan.clone();
    less.replicas = replicas;
    less.attackers.retain(|attacker| stays(&attacker.replica) && attacker.against.iter().all(stays));
    less.load.retain(|load| {
        let other = match load.kind {
            LoadKind::Once => load.replica,
            LoadKind::Twice(other) | LoadKind::DoubleSpend(other) => other,
        };
        stays(&load.replica) && stays(&other)
    });
    for (_, fault) in &mut less.faults {
        if let Fault::Partition(groups) = fault {
            groups.iter_mut().for_each(|group| group.retain(stays));
        }
    }
    less.faults.retain(|(_, fault)| touches(fault).iter().all(stays));
    less.late.retain(|late| touches(&late.fault).iter().all(stays));
    (less.liars().len() <= (replicas - 1) / 3).then_some(less)
}

/// Whom a fault concerns.
fn touches(fault: &Fault) -> Vec<ReplicaId> {
    match fault {
        Fault::Crash(who)
        | Fault::CrashAfter(who, _)
        | Fault::Restart(who)
        | Fault::Wipe(who)
        | Fault::LoseDisks(who)
        | Fault::Disk(who, ..)
        | Fault::Pause(who)
        | Fault::Resume(who)
        | Fault::Skew(who, _)
        | Fault::StopAttack(who) => vec![*who],
        Fault::OneWay(from, to) | Fault::Link(from, to, _) => vec![*from, *to],
        Fault::Attack(attacker) => attacker.against.iter().copied().chain([attacker.replica]).collect(),
        Fault::Partition(groups) => groups.concat(),
        Fault::CrashAll | Fault::RestartAll | Fault::Heal | Fault::Links(_) => Vec::new(),
    }
}
