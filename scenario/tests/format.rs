//! What the format reads, writes and refuses.

use quorate_scenario::{Action, DiskFault, DiskOf, Expectation, Load, Moment, Scenario, Unreadable, Who};
use quorate_types::ReplicaId;
use std::time::Duration;

const WHOLE: &str = r#"
name = "everything"
about = "each key once"
seed = "18446744073709551615"
lasts = "10s"
expect = ["agree", "recovers", "quiet", 'commits >= 10 within "10s"', "commits <= 900", "evidence names 3", "no evidence"]
attacker = [{ replica = 3, attack = "equivocate", from-view = 2, until-view = 9, against = [0, 1] }]
load = [
  { at = "1s", client = 0, replica = 1 },
  { at = "1ns", client = 4, replica = 1, also = 2 },
  { at = "2s", client = 0, replica = 1, double-spend = 0 },
  { every = "50ms", until = "5s" },
]

[net]
replicas = 5
protocol = "pbft"
scheme = "bls-multi"
application = "opaque"
timeout = "250ms"
timeout-max = "1s"
block-interval = "100ms"
max-block-batches = 3
checkpoint-interval = 2
links = { delay = "1500us", jitter = "2ms", loss = 0.1, duplicate = 0.29, reorder = 0.3333333333333333, bandwidth = 1000 }

[machine]
flush = ["1ms", "2ms"]
ledger = ["0s", "1us"]
rotate-after = 4096
sync-every = 8
snapshot-gap = 4

[[step]]
at = "1s"
crash = 2
[[step]]
at = "1s"
crash-after = { replica = 2, actions = 17 }
[[step]]
when = "height >= 20"
restart = "all"
[[step]]
when = "view >= 3"
wipe = [0, 1]
[[step]]
when = "evidence >= 1"
replace-disks = 1
[[step]]
at = "1s"
disk = { replica = 1, of = "journal", fault = "sync-fails" }
[[step]]
at = "1s"
disk = { replica = 1, of = "blocks", fault = { misdirected-sector = [1, 2] } }
[[step]]
at = "1s"
disk = { replica = 1, of = "journal", fault = { slow = "20ms" } }
[[step]]
at = "1s"
pause = 1
[[step]]
at = "2s"
resume = 1
[[step]]
at = "2s"
partition = [[0, 1], [2, 3, 4]]
[[step]]
at = "2s"
one-way = { from = 0, to = 1 }
[[step]]
at = "3s"
heal = true
[[step]]
at = "3s"
links = { delay = "1ms", cut = true }
[[step]]
at = "3s"
link = { from = 0, to = 4, is = { loss = 1.0 } }
[[step]]
at = "3s"
wan = "aws"
[[step]]
at = "3s"
skew = { replica = 4, ms = -3600000 }
[[step]]
at = "3s"
attack = { replica = 4, attack = "silent" }
[[step]]
at = "4s"
stop-attack = 4

[recorded]
ending = "diverged"
rule = "agreement"
trace = "00ff"
"#;

fn small(body: &str) -> String {
    format!("name = \"x\"\nlasts = \"1s\"\n{body}")
}

fn refused(body: &str) -> Unreadable {
    Scenario::parse(&small(body)).expect_err(body)
}

#[test]
fn whatever_is_read_is_written_and_read_the_same() {
    let scenario = Scenario::parse(WHOLE).expect("it is whole");
    let text = scenario.to_text();
    assert_eq!(Scenario::parse(&text).as_ref(), Ok(&scenario), "{text}");
    assert_eq!((scenario.seed, scenario.steps.len(), scenario.load.len()), (u64::MAX, 19, 4));
}

#[test]
fn an_action_alone_is_a_step_without_its_moment_in_json_too() {
    for step in Scenario::parse(WHOLE).expect("it is whole").steps {
        let json = serde_json::to_string(&step.action).expect("it has a JSON form");
        assert_eq!(serde_json::from_str::<Action>(&json).expect(&json), step.action, "{json}");
    }
    let slow = Action::Disk(ReplicaId(1), DiskOf::Journal, DiskFault::Slow(Duration::from_millis(20)));
    let json = r#"{"disk":{"replica":1,"of":"journal","fault":{"slow":"20ms"}}}"#;
    assert_eq!(serde_json::to_string(&slow).expect("JSON"), json);
    for nonsense in [r#"{}"#, r#"{"at":"1s","crash":1}"#, r#"{"crash":1,"heal":true}"#, r#"{"crush":1}"#] {
        assert!(serde_json::from_str::<Action>(nonsense).is_err(), "{nonsense}");
    }
}

