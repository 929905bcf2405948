//! What is counted is what the formulas say, exactly: one message more, anywhere, and one of these fails.

use quorate_bench::complexity::{Case, Costs, Fault, Row, measure, measure_with, theory};
use quorate_crypto::Work;
use quorate_ledger::SchemeKind;
use std::cmp::Ordering;

fn case(protocol: &str, scheme: &str, n: usize, fault: Fault) -> Case {
    Case { protocol: protocol.to_owned(), scheme: scheme.to_owned(), n, fault, seed: 7, decisions: 3 }
}

fn measured(case: &Case) -> Row {
    measure(case).unwrap_or_else(|error| panic!("{case:?}: {error}"))
}

/// Messages and authenticators of one kind.
fn of_kind(row: &Row, kind: &str) -> (u64, u64) {
    let lines = row.kinds.iter().filter(|line| line.kind == kind);
    lines.fold((0, 0), |sum, line| (sum.0 + line.messages, sum.1 + line.authenticators))
}

/// The names of all kinds of messages that are part of ordering.
fn kinds(row: &Row) -> Vec<&str> {
    let mut kinds: Vec<_> =
        row.kinds.iter().filter(|line| line.phase != "dissemination").map(|line| line.kind.as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

fn work(costs: Costs) -> Work {
    Work { made: costs.signatures_made, checked: costs.signatures_checked, pairings: costs.pairings }
}

/// Messages, authenticators, certificates, signing and checking, and where they belong.
fn check(protocol: &str, scheme: &str, n: usize) {
    let row = measured(&case(protocol, scheme, n, Fault::None));
    let kind: SchemeKind = scheme.trim_start_matches("symbolic as ").parse().expect("a scheme");
    let (n, blocks) = (n as u64, row.decisions);
    let signatures = theory::signatures(kind, n);
    let (messages, authenticators, done, latency) = match protocol {
        "pbft" => (
            theory::pbft::block(n),
            theory::pbft::block_authenticators(n, signatures),
            theory::pbft::block_work(n, signatures),
            3.0,
        ),
        _ => (
            theory::hotstuff::view(n),
            theory::hotstuff::view_authenticators(n, signatures),
            theory::hotstuff::view_work(n, signatures),
            6.0,
        ),
    };
    let what = format!("{protocol}, {scheme}, n = {n}: {:?}", row.kinds);
    assert!(blocks >= 3, "{what}");
    assert_eq!(row.ordering.messages, blocks * messages, "messages: {what}");
    assert_eq!(row.theory.messages, Some(row.ordering.messages), "the row's own oracle: {what}");
    assert_eq!(row.ordering.authenticators, blocks * authenticators, "authenticators: {what}");
    assert_eq!(row.theory.authenticators, Some(row.ordering.authenticators), "the row's own oracle: {what}");
    assert_eq!(work(row.ordering), done.times(blocks), "signing and checking: {what}");
    assert_eq!(row.certificate_bytes, signatures.certificate_bytes, "certificate: {what}");
    assert_eq!(row.latency_delays, Some(latency), "latency: {what}");
    assert_eq!(row.failed_views, 0, "{what}");
}

#[test]
fn a_pbft_block_costs_2n_squared_minus_2n_messages() {
    for n in [4, 5, 7, 10, 16, 31] {
        check("pbft", "symbolic as ed25519", n);
    }
}

#[test]
fn a_hotstuff_view_costs_2n_minus_2_messages() {
    for n in [4, 5, 7, 10, 16, 31, 64, 100] {
        check("hotstuff", "symbolic as ed25519", n);
    }
}

#[test]
fn a_pbft_block_of_a_hundred_replicas_costs_19_800_messages() {
    check("pbft", "symbolic as bls-threshold", 100);
}

#[test]
fn each_scheme_costs_its_own_authenticators_and_certificates() {
    for protocol in ["pbft", "hotstuff"] {
        for kind in SchemeKind::ALL {
            check(protocol, &format!("symbolic as {kind}"), 10);
        }
    }
}

#[test]
fn real_signatures_cost_what_symbolic_ones_say() {
    for protocol in ["pbft", "hotstuff"] {
        for scheme in ["ed25519", "bls-multi", "bls-threshold"] {
            check(protocol, scheme, 4);
            let real = measured(&case(protocol, scheme, 7, Fault::None));
            let like = measured(&case(protocol, &format!("symbolic as {scheme}"), 7, Fault::None));
            assert_eq!(real.scheme, scheme);
            assert_eq!((real.ordering, real.kinds), (like.ordering, like.kinds), "{protocol}, {scheme}: bytes too");
        }
    }
}

#[test]
fn a_checkpoint_costs_n_squared_minus_n_messages() {
    for n in [4, 7, 10, 31] {
        let case = Case { decisions: 8, ..case("pbft", "symbolic as ed25519", n, Fault::None) };
        let row = measure_with(&case, 4).expect("it runs");
        // The warm-up took the first height: of the eight that follow, two are multiples of four.
        let n = n as u64;
        assert_eq!(of_kind(&row, "checkpoint"), (2 * theory::pbft::checkpoint(n), 2 * theory::pbft::checkpoint(n)));
        let blocks = row.decisions * theory::pbft::block(n);
        assert_eq!(row.ordering.messages, blocks + 2 * theory::pbft::checkpoint(n));
    }
}

#[test]
fn roles_and_outcomes_are_told_apart() {
    let row = measured(&case("pbft", "symbolic as ed25519", 4, Fault::None));
    let line = |kind: &str, role: &str| {
        let found = row.kinds.iter().find(|line| line.kind == kind && line.role == role);
        found.map(|line| (line.outcome.as_str(), line.messages))
    };
    assert_eq!(line("pre_prepare", "leader"), Some(("decided", 9)));
    assert_eq!(line("prepare", "other"), Some(("decided", 27)));
    assert_eq!(line("prepare", "leader"), None, "it came with the PRE-PREPARE");
    assert_eq!(line("commit", "leader"), Some(("decided", 9)));
    assert_eq!(line("commit", "other"), Some(("decided", 27)));
    assert_eq!(kinds(&row), ["commit", "pre_prepare", "prepare"]);
}

/// What a kind costs more than in as many decisions without a fault.
fn extra(row: &Row, kind: &str) -> u64 {
    let quiet = measured(&Case { decisions: 3, ..case(&row.protocol, &row.scheme, row.n, Fault::None) });
    of_kind(row, kind).0 - of_kind(&quiet, kind).0
}

#[test]
fn a_silent_primary_costs_one_view_change_and_the_tip_again() {
    for scheme in ["symbolic as ed25519", "symbolic as bls-multi", "symbolic as bls-threshold"] {
        for n in [4, 7, 10, 31] {
            let row = measured(&case("pbft", scheme, n, Fault::SilentLeader));
            let n = n as u64;
            let what = format!("{scheme}, n = {n}: {:?}", row.kinds);
            assert_eq!((row.decisions, row.views), (3, 2), "{what}");
            assert_eq!(of_kind(&row, "view_change").0, theory::pbft::view_changes(n, n), "{what}");
            assert_eq!(of_kind(&row, "new_view").0, theory::pbft::new_view(n), "{what}");
            assert_eq!(extra(&row, "prepare") + extra(&row, "commit"), theory::pbft::tip(n), "{what}");
            assert_eq!(row.theory.messages, Some(row.ordering.messages), "in all: {what}");
            assert_eq!(row.theory.authenticators, Some(row.ordering.authenticators), "{what}");
        }
    }
}

#[test]
fn a_silent_leader_costs_the_timeouts_of_two_views() {
    for n in [4, 7, 10, 31] {
        let row = measured(&case("hotstuff", "symbolic as ed25519", n, Fault::SilentLeader));
        let n = n as u64;
        let what = format!("n = {n}: {:?}", row.kinds);
        // Its own view, and the one before, whose votes it took with it: it alone moved on, and of its view it says nothing.
        assert_eq!(of_kind(&row, "timeout").0, 2 * theory::hotstuff::timeouts(n, n - 1), "{what}");
        let handed = row.kinds.iter().filter(|line| line.kind == "certificates" && line.phase == "view_change");
        let handed: u64 = handed.map(|line| line.messages).sum();
        assert_eq!(handed, theory::hotstuff::timeout_certificates(n, n - 1), "{what}");
        let views = row.decisions;
        assert_eq!(of_kind(&row, "proposal").0 + of_kind(&row, "vote").0, views * theory::hotstuff::view(n), "{what}");
        assert_eq!((row.views, row.failed_views), (views + 1, 1), "{what}");
    }
}

#[test]
fn every_fault_is_survived_and_costs_more() {
    for protocol in ["pbft", "hotstuff"] {
        for fault in Fault::ALL {
            let expected = match (protocol, fault) {
                (_, Fault::None) => Ordering::Equal,
                // Without f backups their messages are missing, and nothing else happens.
                ("pbft", Fault::FSilent) => Ordering::Less,
                _ => Ordering::Greater,
            };
            for n in [4, 7] {
                let row = measured(&case(protocol, "symbolic as ed25519", n, fault));
                let quiet = measured(&case(protocol, "symbolic as ed25519", n, Fault::None));
                let each = |row: &Row| row.ordering.messages as f64 / row.decisions as f64;
                assert!(row.decisions >= 3, "{protocol}, {fault}, {n}: {row:?}");
                assert_eq!(each(&row).total_cmp(&each(&quiet)), expected, "{protocol}, {fault}, {n}: {row:?}");
            }
        }
    }
}
