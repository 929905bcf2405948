//! Facts in, sentences out. What is plain comes first: who does not answer, whether a quorum is left, which links are down. Only then,
//! and only if there is work and no block, which step of the protocol it is that does not happen.

use super::{
    Case, Facts, Report, Seen, StageFacts, Verdict, standstill,
    words::{and, cause, time, verb},
};
use crate::handle::Role;
use quorate_types::ReplicaId;
use std::collections::{BTreeMap, BTreeSet};

/// Blocks behind the others at which it is worth a word.
const BEHIND: u64 = 10;
/// Times the length of a view without a block that are too long.
const STUCK: u64 = 4;
/// And those at which one may ask why.
const SLOW: u64 = 2;
/// Messages thrown away longer ago than this are of no interest.
const RECENT_MS: u64 = 60_000;

/// How the committee is, and why there is no block, if there should be one.
pub fn diagnose(case: &Case) -> Report {
    let mut report = Report::new();
    absent(case, &mut report);
    strangers(case, &mut report);
    unfit(case, &mut report);
    links(case, &mut report);
    progress(case, &mut report);
    misconduct(case, &mut report);
    report
}

fn absent(case: &Case, report: &mut Report) {
    for (member, how) in case.silent() {
        report.ill("no-answer", format!("{} does not answer: {how}.", case.name(member)));
    }
    for (address, how) in &case.nameless {
        report.ill("no-answer", format!("{address} does not answer: {how}."));
    }
    let (size, quorum) = (case.names.len(), case.quorum);
    let able = able(case);
    if able.len() < quorum {
        let whoever = match able[..] {
            [] => "Nobody is left who could decide".to_owned(),
            _ => format!("No quorum is left: only {} can vote", case.list(able.iter().copied())),
        };
        let more = match quorum - able.len() {
            1 => "one".to_owned(),
            several => several.to_string(),
        };
        let what = format!("{whoever}, and it takes {quorum} of {size}. Nothing is committed until {more} more can.");
        report.ill("no-quorum", what);
    } else if case.silent().next().is_some() {
        let others = able.len();
        report.note("quorum", format!("The other {others} can go on: a quorum is {quorum} of {size}."));
    }
}

/// Those who can vote, or may be able to: who was not asked, and is connected to somebody who was.
fn able(case: &Case) -> Vec<ReplicaId> {
    let is_cut_off = |member: ReplicaId| {
        let mut all = case.facts();
        all.all(|facts| facts.disconnected.iter().any(|link| link.replica == member))
    };
    let is_able = |member: &ReplicaId| match case.seen.get(member) {
        Some(Seen::Answers(facts)) => !matches!(facts.stage, StageFacts::Silent | StageFacts::Halted),
        Some(Seen::Silent(_)) => false,
        None => !is_cut_off(*member),
    };
    case.members().filter(is_able).collect()
}

fn strangers(case: &Case, report: &mut Report) {
    let mut chains: BTreeMap<_, Vec<ReplicaId>> = BTreeMap::new();
    for facts in case.facts() {
        chains.entry(facts.genesis).or_default().push(facts.replica);
    }
    if chains.len() > 1 {
        let each = chains.iter().map(|(genesis, members)| {
            format!("{} {} {}", case.list(members.iter().copied()), verb(members.len(), "has", "have"), genesis.short())
        });
        let each: Vec<_> = each.collect();
        report.ill("other-genesis", format!("They are not of one chain: of the genesis, {}.", and(&each)));
    }
}

fn unfit(case: &Case, report: &mut Report) {
    let best = case.facts().map(|facts| facts.height.0).max().unwrap_or_default();
    for facts in case.facts() {
        let (name, height) = (case.name(facts.replica), facts.height.0);
        match facts.stage {
            StageFacts::Silent => {
                let why = "has lost its journal, and signs nothing until the others have provably moved on";
                report.ill("silent", format!("{name} {why}."));
            }
            StageFacts::Halted => {
                report.ill(
                    "halted",
                    format!("{name} has stopped: its own state is wrong, or safety is lost. Its log says which."),
                );
            }
            StageFacts::Active | StageFacts::TimedOut | StageFacts::Changing => {}
        }
        let is_syncing = facts.role == Role::Syncing;
        if height + BEHIND <= best {
            let what = format!("{name} stands at height {height}, and others at {best}");
            let more = if is_syncing { "it is catching up" } else { "it is not catching up" };
            report.ill("behind", format!("{what}: {more}."));
        } else if is_syncing {
            report.note("syncing", format!("{name} is catching up: it stands at height {height}."));
        }
    }
}

