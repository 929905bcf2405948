//! A failing plan is cut to a small one that fails alike and is read from its file to leave the same trace.
//!
//! Here what fails is an expectation that cannot hold.

use quorate_ledger::Protocol;
use quorate_scenario::{Comparison, Expectation, Scenario, Votes};
use quorate_sim::campaign::{Campaign, Ending, Plan, run_plan, shrink, watch_plan};

/// That more than f are down at once stops the net: no plan that crashes nobody can do that.
fn failing() -> Plan {
    let stopped = (0..).map(|seed| Campaign::new(Protocol::Hotstuff, 7).plan(seed)).map(|mut plan| {
        plan.expect = vec![
            Expectation::Agree,
            Expectation::Commits { comparison: Comparison::AtLeast, blocks: 1000, within: None },
        ];
        plan
    });
    let mut busy = stopped.filter(|plan| plan.faults.len() > 6 && plan.load.len() > 10);
    busy.next().expect("seeds do not end")
}

#[test]
fn what_is_left_is_small_fails_alike_and_replays() {
    let plan = failing();
    let first = run_plan(&plan);
    let shrunk = shrink(&plan, watch_plan, 300).expect("it fails");
    let outcome = shrunk.outcome.expect("it does not panic");
    assert!(outcome.is_like(&first) && outcome.ending() == Ending::NoProgress);
    assert_eq!(
        (shrunk.plan.faults.len(), shrunk.plan.load.len(), shrunk.plan.replicas),
        (0, 0, 4),
        "{:#?}",
        shrunk.plan
    );
    let text = shrunk.plan.to_scenario("small", "", Votes::Symbolic).to_text();
    let again = Plan::of_scenario(&Scenario::parse(&text).expect(&text)).expect(&text);
    assert_eq!(run_plan(&again).trace, outcome.trace);
}

#[test]
fn what_holds_is_not_cut() {
    let plan = Campaign::new(Protocol::Hotstuff, 4).plan(0);
    assert!(shrink(&plan, watch_plan, 10).is_none());
}

#[test]
fn one_thread_and_two_see_the_same() {
    let run = |threads| {
        let campaign = Campaign { threads, ..Campaign::new(Protocol::Pbft, 4) };
        let report = quorate_sim::campaign::campaign(&campaign, 0..24);
        (report.traces, report.events, report.blocks)
    };
    assert_eq!(run(1), run(2));
}
