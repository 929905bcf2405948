//! Twins: whole families and samples of scenarios, with the replicas that ship.

use quorate_sim::{
    SymbolicHotStuff, SymbolicPbft,
    twins::{
        Breach, Family, Leading, Report, Scenarios, Search, Shape, Subject, random_family, run, search, search_listed,
    },
};

fn shape(nodes: usize, pairs: usize, parts: usize) -> Shape {
    Shape::new(nodes, pairs, parts).expect("sound")
}

fn family(shape: Shape, views: usize, leading: Leading) -> Family {
    Family::new(shape, views, leading).expect("few views")
}

fn sound(shape: Shape, report: &Report, scenarios: u64) {
    let findings: Vec<_> = report.findings.iter().map(|finding| finding.display(&shape).to_string()).collect();
    assert_eq!(findings, Vec::<String>::new());
    assert_eq!((report.scenarios, report.violations), (scenarios, 0));
}

#[test]
fn hotstuff_survives_every_scenario_of_three_views() {
    let family = family(shape(4, 1, 2), 3, Leading::Anybody);
    let report = search::<SymbolicHotStuff>(&family, &Search { jobs: 2, ..Search::default() });
    sound(*family.shape(), &report, 25_740);
    assert!(report.accusing > 15_000, "in most of them the twins contradict themselves: {report:?}");
}

#[test]
fn pbft_survives_every_scenario_of_two_views() {
    let family = family(shape(4, 1, 2), 2, Leading::Anybody);
    let report = search::<SymbolicPbft>(&family, &Search::default());
    sound(*family.shape(), &report, 510);
    assert!(report.accusing > 0 && report.committing > 0, "{report:?}");
}

fn survives_samples<P: Subject>() {
    for (shape, views) in [(shape(4, 1, 2), 6), (shape(4, 1, 3), 12), (shape(7, 2, 3), 8)] {
        let scenarios = random_family(&shape, views, 40, 7).expect("few views");
        let report = search_listed::<P>(&shape, &scenarios, &Search::default());
        sound(shape, &report, 40);
        assert!(report.accusing > 0, "{report:?}");
    }
}

#[test]
fn hotstuff_survives_longer_scenarios_three_parts_and_two_pairs() {
    survives_samples::<SymbolicHotStuff>();
}

#[test]
fn pbft_survives_longer_scenarios_three_parts_and_two_pairs() {
    survives_samples::<SymbolicPbft>();
}

/// Two pairs are more than one liar among four. Each side of the network has a quorum of names, and commits on its own.
fn fork_is_seen<P: Subject>(views: usize) {
    let sides = r#""partitions": [["0a", "1a", "2"], ["3", "0b", "1b"]]"#;
    let rounds: Vec<_> = (1..=views).map(|view| format!(r#"{{"leader": {}, {sides}}}"#, view % 2)).collect();
    let rounds = rounds.join(", ");
    let file =
        format!(r#"{{"num_nodes": 4, "num_twins": 2, "partitions": 2, "views": {views}, "scenarios": [[{rounds}]]}}"#);
    let Scenarios { shape, scenarios, .. } = Scenarios::read(file.as_bytes()).expect("a good file");
    let outcome = run::<P>(&shape, &scenarios[0]);
    assert!(outcome.breaches.iter().any(|breach| matches!(breach, Breach::Fork { .. })), "{:?}", outcome.breaches);
}

#[test]
fn with_more_twins_than_tolerated_hotstuff_forks_and_it_is_seen() {
    fork_is_seen::<SymbolicHotStuff>(6);
}

#[test]
fn with_more_twins_than_tolerated_pbft_forks_and_it_is_seen() {
    fork_is_seen::<SymbolicPbft>(3);
}

#[test]
fn what_is_found_does_not_depend_on_the_way_there() {
    let shape = shape(4, 2, 2);
    let family = family(shape, 2, Leading::RoundRobin);
    let whole = search::<SymbolicPbft>(&family, &Search::default());
    let threads = search::<SymbolicPbft>(&family, &Search { jobs: 3, ..Search::default() });
    let listed = search_listed::<SymbolicPbft>(&shape, &family.scenarios(), &Search::default());
    assert!(whole.violations > 0, "{whole:?}");
    assert_eq!((&whole, &whole), (&threads, &listed));
}

#[test]
fn a_file_says_what_was_written() {
    let shape = shape(7, 2, 3);
    let scenarios = random_family(&shape, 5, 20, 1).expect("few views");
    let written = Scenarios { shape, views: 5, scenarios };
    let mut bytes = Vec::new();
    written.write(&mut bytes).expect("a vector takes everything");
    assert_eq!(Scenarios::read(&bytes[..]).expect("just written"), written);
}

#[test]
fn a_bad_file_is_refused_with_its_place() {
    let read = |scenarios: &str, nodes: usize| {
        let start = format!(r#"{{"num_nodes": {nodes}, "num_twins": 1, "partitions": 2, "views": 1, "scenarios": "#);
        Scenarios::read(format!("{start}{scenarios}}}").as_bytes()).map_err(|error| error.to_string())
    };
    let good = r#"[[{"leader": 3, "partitions": [["0a", "2", "3"], ["0b", "1"]]}]]"#;
    assert!(read(good, 4).is_ok());
    let refused = |from: &str, to: &str| read(&good.replace(from, to), 4).expect_err("refused");
    assert_eq!(refused("3,", "4,"), "scenario 1, view 1: leader 4 of 4 replicas");
    assert_eq!(refused(r#""0a", "#, ""), "scenario 1, view 1: process 0a is in no part");
    assert_eq!(refused(r#""0a""#, r#""0a", "0a""#), "scenario 1, view 1: process 0a is there twice");
    let unknown = r#"scenario 1, view 1: no process is called "0"; there are 0a, 1, 2, 3, 0b"#;
    assert_eq!(refused(r#""0a""#, r#""0""#), unknown);
    assert_eq!(refused("]]}", "], []]}"), "scenario 1, view 1: 3 parts, of 2 at most");
    assert_eq!(refused("]]}]", "]]}, {\"leader\": 0, \"partitions\": []}]"), "scenario 1 has 2 views; the file says 1");
    assert_eq!(read(good, 0).expect_err("refused"), "a committee of no replicas");
    assert!(refused("leader", "primary").starts_with("not a file of scenarios: "));
}
