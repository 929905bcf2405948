//! A row out of what the validators of a real testnet have counted.
//!
//! They are read at quiet moments: everything that was handed in is committed, and nobody has anything to say. From one to the next is a
//! *stretch*. A validator that learns of a quorum before it has voted skips a vote that nobody needs any more, and one that lags asks
//! questions: so on a busy machine a range need not cost what the formula says, and each stretch is compared with it by itself.

use super::{
    case::Case,
    oracle,
    row::{Backend, Costs, Kinds, Real, Row, Stretches, Theory},
    theory,
};
use quorate_consensus::Phase;
use quorate_ledger::{Protocol, SchemeKind};
use std::collections::BTreeMap;

/// What all validators together have spent by a quiet moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// Of whoever is furthest.
    pub height: u64,
    /// Of whoever is furthest.
    pub view: u64,
    /// As many as the validator has seen that saw most.
    pub failed_views: u64,
    /// What was sent; any number of lines may be alike.
    pub sent: Vec<Kinds>,
    /// Signatures made.
    pub signatures_made: u64,
    /// Single signatures checked.
    pub signatures_checked: u64,
    /// Pairings evaluated.
    pub pairings: u64,
    /// Journals made durable.
    pub flushes: u64,
    /// What libp2p sent.
    pub libp2p_bytes: u64,
}

/// What came between two readings.
#[derive(Clone, Debug)]
pub struct Stretch {
    decisions: u64,
    /// Agreement, and what is asked by those who lag.
    ordering: Costs,
    /// That alone.
    asked: Costs,
    dissemination: Costs,
    theory: Theory,
}

impl Reading {
    /// Messages of ordering so far.
    pub fn said(&self) -> u64 {
        self.sum(|phase| phase != Phase::Dissemination.name()).messages
    }

    fn sum(&self, is_meant: impl Fn(&str) -> bool) -> Costs {
        let lines = self.sent.iter().filter(|line| is_meant(&line.phase));
        lines.fold(Costs::default(), |sum, line| {
            let Kinds { messages, bytes, authenticators, .. } = *line;
            sum + Costs { messages, bytes, authenticators, ..Costs::default() }
        })
    }
}

impl Stretch {
    /// Between two readings of a case's testnet.
    ///
    /// # Errors
    /// If there is no such protocol or scheme, or the numbers make no sense.
    pub fn between(case: &Case, before: &Reading, after: &Reading) -> Result<Self, String> {
        let (protocol, signing) = case.check()?;
        Ok(Self::of(case, (protocol, signing.kind()), before, after))
    }

    fn of(case: &Case, names: (Protocol, SchemeKind), before: &Reading, after: &Reading) -> Self {
        let decisions = after.height.saturating_sub(before.height);
        let sum = |is_meant: fn(&str) -> bool| less(after.sum(is_meant), before.sum(is_meant));
        let ordering = Costs {
            signatures_made: after.signatures_made.saturating_sub(before.signatures_made),
            signatures_checked: after.signatures_checked.saturating_sub(before.signatures_checked),
            pairings: after.pairings.saturating_sub(before.pairings),
            flushes: after.flushes.saturating_sub(before.flushes),
            ..sum(|phase| phase != Phase::Dissemination.name())
        };
        Self {
            decisions,
            ordering,
            asked: sum(|phase| phase == Phase::Fetch.name()),
            dissemination: sum(|phase| phase == Phase::Dissemination.name()),
            theory: oracle::theory(case, names, decisions),
        }
    }

    /// Whether it cost what the formula says, to the last message and authenticator.
    pub fn is_exact(&self) -> bool {
        let counted = (Some(self.ordering.messages), Some(self.ordering.authenticators));
        self.decisions > 0 && counted == (self.theory.messages, self.theory.authenticators)
    }

    /// Whether agreement took more than the formula says.
    pub fn is_above(&self) -> bool {
        let agreement = less(self.ordering, self.asked);
        self.theory.messages.is_some_and(|most| agreement.messages > most)
            || self.theory.authenticators.is_some_and(|most| agreement.authenticators > most)
    }
}

/// The row of a testnet that was read at these quiet moments, one transaction after the other, each of which took so many milliseconds.
///
/// # Errors
/// As [`Stretch::between`]; or if nothing was decided between the readings.
pub fn row_of_testnet(case: &Case, readings: &[Reading], commit_millis: &[f64]) -> Result<Row, String> {
    let (protocol, signing) = case.check()?;
    let scheme = signing.kind();
    let ([first, .., last], Some(commit_millis)) = (readings, median(commit_millis)) else {
        return Err("nothing was measured".to_owned());
    };
    let mut stretches = Stretches::default();
    for pair in readings.windows(2) {
        let stretch = Stretch::of(case, (protocol, scheme), &pair[0], &pair[1]);
        let (exact, above) = (u64::from(stretch.is_exact()), u64::from(stretch.is_above()));
        stretches += Stretches { of: 1, exact, above };
    }
    let Stretch { decisions, ordering, dissemination, theory, .. } = Stretch::of(case, (protocol, scheme), first, last);
    if decisions == 0 {
        return Err("nothing was decided".to_owned());
    }
    Ok(Row {
        protocol: case.protocol.clone(),
        scheme: scheme.to_string(),
        n: case.n,
        fault: case.fault,
        backend: Backend::Testnet,
        decisions,
        views: last.view.saturating_sub(first.view) + u64::from(protocol == Protocol::Pbft),
        failed_views: last.failed_views.saturating_sub(first.failed_views),
        ordering,
        dissemination,
        theory,
        kinds: kinds(first, last),
        latency_delays: None,
        // By its formula, which tests hold against encoded ones.
        certificate_bytes: theory::signatures(scheme, case.n as u64).certificate_bytes,
        cpu_micros: None,
        seed: 0,
        real: Some(Real {
            stretches,
            libp2p_bytes: last.libp2p_bytes.saturating_sub(first.libp2p_bytes),
            commit_millis,
        }),
        millis: 0,
    })
}

