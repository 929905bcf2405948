//! A run as it is told: as JSON, and in words with a table of what was expected.

use crate::verdict::{HeldView, table};
use quorate_scenario::Votes;
use quorate_sim::{
    Commit,
    campaign::{Outcome, Plan},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// A run as JSON tells it.
#[derive(Serialize)]
pub(super) struct Told {
    /// The scenario's, if there is one.
    scenario: Option<String>,
    protocol: &'static str,
    scheme: &'static str,
    n: usize,
    seed: u64,
    ending: &'static str,
    violation: Option<ViolationView>,
    expected: Vec<HeldView>,
    /// Virtual seconds.
    lasted: f64,
    /// Real seconds.
    took: f64,
    height: u64,
    events: u64,
    messages: BTreeMap<&'static str, u64>,
    trace: String,
    replicas: Vec<ReplicaView>,
    #[serde(skip)]
    details: String,
}

#[derive(Serialize)]
struct ViolationView {
    rule: String,
    what: String,
}

#[derive(Serialize)]
struct ReplicaView {
    replica: usize,
    /// The attack that it runs, if it does.
    attack: Option<String>,
    commits: Vec<CommitView>,
}

#[derive(Serialize)]
struct CommitView {
    /// Virtual seconds.
    at: f64,
    height: u64,
    block: String,
}

impl From<&Commit> for CommitView {
    fn from(commit: &Commit) -> Self {
        Self { at: commit.at.as_secs_f64(), height: commit.height.0, block: hex::encode(commit.block.0) }
    }
}

impl Told {
    pub(super) fn new(plan: &Plan, votes: Votes, scenario: Option<String>, outcome: Outcome, took: f64) -> Self {
        let ending = outcome.ending().name();
        let attack = |replica: usize| {
            let mut attackers = plan.all_attackers();
            attackers.find(|attacker| attacker.replica.index() == replica).map(|attacker| attacker.attack.clone())
        };
        let replica = |(replica, commits): (usize, &Vec<Commit>)| ReplicaView {
            replica,
            attack: attack(replica),
            commits: commits.iter().map(CommitView::from).collect(),
        };
        let held = outcome.held.iter().map(HeldView::from);
        Self {
            scenario,
            protocol: plan.protocol.name(),
            scheme: votes.name(),
            n: plan.replicas,
            seed: plan.seed,
            ending,
            expected: held.collect(),
            violation: outcome
                .violation
                .map(|violation| ViolationView { rule: violation.rule.to_string(), what: violation.what }),
            lasted: outcome.lasted.as_secs_f64(),
            took,
            height: outcome.height,
            events: outcome.events,
            messages: outcome.messages,
            trace: hex::encode(outcome.trace.0),
            replicas: outcome.commits.iter().enumerate().map(replica).collect(),
            details: outcome.details,
        }
    }
}

/// Which run.
pub(super) fn title(plan: &Plan, votes: Votes, scenario: Option<&str>) -> String {
    let name = scenario.map(|name| format!("{name}: ")).unwrap_or_default();
    format!("{name}{}, {}, n={}, seed {}", plan.protocol, votes.name(), plan.replicas, plan.seed)
}

/// In words.
pub(super) fn text(told: &Told) -> String {
    let name = told.scenario.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
    let mut text =
        format!("{name}{}, {}, n={}, seed {}: {}\n", told.protocol, told.scheme, told.n, told.seed, told.ending);
    if let Some(violation) = &told.violation {
        text += &format!("{} violated: {}\n\n{}\n", violation.rule, violation.what, told.details);
    }
    if !told.expected.is_empty() {
        text += &format!("\n{}\n", table(&told.expected));
    }
    let messages: u64 = told.messages.values().sum();
    text += &format!(
        "height {} after {:.3} s of virtual time; {} events, {messages} messages, {:.2} s of real time\ntrace {}\n",
        told.height, told.lasted, told.events, told.took, told.trace
    );
    for replica in &told.replicas {
        let last = replica.commits.last();
        let last =
            last.map_or_else(String::new, |last| format!(", the last at {:.3} s, {}", last.at, &last.block[..8]));
        let attack = replica.attack.as_ref().map(|attack| format!(" ({attack})")).unwrap_or_default();
        text += &format!("replica {}{attack}: {} commits{last}\n", replica.replica, replica.commits.len());
    }
    text
}
