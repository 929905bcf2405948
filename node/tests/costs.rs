//! What a real testnet spends is what the formulas say: real processes, sockets and disks.
//!
//! Counted over all validators between two moments at which nobody has anything to say, over heights without a view change; what is asked
//! and repeated when validators start comes before. A validator that lags behind a quorum skips the vote that nobody needs any more: so
//! no stretch costs more than the formula, and one in which nobody lagged costs exactly that.

mod common;

use common::{Testnet, answer};
use serde_json::Value;
use std::{collections::BTreeMap, path::Path, time::Duration};

/// What all validators together have sent, by kind, and how high they stand.
struct Spent {
    height: u64,
    messages: BTreeMap<String, u64>,
    authenticators: BTreeMap<String, u64>,
    failed: u64,
}

fn get(url: &str) -> Value {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async { reqwest::get(url).await.expect("an answer").json().await.expect("JSON") })
}

fn read(testnet: &Testnet) -> Spent {
    let nodes = testnet.ready["validators"].as_array().expect("validators");
    let mut spent = Spent { height: u64::MAX, messages: BTreeMap::new(), authenticators: BTreeMap::new(), failed: 0 };
    for node in nodes {
        let costs = get(&format!("{}/v1/costs", node["api"].as_str().expect("an address")));
        spent.height = spent.height.min(costs["height"].as_u64().expect("a height"));
        spent.failed += costs["failed_views"].as_u64().expect("a count");
        for line in costs["sent"].as_array().expect("lines") {
            let kind = line["kind"].as_str().expect("a name");
            *spent.messages.entry(kind.to_owned()).or_default() += line["messages"].as_u64().expect("a count");
            *spent.authenticators.entry(kind.to_owned()).or_default() +=
                line["authenticators"].as_u64().expect("a count");
        }
    }
    spent
}

/// As soon as nobody has said anything about an order for a while.
fn when_quiet(testnet: &Testnet) -> Spent {
    let said = |spent: &Spent| {
        ["pre_prepare", "prepare", "commit", "proposal", "vote"].map(|kind| spent.messages.get(kind).copied())
    };
    let mut before = read(testnet);
    loop {
        std::thread::sleep(Duration::from_millis(300));
        let now = read(testnet);
        if said(&now) == said(&before) {
            return now;
        }
        before = now;
    }
}

/// Blocks between two quiet moments, and what was sent of each kind.
fn difference(before: &Spent, after: &Spent) -> (u64, BTreeMap<String, (u64, u64)>) {
    let of = |counts: &BTreeMap<String, u64>, kind: &str| counts.get(kind).copied().unwrap_or_default();
    let kinds = after.messages.keys().map(|kind| {
        let messages = of(&after.messages, kind) - of(&before.messages, kind);
        (kind.clone(), (messages, of(&after.authenticators, kind) - of(&before.authenticators, kind)))
    });
    (after.height - before.height, kinds.collect())
}

fn put(home: &Path, key: &str) {
    let sent = answer(home, &["tx", "put", key, "value", "--wait"]);
    assert_eq!(sent["status"], "committed", "{sent}");
}

/// What a block costs of one kind: its name, messages and authenticators.
type Formula = (&'static str, u64, u64);

/// Stretches of a testnet's life: in each no kind costs more than its formula, and in one of them each costs just that.
fn costs_the_formula(protocol: &str, n: u64, formulas: &[Formula], never: &[&str]) {
    const STRETCHES: usize = 8;
    let dir = tempfile::tempdir().expect("temporary directory");
    let home = dir.path().join("net");
    // Views that outlast any pause of a busy machine: nobody asks twice.
    let arguments = ["--protocol", protocol, "--nodes", &n.to_string(), "--timeout", "60s"];
    let testnet = Testnet::start(&home, &arguments);
    put(&home, "first");
    let mut before = when_quiet(&testnet);
    let mut exact = 0;
    for stretch in 0..STRETCHES {
        put(&home, &format!("key {stretch}"));
        let after = when_quiet(&testnet);
        let (blocks, sent) = difference(&before, &after);
        assert!(blocks > 0, "nothing was decided: {sent:?}");
        let spent = |kind: &str| sent.get(kind).copied().unwrap_or_default();
        let (proposal, messages, authenticators) = formulas[0];
        assert_eq!(spent(proposal), (blocks * messages, blocks * authenticators), "{blocks} blocks of {n}: {sent:?}");
        for (kind, messages, _) in formulas {
            assert!(spent(kind).0 <= blocks * messages, "{kind} in {blocks} blocks of {n}: {sent:?}");
        }
        let is_exact =
            |(kind, messages, authenticators): &Formula| spent(kind) == (blocks * messages, blocks * authenticators);
        exact += usize::from(formulas.iter().all(is_exact));
        assert!(never.iter().all(|kind| spent(kind) == (0, 0)), "{sent:?}");
        before = after;
    }
    assert!(exact > 0, "nobody kept up in any of {STRETCHES} stretches");
    assert_eq!(before.failed, 0, "no view failed");
    let (end, code) = testnet.stop();
    assert_eq!((&end["result"]["verdict"], code), (&"agree".into(), Some(0)), "{end}");
}

/// `2n(n-1)` messages a block, and `(n-1)(1 + 2n)` authenticators: each vote is one signature, a PRE-PREPARE two.
fn pbft_costs_the_formula(n: u64) {
    let others = n - 1;
    let formulas = [
        ("pre_prepare", others, 2 * others),
        ("prepare", others * others, others * others),
        ("commit", n * others, n * others),
    ];
    assert_eq!(formulas.iter().map(|(_, messages, _)| messages).sum::<u64>(), 2 * n * (n - 1));
    costs_the_formula("pbft", n, &formulas, &["view_change", "new_view", "checkpoint"]);
}

/// `2(n-1)` messages a view, which is a block, and `(n-1)(q + 2)` authenticators: a proposal holds its leader's signature and a
/// quorum's.
fn hotstuff_costs_the_formula(n: u64) {
    let (others, quorum) = (n - 1, n - (n - 1) / 3);
    let formulas = [("proposal", others, others * (1 + quorum)), ("vote", others, others)];
    costs_the_formula("hotstuff", n, &formulas, &["timeout"]);
}

#[test]
fn four_validators_of_pbft_cost_the_formula() {
    pbft_costs_the_formula(4);
}

#[test]
fn seven_validators_of_pbft_cost_the_formula() {
    pbft_costs_the_formula(7);
}

#[test]
fn four_validators_of_hotstuff_cost_the_formula() {
    hotstuff_costs_the_formula(4);
}

#[test]
fn seven_validators_of_hotstuff_cost_the_formula() {
    hotstuff_costs_the_formula(7);
}
