//! Plans as scenario files: nothing is lost, and what is read again runs the same.

use quorate_ledger::Protocol;
use quorate_scenario::{Scenario, Votes};
use quorate_sim::campaign::{Campaign, Ending, Plan, run_plan};

fn drawn() -> impl Iterator<Item = Plan> {
    let sizes = [4, 5, 7].into_iter().cycle();
    let plan = |(protocol, (seed, replicas))| Campaign::new(protocol, replicas).plan(seed);
    Protocol::ALL
        .into_iter()
        .flat_map(move |protocol| (0..150).zip(sizes.clone()).map(move |drawn| (protocol, drawn)))
        .map(plan)
}

fn read(text: &str) -> Plan {
    Plan::of_scenario(&Scenario::parse(text).expect(text)).expect(text)
}

#[test]
fn a_drawn_plan_is_written_and_read_without_loss() {
    for plan in drawn() {
        let text = plan.to_scenario("drawn", "", Votes::Symbolic).to_text();
        assert_eq!(read(&text), plan, "{text}");
    }
}

#[test]
fn a_plan_that_was_read_leaves_the_same_trace() {
    for plan in drawn().step_by(20) {
        let again = read(&plan.to_scenario("drawn", "", Votes::Symbolic).to_text());
        let (first, second) = (run_plan(&plan), run_plan(&again));
        assert_eq!((first.trace, first.events), (second.trace, second.events), "SEED={}", plan.seed);
    }
}

fn run(text: &str) -> quorate_sim::campaign::Outcome {
    run_plan(&read(text))
}

#[test]
fn what_is_expected_and_does_not_hold_is_told_with_its_figure() {
    let outcome = run("name = \"idle\"\nlasts = \"1s\"\nexpect = [\"agree\", \"commits >= 1\", \"evidence names 2\"]");
    let held: Vec<_> = outcome.held.iter().map(|held| held.holds).collect();
    assert_eq!(held, [true, false, false]);
    assert!(outcome.held[1].figure.starts_with("0 at 1.000 s"), "{}", outcome.held[1].figure);
    let endings: Vec<_> = outcome.held.iter().map(quorate_sim::campaign::Held::ending).collect();
    assert_eq!(endings, [Ending::Pass, Ending::NoProgress, Ending::Broken]);
    assert_eq!(outcome.ending(), Ending::Broken, "the worst of them");
}

#[test]
fn a_step_waits_for_its_height_and_happens_once() {
    let story = |step: &str| {
        let outcome = run(&format!(
            "name = \"late\"\nlasts = \"6s\"\nload = [{{ every = \"50ms\", until = \"6s\" }}]\nexpect = [\"agree\"]\nstep = [{step}]"
        ));
        outcome.height
    };
    let free = story("");
    let stopped = story("{ when = \"height >= 10\", crash = [2, 3] }");
    assert!(free > 20 && (10..=16).contains(&stopped), "{free} blocks, {stopped} with two of four crashed at 10");
}

#[test]
fn a_paused_replica_misses_nothing_and_an_attack_ends() {
    let outcome = run(
        "name = \"pause\"\nlasts = \"8s\"\nnet = { timeout = \"60ms\" }\nload = [{ every = \"100ms\", until = \"8s\" }]\nexpect = [\"agree\", \"recovers\", \"evidence names 3\"]\n\
         step = [{ at = \"1s\", pause = 1 }, { at = \"3s\", resume = 1 }, { at = \"4s\", attack = { replica = 3, attack = \"equivocate\" } }, \
         { at = \"6s\", stop-attack = 3 }]",
    );
    assert_eq!(outcome.ending(), Ending::Pass, "{:?}", outcome.held);
    let until = |replica: usize| outcome.commits[replica].iter().filter(|commit| commit.at.as_secs() < 3).count();
    assert!(until(1) + 10 < until(0), "replica 1 stood still: {} commits against {}", until(1), until(0));
}

#[test]
fn an_attack_that_nobody_knows_is_refused_with_those_that_are_known() {
    let scenario = Scenario::parse("name = \"x\"\nlasts = \"1s\"\nattacker = [{ replica = 0, attack = \"nap\" }]")
        .expect("a name is a name");
    let error = Plan::of_scenario(&scenario).expect_err("nobody knows it");
    assert!(error.contains("`nap`") && error.contains("equivocate"), "{error}");
}