/// What was sent between two readings. What was open at the first and has ended since was sent before.
fn kinds(before: &Reading, after: &Reading) -> Vec<Kinds> {
    let mut lines: BTreeMap<[&str; 4], [i64; 3]> = BTreeMap::new();
    for (sign, reading) in [(1, after), (-1, before)] {
        for line in &reading.sent {
            let counts = lines.entry([&line.kind, &line.phase, &line.role, &line.outcome]).or_default();
            add(counts, [line.messages, line.bytes, line.authenticators].map(|count| sign * count as i64));
        }
    }
    let ended: Vec<_> = lines.iter().filter(|(name, counts)| name[3] == "open" && counts[0] < 0).collect();
    let ended: Vec<_> = ended.into_iter().map(|(name, counts)| (*name, *counts)).collect();
    for (name, counts) in ended {
        lines.remove(&name);
        add(lines.entry([name[0], name[1], name[2], "decided"]).or_default(), counts);
    }
    let sent = lines.into_iter().filter(|(_, counts)| counts[0] > 0);
    let kinds = sent.map(|([kind, phase, role, outcome], counts)| {
        let [messages, bytes, authenticators] = counts.map(|count| u64::try_from(count).unwrap_or_default());
        let [kind, phase, role, outcome] = [kind, phase, role, outcome].map(str::to_owned);
        Kinds { kind, phase, role, outcome, messages, bytes, authenticators }
    });
    kinds.collect()
}

fn add(counts: &mut [i64; 3], other: [i64; 3]) {
    counts.iter_mut().zip(other).for_each(|(count, other)| *count += other);
}

/// What was sent, less what was sent before.
fn less(after: Costs, before: Costs) -> Costs {
    Costs {
        messages: after.messages.saturating_sub(before.messages),
        bytes: after.bytes.saturating_sub(before.bytes),
        authenticators: after.authenticators.saturating_sub(before.authenticators),
        ..Costs::default()
    }
}

fn median(values: &[f64]) -> Option<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::complexity::Fault;

    fn case() -> Case {
        let [protocol, scheme] = ["pbft", "ed25519"].map(str::to_owned);
        Case { protocol, scheme, n: 4, fault: Fault::None, seed: 0, decisions: 1 }
    }

    /// So many messages of a kind, with an authenticator each.
    fn line(kind: &str, phase: &str, outcome: &str, messages: u64) -> Kinds {
        let [kind, phase, outcome] = [kind, phase, outcome].map(str::to_owned);
        Kinds {
            kind,
            phase,
            role: "other".to_owned(),
            outcome,
            messages,
            bytes: 100 * messages,
            authenticators: messages,
        }
    }

    /// So many blocks of four, and votes that were skipped or too many.
    fn reading(height: u64, off: i64) -> Reading {
        let commits = (12 * height).saturating_add_signed(off);
        // A PRE-PREPARE holds two.
        let proposals = Kinds { authenticators: 6 * height, ..line("pre_prepare", "propose", "decided", 3 * height) };
        let votes = line("prepare", "vote", "decided", 9 * height);
        let sent = vec![proposals, votes, line("commit", "commit", "decided", commits)];
        Reading { height, sent, libp2p_bytes: 3_000 * height, ..Reading::default() }
    }

    #[test]
    fn stretches_are_compared_one_by_one_and_the_row_is_all_of_them() {
        // A vote is skipped in the second, and there is one too many in the fourth.
        let readings = [reading(1, 0), reading(2, 0), reading(3, -1), reading(5, -1), reading(6, 0)];
        let row = row_of_testnet(&case(), &readings, &[5.0, 9.0, 1.0, 7.0]).expect("a row");
        let real = row.real.expect("of a testnet");
        assert_eq!(real.stretches, Stretches { of: 4, exact: 2, above: 1 });
        assert_eq!((row.decisions, row.ordering.messages, row.theory.messages), (5, 120, Some(120)));
        assert_eq!((row.ordering.authenticators, row.theory.authenticators), (135, Some(135)));
        assert_eq!((real.libp2p_bytes, real.commit_millis, row.backend), (15_000, 7.0, Backend::Testnet));
        assert!(row_of_testnet(&case(), &readings[..1], &[]).is_err() && row_of_testnet(&case(), &[], &[1.0]).is_err());
    }

    #[test]
    fn questions_of_those_who_lag_are_counted_and_are_no_part_of_agreement() {
        let mut after = reading(2, 0);
        after.sent.extend([line("ask_block", "fetch", "none", 1), line("batch", "dissemination", "none", 3)]);
        let stretch = Stretch::between(&case(), &reading(1, 0), &after).expect("a case");
        assert!(!stretch.is_exact() && !stretch.is_above());
        assert_eq!((stretch.ordering.messages, stretch.dissemination.messages), (25, 3));
        let none = Stretch::between(&case(), &after, &after).expect("a case");
        assert!(!none.is_exact() && !none.is_above(), "nothing was decided");
    }

    #[test]
    fn what_was_open_at_the_beginning_was_sent_before() {
        let reading = |decided, open| Reading {
            sent: vec![line("vote", "vote", "decided", decided), line("vote", "vote", "open", open)],
            ..Reading::default()
        };
        let sent = kinds(&reading(30, 6), &reading(42, 3));
        assert_eq!(
            sent.iter().map(|line| (line.outcome.as_str(), line.messages)).collect::<Vec<_>>(),
            [("decided", 9)]
        );
    }
}
