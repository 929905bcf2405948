//! `quorate doctor`.

#[cfg(feature = "lab")]
mod faults;
mod log;

use super::{
    Context,
    target::{NamedApi, Target},
};
use crate::{
    api::DoctorView,
    client::{Api, Unanswered},
    doctor::{Case, Facts, Finding, Report, Seen, Verdict, diagnose},
    exit::{Exit, Failure},
};
use clap::Args;
use futures::future::join_all;
use quorate_types::ReplicaId;
use serde::Serialize;
use std::{collections::BTreeMap, time::Duration};

/// A node that has said nothing for so long is paused, or gone.
const PATIENCE: Duration = Duration::from_secs(3);

/// Say why there is no block
///
/// Asks all nodes of a testnet, or those named, for their side of the story, and says in plain sentences what follows: who does not answer,
/// whether a quorum is left, whose votes or timeouts are missing, which rule refused the last proposal, which links are down. A
/// chain that rests because nobody sends transactions is well. The exit code is 0 if nothing is wrong, 1 if something is but
/// blocks come, 4 if no block comes though there is work, 5 if no node answers.
#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    /// A node's API address; may be given several times, in place of --home
    #[arg(long, value_name = "URL", conflicts_with_all = ["node"])]
    api: Vec<String>,
    #[command(flatten)]
    target: Target,
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Answer {
    verdict: Verdict,
    findings: Vec<Finding>,
    names: Vec<String>,
    quorum: usize,
    nodes: Vec<Asked>,
}

/// One node that was asked.
#[derive(Serialize)]
struct Asked {
    node: String,
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    facts: Option<Facts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

pub(super) fn run(args: &DoctorArgs, context: &Context) -> Result<Exit, Failure> {
    let nodes = nodes(args)?;
    let asking =
        async { (join_all(nodes.iter().map(|node| ask(&node.api))).await, Surroundings::of(&args.target).await) };
    let (answers, around) = context.block_on(async { Ok(asking.await) })?;
    let committee = match answers.iter().find_map(|answer| answer.as_ref().ok()) {
        Some(view) => Some((view.names.clone(), view.quorum)),
        None => of_genesis(&args.target)?,
    };
    let Some((names, quorum)) = committee else { return Err(nobody()) };
    let mut case = Case { names, quorum, seen: BTreeMap::new(), nameless: Vec::new() };
    let mut asked = Vec::new();
    for (node, answer) in nodes.into_iter().zip(answers) {
        asked.push(enter(&mut case, &node, answer, &around));
    }
    let report = diagnose(&case);
    let Report { verdict, findings } = report.clone();
    let is_answered = asked.iter().any(|asked| asked.facts.is_some());
    let answer = Answer { verdict, findings, names: case.names, quorum: case.quorum, nodes: asked };
    context.output.data(&answer, |_| report.to_string())?;
    if !is_answered {
        return Err(nobody());
    }
    Ok(match verdict {
        Verdict::Well => Exit::Success,
        Verdict::Ailing => Exit::Failure,
        Verdict::Stuck => Exit::NoProgress,
    })
}

fn nobody() -> Failure {
    Failure::environment("no node answers").hint("quorate testnet starts a testnet; --api URL names a node")
}

fn nodes(args: &DoctorArgs) -> Result<Vec<NamedApi>, Failure> {
    if args.api.is_empty() {
        return args.target.all();
    }
    args.api.iter().map(|url| Ok(NamedApi { name: url.clone(), api: Api::new(url)? })).collect()
}

/// Names and quorum where no node tells them.
fn of_genesis(target: &Target) -> Result<Option<(Vec<String>, usize)>, Failure> {
    let Some(genesis) = target.genesis(None)? else { return Ok(None) };
    let committee = genesis.committee().map_err(|error| Failure::failed(error.to_string()))?;
    let names = genesis.validators.iter().map(|validator| validator.name.clone()).collect();
    Ok(Some((names, committee.quorum())))
}

/// A node's side of the story, or how it is silent.
async fn ask(api: &Api) -> Result<Box<DoctorView>, String> {
    let Ok(answer) = tokio::time::timeout(PATIENCE, api.get("/v1/doctor")).await else {
        let seconds = PATIENCE.as_secs();
        return Err(format!("nothing came back for {seconds} s, so it is paused, overloaded or out of reach"));
    };
    answer.map(Box::new).map_err(|error| match error {
        Unanswered::Unreachable(why) => format!("{why}, so its process does not run"),
        Unanswered::Problem(problem) => problem.detail,
        Unanswered::Nonsense(why) => format!("it is no node of this version: {why}"),
    })
}

/// What a testnet's home tells beside the nodes: their logs, and the faults that were asked for.
struct Surroundings<'a> {
    target: &'a Target,
    #[cfg(feature = "lab")]
    in_force: Option<crate::testnet::console::Status>,
}

impl<'a> Surroundings<'a> {
    async fn of(target: &'a Target) -> Self {
        Self {
            target,
            #[cfg(feature = "lab")]
            in_force: faults::in_force(&target.testnet()).await,
        }
    }

    /// Why a node does not answer, if its console or its log knows better than its socket.
    fn explain(&self, name: &str, how: String) -> String {
        #[cfg(feature = "lab")]
        if let Some(why) = self.in_force.as_ref().and_then(|status| faults::process(status, name)) {
            return why;
        }
        match log::last_error(&self.target.testnet().log(name)) {
            Some(last) => format!("{how}; the last error in its log is: {last}"),
            None => how,
        }
    }

    /// Puts faults that were asked for beside what a node says of itself.
    #[cfg(feature = "lab")]
    fn add_faults(&self, case: &Case, facts: &mut Facts) {
        if let Some(status) = &self.in_force {
            faults::add(status, case, facts);
        }
    }

    #[cfg(not(feature = "lab"))]
    fn add_faults(&self, _: &Case, _: &mut Facts) {}
}

/// Puts an answer into the case.
fn enter(
    case: &mut Case,
    node: &NamedApi,
    answer: Result<Box<DoctorView>, String>,
    around: &Surroundings<'_>,
) -> Asked {
    let (name, url) = (node.name.clone(), node.api.base().to_owned());
    match answer {
        Ok(view) => {
            let mut facts = view.facts;
            around.add_faults(case, &mut facts);
            case.seen.insert(facts.replica, Seen::Answers(Box::new(facts.clone())));
            let node = case.names.get(facts.replica.index()).cloned().unwrap_or(name);
            Asked { node, url, facts: Some(facts), error: None }
        }
        Err(how) => {
            let how = around.explain(&name, how);
            match (0u16..).map(ReplicaId).zip(&case.names).find(|(_, known)| **known == name) {
                Some((member, _)) => drop(case.seen.insert(member, Seen::Silent(how.clone()))),
                None => case.nameless.push((name.clone(), how.clone())),
            }
            Asked { node: name, url, facts: None, error: Some(how) }
        }
    }
}
