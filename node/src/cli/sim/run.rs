//! `quorate sim run`: one seed, told in full.

use super::{ENDINGS, exit_of, subject::Subject};
use crate::{
    cli::Context,
    exit::{Exit, Failure},
};
use clap::Args;
use quorate_sim::campaign::{Campaign, Outcome, run_plan};
use serde::Serialize;
use std::{collections::BTreeMap, time::Instant};

/// Run one seed. It draws links, faults and load; then everything heals, and whatever was submitted must take effect.
#[derive(Debug, Args)]
#[command(after_help = ENDINGS)]
pub(in crate::cli) struct RunArgs {
    #[command(flatten)]
    subject: Subject,
    /// What all chance follows from
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    seed: u64,
}

/// A run as JSON tells it.
#[derive(Serialize)]
struct RunView {
    protocol: &'static str,
    scheme: &'static str,
    n: u16,
    seed: u64,
    ending: &'static str,
    violation: Option<ViolationView>,
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
    commits: Vec<CommitView>,
}

#[derive(Serialize)]
struct CommitView {
    /// Virtual seconds.
    at: f64,
    height: u64,
    block: String,
}

pub(super) fn run(args: &RunArgs, context: &Context) -> Result<Exit, Failure> {
    let Subject { protocol, scheme, n } = args.subject;
    let began = Instant::now();
    let plan = Campaign::new(protocol, usize::from(n)).plan(args.seed);
    let outcome = scheme.real().map_or(run_plan as _, quorate_sim_real::runner)(&plan);
    let exit = exit_of(outcome.ending());
    let view = view(args, outcome, began.elapsed().as_secs_f64());
    context.output.data(&view, text).map(|()| exit)
}

fn view(args: &RunArgs, outcome: Outcome, took: f64) -> RunView {
    let ending = outcome.ending().name();
    let commit = |commit: &quorate_sim::Commit| CommitView {
        at: commit.at.as_secs_f64(),
        height: commit.height.0,
        block: hex::encode(commit.block.0),
    };
    let replica = |(replica, commits): (usize, &Vec<quorate_sim::Commit>)| ReplicaView {
        replica,
        commits: commits.iter().map(commit).collect(),
    };
    RunView {
        protocol: args.subject.protocol.name(),
        scheme: args.subject.scheme.name(),
        n: args.subject.n,
        seed: args.seed,
        ending,
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

fn text(run: &RunView) -> String {
    let mut text = format!("{}, {}, n={}, seed {}: {}\n", run.protocol, run.scheme, run.n, run.seed, run.ending);
    if let Some(violation) = &run.violation {
        text += &format!("{} violated: {}\n\n{}\n", violation.rule, violation.what, run.details);
    }
    let messages: u64 = run.messages.values().sum();
    text += &format!(
        "height {} after {:.3} s of virtual time; {} events, {messages} messages, {:.2} s of real time\ntrace {}\n",
        run.height, run.lasted, run.events, run.took, run.trace
    );
    for replica in &run.replicas {
        let last = replica.commits.last();
        let last =
            last.map_or_else(String::new, |last| format!(", the last at {:.3} s, {}", last.at, &last.block[..8]));
        text += &format!("replica {}: {} commits{last}\n", replica.replica, replica.commits.len());
    }
    text
}
