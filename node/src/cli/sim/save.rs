//! What failed, cut small and saved.

use super::file::write;
use crate::{exit::Failure, output::Output};
use quorate_scenario::Votes;
use quorate_sim::campaign::{Campaign, Plan, Report, Runner, shrink};
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
        let (plan, run) = (campaign.plan(failure.seed), campaign.runner(failure.seed));
        let votes = if campaign.is_real(failure.seed) { votes } else { Votes::Symbolic };
        let path = directory.join(format!("{}-n{}-seed-{}.toml", plan.protocol, plan.replicas, plan.seed));
        if cut(&plan, (run, votes), &failure.what, &path, output)? {
            saved.push(path);
        }
    }
    Ok(saved)
}

/// Cuts one run and saves it. Whether it failed again, so that there was something to save.
pub(super) fn cut(
    plan: &Plan,
    (run, votes): (Runner, Votes),
    what: &str,
    path: &Path,
    output: Output,
) -> Result<bool, Failure> {
    let told = |text: String| output.note(format!("seed {}: {text}", plan.seed));
    // Where the code panics, each attempt would print it again.
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let shrunk = shrink(plan, run, RUNS);
    panic::set_hook(hook);
    let Some(shrunk) = shrunk else {
        told("does not fail when it is run again".to_owned());
        return Ok(false);
    };
    let cut = format!("from {} to {}", parts(plan), parts(&shrunk.plan));
    let first = what.lines().next().unwrap_or_default();
    write(path, &shrunk.plan, votes, shrunk.outcome.as_ref(), &format!("{first}; cut {cut}"))?;
    told(format!("cut with {} runs {cut}\n  try: quorate sim replay {}", shrunk.runs, path.display()));
    Ok(true)
}

fn parts(plan: &Plan) -> String {
    let faults = plan.faults.len() + plan.late.len();
    let (liars, load) = (plan.liars().len(), plan.load.len());
    format!("{} replicas, {faults} faults, {liars} liars, {load} transactions", plan.replicas)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::sim::file::read;
    use crate::output::{Color, Format};
    use quorate_ledger::Protocol;
    use quorate_sim::{
        Rule, Violation,
        campaign::{Outcome, Watch, campaign, watch_plan},
    };

    /// As if the code forked whenever somebody crashes.
    fn forks_where_somebody_crashes(plan: &Plan, watch: Watch) -> Outcome {
        let mut outcome = watch_plan(plan, watch);
        if format!("{:?}", plan.faults).contains("Crash") {
            outcome.violation = Some(Violation { rule: Rule::Agreement, what: "two blocks".to_owned() });
        }
        outcome
    }

    #[test]
    fn what_failed_in_a_campaign_is_cut_to_what_it_needs_and_replays_to_the_same_trace() {
        let home = tempfile::tempdir().expect("a directory");
        let places = home.path().join("not/there/yet");
        let failing = Campaign { real: Some(forks_where_somebody_crashes), ..Campaign::new(Protocol::Pbft, 4) };
        let report = campaign(&failing, 0..301);
        assert!(!report.violations.is_empty(), "one seed in a hundred is run by what fails");
        let output = Output { format: Format::Text, color: Color::Never, quiet: true };
        let saved = save(&failing, Votes::Symbolic, &report, &places, output).expect("it can be written");
        assert_eq!(saved.len(), report.violations.len().min(SAVED));
        let (scenario, plan) = read(&saved[0]).expect("it can be read");
        assert_eq!((plan.faults.len(), plan.load.len(), plan.attackers.len()), (1, 0, 0), "{plan:?}");
        let recorded = scenario.recorded.expect("it is");
        assert_eq!((recorded.ending.as_str(), recorded.rule.as_deref()), ("diverged", Some("agreement")));
        assert_eq!(recorded.trace, Some(hex::encode(watch_plan(&plan, Watch::default()).trace.0)));
    }
}
