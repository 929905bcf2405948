//! Facts in, sentences out: a row for each way in which there may be no block.

use super::*;
use crate::handle::Role;
use quorate_types::{Digest, Height, ReplicaId, View};
use std::collections::{BTreeMap, BTreeSet};

/// One of four that knows of nothing to do.
fn idle(replica: u16) -> Facts {
    Facts {
        replica: ReplicaId(replica),
        genesis: Digest([1; 32]),
        view: View(7),
        leader: Some(ReplicaId(3)),
        stage: StageFacts::Active,
        role: Role::Follower,
        height: Height(12),
        has_work: false,
        waiting_ms: None,
        since_commit_ms: Some(200),
        patience_ms: 1_000,
        transactions: 0,
        missing_batches: 0,
        proposal: None,
        tallies: Vec::new(),
        certificates: Vec::new(),
        refused: None,
        rejected: None,
        disconnected: Vec::new(),
        faults: Vec::new(),
        cut: BTreeSet::new(),
        accused: BTreeSet::new(),
        slanderers: BTreeSet::new(),
    }
}

fn waiting(replica: u16, ms: u64) -> Facts {
    Facts { has_work: true, waiting_ms: Some(ms), transactions: 5, ..idle(replica) }
}

fn ids<const N: usize>(members: [u16; N]) -> BTreeSet<ReplicaId> {
    members.map(ReplicaId).into()
}

fn block() -> Option<Digest> {
    Some(Digest([9; 32]))
}

fn votes<const N: usize>(from: [u16; N]) -> TallyFacts {
    TallyFacts {
        what: "votes".into(),
        makes: "quorum certificate".into(),
        is_complete: false,
        view: View(7),
        height: Some(Height(13)),
        block: block(),
        from: ids(from),
        collector: Some(ReplicaId(0)),
    }
}

fn timeouts<const N: usize>(from: [u16; N]) -> TallyFacts {
    let (what, makes) = ("timeouts".into(), "timeout certificate".into());
    TallyFacts { what, makes, height: None, block: None, collector: None, ..votes(from) }
}

fn proposal(voted: bool, obstacle: Option<&str>) -> Option<ProposalFacts> {
    let (view, height, block) = (View(7), Height(13), Digest([9; 32]));
    Some(ProposalFacts { view, height, block, proposer: ReplicaId(3), voted, obstacle: obstacle.map(str::to_owned) })
}

fn case(answers: impl IntoIterator<Item = Facts>, silent: &[u16]) -> Case {
    let answers = answers.into_iter().map(|facts| (facts.replica, Seen::Answers(Box::new(facts))));
    let silent = silent.iter().map(|member| (ReplicaId(*member), Seen::Silent("connection refused".into())));
    let names = (0..4).map(|index| format!("node{index}")).collect();
    Case { names, quorum: 3, seen: answers.chain(silent).collect::<BTreeMap<_, _>>(), nameless: Vec::new() }
}

/// The verdict, the kinds of findings in their order, and all sentences.
fn report(answers: impl IntoIterator<Item = Facts>, silent: &[u16]) -> (Verdict, Vec<String>, String) {
    let report = diagnose(&case(answers, silent));
    let codes = report.findings.iter().map(|finding| finding.code.clone()).collect();
    (report.verdict, codes, report.to_string())
}

#[track_caller]
fn says(text: &str, sentence: &str) {
    assert!(text.contains(sentence), "no \"{sentence}\" in:\n{text}");
}

#[test]
fn a_chain_that_rests_is_well() {
    let (verdict, codes, text) = report((0..4).map(idle), &[]);
    assert_eq!((verdict, codes), (Verdict::Well, vec!["idle".to_owned(), "well".to_owned()]));
    says(&text, "- No transactions wait: the chain rests at height 12.");
    says(&text, "- All 4 validators answer, are connected, and take part.");
}

#[test]
fn a_chain_that_moves_is_well() {
    let (verdict, codes, text) = report((0..4).map(|id| waiting(id, 150)), &[]);
    assert_eq!((verdict, codes), (Verdict::Well, vec!["committing".to_owned(), "well".to_owned()]));
    says(&text, "- Blocks come: the chain has height 12, the last one 200 ms ago.");
}