#[test]
fn what_is_not_said_has_the_usual_value() {
    let scenario = Scenario::parse(&small("step = [{ at = \"5s\", crash = \"all\" }]")).expect("it is enough");
    assert_eq!(scenario.net.replicas, 4);
    assert_eq!(scenario.steps[0].moment, Moment::At(Duration::from_secs(5)));
    assert_eq!(scenario.steps[0].action, Action::Crash(Who::All));
    assert_eq!(scenario.load, Vec::<Load>::new());
}

#[test]
fn an_unknown_key_is_refused_with_its_line_and_those_that_are_known() {
    let error = refused("[[step]]\nat = \"1s\"\ncrush = 2").to_string();
    assert!(error.contains("line 5") && error.contains("`crush`") && error.contains("`crash`"), "{error}");
}

#[test]
fn a_step_that_makes_no_sense_is_refused_with_its_line() {
    let two = "step = [\n  { at = \"1s\", crash = 0 },\n  { at = \"1s\", crash = 0, heal = true },\n]";
    assert_eq!(refused(two).to_string(), "line 5: a step does one thing: write another step for the other");
    assert_eq!(
        refused("step = [{ crash = 4, at = \"1s\" }]").to_string(),
        "line 3: there is no replica 4: the last is 3"
    );
    assert_eq!(refused("[net]\nreplicas = 0").to_string(), "line 3: net: replicas is 1 to 100, not 0");
    assert_eq!(refused("expect = [\"evidence names 4\"]").to_string(), "line 3: there is no replica 4: the last is 3");
    for nonsense in [
        "step = [{ at = \"1s\" }]",
        "step = [{ crash = 1 }]",
        "step = [{ at = \"1s\", when = \"height >= 1\", crash = 1 }]",
        "step = [{ at = \"1s\", heal = false }]",
        "step = [{ at = \"1s\", links = { loss = 1.5 } }]",
        "step = [{ when = \"height > 1\", heal = true }]",
        "step = [{ when = \"weight >= 1\", heal = true }]",
        "load = [{ at = \"1s\", client = 9, replica = 0 }]",
        "load = [{ every = \"0s\", until = \"1s\" }]",
        "load = [{ every = \"1ns\", until = \"1s\" }]",
        "expect = [\"quiet\"]",
        "expect = [\"commits > 3\"]",
        "[net]\ntimeout = \"2s\"\ntimeout-max = \"1s\"",
        "[net]\nscheme = \"rsa\"",
        "[net]\nprotocol = \"raft\"",
    ] {
        refused(nonsense);
    }
}

#[test]
fn honest_replicas_may_be_expected_to_stop_over_more_than_f_liars_and_nothing_else() {
    let liars = "attacker = [{ replica = 0, attack = \"equivocate\" }, { replica = 3, attack = \"double-vote\" }]\n";
    let expect = |lines: &str| small(&format!("expect = [{lines}]\n"));
    let scenario =
        Scenario::parse(&(expect("\"agree\", \"stops\", \"forensics names 3\"") + liars)).expect("it is whole");
    assert!(scenario.is_beyond_f());
    for expectation in scenario.expect {
        assert_eq!(Expectation::parse(&expectation.to_string()), Ok(expectation));
    }
    assert!(Scenario::parse(&(expect("\"stops\", \"recovers\"") + liars)).is_err());
    assert!(refused("expect = [\"stops\"]").to_string().contains("more than f = 1 liars"));
}

#[test]
fn an_expectation_reads_as_it_is_written() {
    let scenario = Scenario::parse(WHOLE).expect("it is whole");
    for expectation in scenario.expect {
        assert_eq!(Expectation::parse(&expectation.to_string()), Ok(expectation));
    }
    assert_eq!(Expectation::parse("evidence names 3"), Ok(Expectation::Evidence(ReplicaId(3))));
}
