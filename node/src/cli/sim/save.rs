//! What failed in a campaign, cut small and saved.

use super::{file::write, subject::runner};
use crate::{exit::Failure, output::Output};
use quorate_scenario::Votes;
use quorate_sim::campaign::{Campaign, Plan, Report, shrink};
use std::{
    panic,
    path::{Path, PathBuf},
};

/// Failures that are cut and saved; the others are of the same making, most of the time.
const SAVED: usize = 3;
/// Runs that cutting one may take.
const RUNS: u32 = 600;

/// Cuts the first failures and saves them in `directory`, where each is a file.
pub(super) fn save(
    campaign: &Campaign,
    votes: Votes,
    report: &Report,
    directory: &Path,
    output: Output,
) -> Result<Vec<PathBuf>, Failure> {
    let mut saved = Vec::new();
    for failure in report.violations.iter().chain(&report.stuck).take(SAVED) {
        let plan = campaign.plan(failure.seed);
        let votes = if campaign.is_real(failure.seed) { votes } else { Votes::Symbolic };
        let told = |text: String| output.note(format!("seed {}: {text}", failure.seed));
        let hook = panic::take_hook();
        panic::set_hook(Box::new(|_| {}));
        let shrunk = shrink(&plan, runner(votes), RUNS);
        panic::set_hook(hook);
        let Some(shrunk) = shrunk else {
            told("does not fail when it is run again".to_owned());
            continue;
        };
        let cut = format!("from {} to {}", parts(&plan), parts(&shrunk.plan));
        let about = format!("{}; cut {cut}", failure.what);
        let path = directory.join(format!("{}-n{}-seed-{}.toml", plan.protocol, plan.replicas, plan.seed));
        write(&path, &shrunk.plan, votes, shrunk.outcome.as_ref(), &about)?;
        told(format!("cut with {} runs {cut}\n  try: quorate sim replay {}", shrunk.runs, path.display()));
        saved.push(path);
    }
    Ok(saved)
}

fn parts(plan: &Plan) -> String {
    let faults = plan.faults.len() + plan.late.len();
    let (liars, load) = (plan.liars().len(), plan.load.len());
    format!("{} replicas, {faults} faults, {liars} liars, {load} transactions", plan.replicas)
}
