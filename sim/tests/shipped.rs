//! The scenarios that ship: each holds what it expects, under both protocols where it names neither's attack, and twice the same. And
//! `found/`: runs of campaigns that once failed, cut to small ones.

use quorate_ledger::Protocol;
use quorate_scenario::{Expectation, Scenario};
use quorate_sim::campaign::{Ending, Outcome, Plan, run_plan};
use std::{fs, path::Path};

fn shipped() -> Vec<Scenario> {
    all_in("../scenarios")
}

/// Files, not folders.
fn all_in(folder: &str) -> Vec<Scenario> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(folder).expect("it is in the repository").map(|entry| entry.expect("readable").path());
    let mut paths: Vec<_> = entries.filter(|path| path.is_file()).collect();
    paths.sort();
    let read = |path: &Path| fs::read_to_string(path).expect("readable");
    paths
        .iter()
        .map(|path| Scenario::parse(&read(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
        .collect()
}

fn run(scenario: &Scenario) -> Outcome {
    run_plan(&Plan::of_scenario(scenario).unwrap_or_else(|error| panic!("{}: {error}", scenario.name)))
}

#[test]
fn each_holds_what_it_expects_and_does_so_twice() {
    let all = shipped();
    assert!(all.len() >= 6, "only {} are there", all.len());
    for scenario in all {
        let (first, second) = (run(&scenario), run(&scenario));
        assert_eq!(first.ending(), Ending::Pass, "{}: {:#?}\n{}", scenario.name, first.held, first.details);
        assert_eq!(first.trace, second.trace, "{}", scenario.name);
    }
}

#[test]
fn more_than_f_liars_fork_the_honest_who_notice_stop_and_convict_them_all() {
    let all = all_in("../scenarios/beyond-f");
    assert!(!all.is_empty());
    for scenario in all {
        assert!(scenario.is_beyond_f(), "{}", scenario.name);
        let outcome = run(&scenario);
        assert_eq!(outcome.ending(), Ending::Diverged, "{}", scenario.name);
        let convicted = scenario.liars().into_iter().map(Expectation::Convicts);
        for expected in [Expectation::Stops].into_iter().chain(convicted) {
            assert!(scenario.expect.contains(&expected), "{}: {expected}", scenario.name);
        }
        for held in &outcome.held {
            let holds = held.expectation != Expectation::Agree;
            assert_eq!(held.holds, holds, "{}: {held:?}\n{}", scenario.name, outcome.details);
        }
    }
}

#[test]
fn those_without_liars_hold_under_both_protocols() {
    for mut scenario in shipped().into_iter().filter(|scenario| scenario.attackers.is_empty()) {
        for protocol in Protocol::ALL {
            scenario.net.protocol = protocol;
            scenario.net.election = quorate_ledger::Election::usual(protocol);
            let outcome = run(&scenario);
            assert_eq!(outcome.ending(), Ending::Pass, "{} under {protocol}: {:#?}", scenario.name, outcome.held);
        }
    }
}

#[test]
fn what_was_found_stays_mended() {
    for scenario in all_in("tests/found") {
        let outcome = run(&scenario);
        assert_eq!(outcome.ending(), Ending::Pass, "{}: {:#?}\n{}", scenario.name, outcome.held, outcome.details);
    }
}
