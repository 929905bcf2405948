//! Scenario files: read to be run, written when a run failed.

use crate::{exit::Failure, home::file_failure};
use quorate_scenario::{Recorded, Scenario, Votes};
use quorate_sim::campaign::{Ending, Outcome, Plan};
use std::{fs, path::Path};

/// Reads a scenario that the simulator can run.
pub(super) fn read(path: &Path) -> Result<(Scenario, Plan), Failure> {
    let wrong = |why: String| Failure::usage(format!("{} is no scenario: {why}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| {
        Failure::environment(format!("cannot read the scenario {}: {error}", path.display()))
            .hint("check the path; docs/simulator.md describes such files, and scenarios/ has some")
    })?;
    let scenario = Scenario::parse(&text).map_err(|error| wrong(error.to_string()))?;
    let plan = Plan::of_scenario(&scenario).map_err(wrong)?;
    Ok((scenario, plan))
}

/// The same, and refuses more liars than the protocol bears, unless that is meant.
pub(crate) fn read_within(path: &Path, beyond_f: bool) -> Result<(Scenario, Plan), Failure> {
    let (scenario, plan) = read(path)?;
    if scenario.is_beyond_f() && !beyond_f {
        let (liars, n) = (scenario.liars().len(), scenario.net.replicas);
        let what = format!("{}: {liars} liars of {n} are more than the protocol bears", path.display());
        return Err(Failure::usage(what).hint("--beyond-f runs it all the same: honest ledgers may differ then"));
    }
    Ok((scenario, plan))
}

/// Writes a failed run so that it can be run again; without an outcome the code under test panicked.
pub(super) fn write(
    path: &Path,
    plan: &Plan,
    votes: Votes,
    outcome: Option<&Outcome>,
    about: &str,
) -> Result<(), Failure> {
    let name = format!("{} seed {}", plan.protocol, plan.seed);
    let violation = outcome.and_then(|outcome| outcome.violation.as_ref());
    let recorded = Recorded {
        ending: outcome.map_or(Ending::Broken, Outcome::ending).name().to_owned(),
        rule: violation.map(|violation| violation.rule.to_string()),
        trace: outcome.map(|outcome| hex::encode(outcome.trace.0)),
    };
    let scenario = Scenario { recorded: Some(recorded), ..plan.to_scenario(&name, about, votes) };
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|error| file_failure("make", parent, &error))?;
    }
    fs::write(path, scenario.to_text()).map_err(|error| file_failure("write", path, &error))
}