#[test]
fn one_that_is_down_is_named_and_the_others_go_on() {
    let (verdict, codes, text) = report((0..3).map(idle), &[3]);
    assert_eq!(
        (verdict, codes),
        (Verdict::Ailing, ["no-answer", "quorum", "idle", "leader"].map(String::from).to_vec())
    );
    says(&text, "! node3 does not answer: connection refused.");
    says(&text, "- The other 3 can go on: a quorum is 3 of 4.");
    says(&text, "! node3 leads view 7, and does not answer: what comes next waits until that view is given up.");
}

#[test]
fn with_f_and_one_more_down_no_quorum_is_left_and_their_votes_are_missing() {
    let facts = |id| Facts {
        stage: StageFacts::TimedOut,
        leader: Some(ReplicaId(1)),
        proposal: proposal(true, None),
        tallies: vec![votes([id]), timeouts([0, 1])],
        ..waiting(id, 9_400)
    };
    let (verdict, _, text) = report([0, 1].map(facts), &[2, 3]);
    assert_eq!(verdict, Verdict::Stuck);
    says(
        &text,
        "! No quorum is left: only node0 and node1 can vote, and it takes 3 of 4. Nothing is committed until one more can.",
    );
    says(&text, "! There is work, and no block has come for 9.4 s (the last one has height 12).");
    says(&text, "- node0 and node1 are in view 7.");
    says(&text, "- node1 leads view 7.");
    says(
        &text,
        "! Missing are the votes for height 13 in view 7 of node2 (does not answer) and node3 (does not answer). There \
         are 2 of them, of node0 and node1; a quorum certificate takes 3, and nobody holds one.",
    );
    says(&text, "! Missing are the timeouts for view 7 of node2 (does not answer) and node3 (does not answer).");
}

#[test]
fn a_leader_that_is_down_is_named() {
    let (verdict, _, text) = report((0..3).map(|id| waiting(id, 5_000)), &[3]);
    assert_eq!(verdict, Verdict::Stuck);
    says(&text, "! node3 leads view 7, and does not answer.");
    says(&text, "! Nobody has a proposal of view 7.");
    let (verdict, codes, _) = report((0..3).map(|id| waiting(id, 2_500)), &[3]);
    assert_eq!(verdict, Verdict::Ailing, "slow, but not stuck");
    assert!(codes.contains(&"slow".to_owned()) && codes.contains(&"leader".to_owned()), "{codes:?}");
    let (_, codes, _) = report((0..3).map(|id| waiting(id, 1_500)), &[3]);
    assert!(!codes.contains(&"no-proposal".to_owned()), "a view may last that long: {codes:?}");
}

#[test]
fn votes_that_went_to_one_that_is_down_are_lost_even_where_nobody_waits() {
    let to = |collector| TallyFacts { collector: Some(ReplicaId(collector)), ..votes([0, 1, 2]) };
    let facts = |id| Facts { leader: Some(ReplicaId(0)), tallies: vec![to(3)], ..idle(id) };
    let (verdict, _, text) = report((0..3).map(facts), &[3]);
    assert_eq!(verdict, Verdict::Ailing);
    says(
        &text,
        "! node3 alone is told the votes for view 7, and does not answer: what comes next waits until that view",
    );
    let facts = |id| Facts { leader: Some(ReplicaId(0)), tallies: vec![to(1)], ..idle(id) };
    assert!(!report((0..3).map(facts), &[3]).1.contains(&"collector".to_owned()));
}

#[test]
fn a_rule_that_refused_is_quoted() {
    let refused = RefusalFacts {
        view: View(6),
        height: Height(13),
        proposer: ReplicaId(2),
        why: "it extends neither the locked block nor a newer certificate".into(),
        ago_ms: 1_200,
    };
    let facts = |id| Facts { refused: (id == 1).then(|| refused.clone()), ..waiting(id, 5_000) };
    let (_, _, text) = report((0..4).map(facts), &[]);
    says(
        &text,
        "! node1 refused the block of node2 for height 13 in view 6, 1.2 s ago: it extends neither the locked block",
    );
    let old = RefusalFacts { ago_ms: 900_000, ..refused.clone() };
    let facts = |id| Facts { refused: Some(old.clone()), ..waiting(id, 5_000) };
    assert!(!report((0..4).map(facts), &[]).1.contains(&"refused".to_owned()), "long forgotten");
}