fn links(case: &Case, report: &mut Report) {
    let mut told = BTreeSet::new();
    for facts in case.facts() {
        let me = facts.replica;
        for link in facts.disconnected.iter().filter(|link| !case.is_silent(link.replica)) {
            let pair = (me.min(link.replica), me.max(link.replica));
            if !told.insert(pair) {
                continue;
            }
            let why = link.why.as_ref().map(|why| format!(": {}", cause(why))).unwrap_or_default();
            let (one, other) = (case.name(me), case.name(link.replica));
            report.ill("not-connected", format!("{one} and {other} are not connected{why}."));
        }
        for to in &facts.cut {
            let (from, to) = (case.name(me), case.name(*to));
            report.ill("cut", format!("Nothing passes from {from} to {to}: a fault in force cuts that link."));
        }
        for fault in &facts.faults {
            report.note("fault", format!("A fault is in force at {}: {fault}.", case.name(me)));
        }
    }
}

fn progress(case: &Case, report: &mut Report) {
    let height = case.facts().map(|facts| facts.height.0).max().unwrap_or_default();
    let waiting = case.facts().filter(|facts| facts.has_work).map(|facts| facts.waiting_ms.unwrap_or_default()).max();
    let Some(waiting) = waiting else {
        if case.facts().next().is_some() {
            let rest = "an idle chain commits nothing, and nothing is wrong with that";
            report.note(
                "idle",
                format!("No transactions wait: the chain rests at height {height}. It is quiet: {rest}."),
            );
        }
        return everybody(case, report);
    };
    let view_ms = case.facts().map(|facts| facts.patience_ms).max().unwrap_or_default();
    let is_stuck = able(case).len() < case.quorum || waiting > view_ms.saturating_mul(STUCK);
    if is_stuck || waiting > view_ms.saturating_mul(SLOW) {
        let waits =
            format!("There is work, and no block has come for {} (the last one has height {height}).", time(waiting));
        report.ill(if is_stuck { "stuck" } else { "slow" }, waits);
        if is_stuck {
            report.verdict = Verdict::Stuck;
        }
        return standstill::explain(case, report);
    }
    let since = case.facts().filter_map(|facts| facts.since_commit_ms).min();
    let last = since.map(|ms| format!(", the last one {} ago", time(ms))).unwrap_or_default();
    report.note("committing", format!("Blocks come: the chain has height {height}{last}."));
    everybody(case, report);
}

fn everybody(case: &Case, report: &mut Report) {
    standstill::silent_leader(case, report);
    let size = case.names.len();
    if report.verdict == Verdict::Well && case.facts().count() == size {
        report.note("well", format!("All {size} validators answer, are connected, and take part."));
    }
}

fn misconduct(case: &Case, report: &mut Report) {
    let holders = |said: fn(&Facts) -> &BTreeSet<ReplicaId>| {
        let mut by: BTreeMap<ReplicaId, Vec<ReplicaId>> = BTreeMap::new();
        for facts in case.facts() {
            for member in said(facts) {
                by.entry(*member).or_default().push(facts.replica);
            }
        }
        by
    };
    for (accused, by) in holders(|facts| &facts.accused) {
        let (who, by) = (case.name(accused), case.list(by));
        report
            .note("convicted", format!("{who} has broken the protocol: {by} can prove it (`quorate evidence list`)."));
    }
    for (liar, by) in holders(|facts| &facts.slanderers) {
        let (who, by) = (case.name(liar), case.list(by));
        report.note("slander", format!("{who} has accused somebody with proof that proves nothing, before {by}."));
    }
    for facts in case.facts() {
        let Some(rejected) = facts.rejected.as_ref().filter(|rejected| rejected.ago_ms < RECENT_MS) else { continue };
        let (name, from, ago) = (case.name(facts.replica), case.name(rejected.from), time(rejected.ago_ms));
        let what = rejected.kind.as_deref().map_or_else(|| "bytes".to_owned(), |kind| format!("a {kind}"));
        report.note("rejected", format!("{name} threw away {what} of {from}, {ago} ago: {}.", rejected.why));
    }
}