#[test]
fn whoever_cannot_vote_is_said_to_and_why() {
    let facts = [
        Facts { proposal: proposal(true, None), tallies: vec![votes([0, 3])], ..waiting(0, 5_000) },
        Facts { proposal: proposal(false, Some("has not executed it yet")), missing_batches: 2, ..waiting(1, 5_000) },
        Facts { view: View(6), ..waiting(2, 5_000) },
        Facts { proposal: proposal(true, None), ..waiting(3, 5_000) },
    ];
    let (_, _, text) = report(facts, &[]);
    says(&text, "- node0, node1 and node3 are in view 7 and node2 is in view 6.");
    says(&text, "! node1 has not executed it yet: the block of node3 for height 13 in view 7.");
    says(&text, "! node1 lacks 2 batches of transactions that it needs to execute a block.");
    says(
        &text,
        "of node1 (has not executed it yet) and node2 (is in view 6). There are 2 of them, of node0 and node3;",
    );
}

#[test]
fn enough_votes_that_nobody_has_together_are_noticed() {
    let facts = |id| Facts { proposal: proposal(true, None), tallies: vec![votes([id])], ..waiting(id, 5_000) };
    let (_, _, text) = report((1..4).map(facts), &[0]);
    let unheard = "! There are enough votes for height 13 in view 7, of node1, node2 and node3, but nobody holds the quorum certificate: they go \
                   to node0, which does not answer.";
    says(&text, unheard);
}

#[test]
fn votes_for_different_blocks_are_told_apart() {
    let other = TallyFacts { block: Some(Digest([8; 32])), ..votes([2]) };
    let facts = |id| Facts { tallies: vec![votes([0, 1]), other.clone()], ..waiting(id, 5_000) };
    let (_, _, text) = report((0..4).map(facts), &[]);
    says(
        &text,
        "! The votes for height 13 in view 7 are for different blocks: node2 for 08080808 and node0 and node1 for 09090909.",
    );
    says(&text, "! Missing are the votes for height 13 in view 7 of node3 (has no proposal).");
}

#[test]
fn what_somebody_holds_is_not_missing() {
    let prepares = TallyFacts {
        what: "PREPAREs".into(),
        makes: "prepared certificate".into(),
        is_complete: true,
        ..votes([0, 1, 2])
    };
    let commits = TallyFacts { what: "COMMITs".into(), makes: "commit certificate".into(), ..votes([0, 1]) };
    let facts = |id| Facts { tallies: vec![prepares.clone(), commits.clone()], ..waiting(id, 5_000) };
    let (_, _, text) = report((0..3).map(facts), &[3]);
    says(
        &text,
        "- node0, node1 and node2 hold the prepared certificate that the PREPAREs for height 13 in view 7 make.",
    );
    says(
        &text,
        "! Missing are the COMMITs for height 13 in view 7 of node2 (has no proposal) and node3 (does not answer).",
    );
}

#[test]
fn a_view_change_that_does_not_end_is_about_its_own_view() {
    let changes =
        TallyFacts { view: View(8), what: "VIEW-CHANGEs".into(), makes: "NEW-VIEW".into(), ..timeouts([0, 1]) };
    let old = TallyFacts { what: "PREPAREs".into(), makes: "prepared certificate".into(), ..votes([0]) };
    let facts = |id| Facts {
        view: View(8),
        stage: StageFacts::Changing,
        leader: Some(ReplicaId(0)),
        tallies: vec![old.clone(), changes.clone()],
        ..waiting(id, 9_000)
    };
    let (_, codes, text) = report([0, 1].map(facts), &[2, 3]);
    says(&text, "! Missing are the VIEW-CHANGEs for view 8 of node2 (does not answer) and node3 (does not answer).");
    assert!(!text.contains("PREPAREs") && !codes.contains(&"no-proposal".to_owned()), "{text}");
}

#[test]
fn links_that_are_down_are_named_once() {
    let unconnected =
        |to: u16| LinkFacts { replica: ReplicaId(to), why: Some("/ip4/10.0.0.2/tcp/26600: timed out".into()) };
    let facts = [
        Facts { disconnected: vec![unconnected(2), unconnected(3)], ..idle(0) },
        Facts { cut: ids([2]), faults: vec!["its links are slow".into()], ..idle(1) },
        Facts { disconnected: vec![unconnected(0)], ..idle(2) },
    ];
    let (verdict, codes, text) = report(facts, &[3]);
    assert_eq!(verdict, Verdict::Ailing);
    says(&text, "! node0 and node2 are not connected: timed out.");
    says(&text, "! Nothing passes from node1 to node2: a fault in force cuts that link.");
    says(&text, "- A fault is in force at node1: its links are slow.");
    assert_eq!(codes.iter().filter(|code| *code == "not-connected").count(), 1, "{text}");
}

#[test]
fn whoever_is_behind_or_silent_or_of_another_chain_is_named() {
    let facts = [
        Facts { height: Height(100), ..idle(0) },
        Facts { height: Height(90), role: Role::Syncing, ..idle(1) },
        Facts { height: Height(80), genesis: Digest([2; 32]), ..idle(2) },
        Facts { height: Height(99), stage: StageFacts::Silent, role: Role::Silent, ..idle(3) },
    ];
    let (verdict, _, text) = report(facts, &[]);
    assert_eq!(verdict, Verdict::Ailing);
    says(&text, "! node1 stands at height 90, and others at 100: it is catching up.");
    says(&text, "! node2 stands at height 80, and others at 100: it is not catching up.");
    says(&text, "! node3 has lost its journal, and signs nothing until the others have provably moved on.");
    says(&text, "of the genesis, node0, node1 and node3 have 01010101 and node2 has 02020202.");
    let silent = |id| Facts { stage: StageFacts::Silent, ..waiting(id, 10) };
    let (verdict, _, text) = report([waiting(0, 10), waiting(1, 10), silent(2), silent(3)], &[]);
    assert_eq!(verdict, Verdict::Stuck, "they answer, but may not vote");
    says(&text, "! No quorum is left: only node0 and node1 can vote");
}

#[test]
fn misconduct_is_told_and_is_no_illness() {
    let rejected =
        RejectionFacts { from: ReplicaId(3), kind: Some("vote".into()), why: "bad signature".into(), ago_ms: 40 };
    let facts = |id| Facts {
        accused: ids([3]),
        slanderers: if id == 1 { ids([3]) } else { ids([]) },
        rejected: (id == 2).then(|| rejected.clone()),
        ..idle(id)
    };
    let (verdict, _, text) = report((0..4).map(facts), &[]);
    assert_eq!(verdict, Verdict::Well);
    says(
        &text,
        "- node3 has broken the protocol: node0, node1, node2 and node3 can prove it (`quorate evidence list`).",
    );
    says(&text, "- node3 has accused somebody with proof that proves nothing, before node1.");
    says(&text, "- node2 threw away a vote of node3, 40 ms ago: bad signature.");
}

#[test]
fn a_node_that_is_asked_alone_says_what_it_can() {
    let names: Vec<_> = (0..4).map(|index| format!("node{index}")).collect();
    let report = diagnose(&Case::of_one(names.clone(), 3, idle(0)));
    assert_eq!(report.verdict, Verdict::Well, "{report}");
    let unconnected = |to| LinkFacts { replica: ReplicaId(to), why: None };
    let alone = Facts {
        disconnected: vec![unconnected(1), unconnected(2)],
        tallies: vec![timeouts([0, 3])],
        ..waiting(0, 9_000)
    };
    let report = diagnose(&Case::of_one(names, 3, alone));
    assert_eq!(report.verdict, Verdict::Stuck);
    let text = report.to_string();
    says(&text, "! No quorum is left: only node0 and node3 can vote, and it takes 3 of 4.");
    says(&text, "! Missing are the timeouts for view 7 of node1 (not connected) and node2 (not connected).");
}

#[test]
fn nobody_answers() {
    let (verdict, _, text) = report([], &[0, 1, 2, 3]);
    assert_eq!(verdict, Verdict::Ailing);
    says(&text, "! Nobody is left who could decide, and it takes 3 of 4. Nothing is committed until 3 more can.");
}
