//! Everything that happened in a run, for people: each message with its content, and what became of each replica.
//!
//! Kept only where somebody asks for it ([`Builder::tell`](crate::Builder::tell)): it costs more than the run. The trace's hash knows
//! nothing of it, so a run that is told is the run that is not.

mod contents;
mod page;

pub use page::Heading;

use crate::trace::What;
use contents::Contents;
use quorate_consensus::ReplicaStatus;
use quorate_types::{ReplicaId, View};
use serde::Serialize;
use std::{fmt::Debug, time::Duration};

/// Messages kept, so that a browser can show them.
const MESSAGES: usize = 200_000;
/// Marks kept.
const MARKS: usize = 100_000;

/// In whole microseconds.
type Micros = u64;

/// What became of a message that never arrived.
const LOST: i64 = -1;
const REFUSED: i64 = -2;

/// From, to, kind, sent, arrived, length, content.
type Message = (u16, u16, usize, Micros, i64, usize, Option<usize>);

/// What happened in a run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Story {
    replicas: usize,
    kinds: Vec<&'static str>,
    messages: Vec<Message>,
    marks: Vec<Mark>,
    contents: Contents,
    /// Whether everything was kept.
    complete: bool,
    #[serde(skip)]
    known: Vec<Known>,
}

/// Something that happened at a replica, or to the whole network. Written as a list: replica or -1, when, sort, in words, in a word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Mark(i32, Micros, Sort, String, String);

/// What a mark is about: how the page draws it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Sort {
    Commit,
    Certificate,
    View,
    Timeout,
    Submit,
    Accuse,
    Life,
    Lie,
    Net,
}

/// Where a replica was seen last.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    view: View,
    high_qc: View,
    is_lying: bool,
    /// View and height of the last COMMIT that it sent: it holds a prepared certificate for that.
    prepared: (u64, u64),
}

fn micros(at: Duration) -> Micros {
    u64::try_from(at.as_micros()).unwrap_or(u64::MAX)
}

impl Story {
    pub(crate) fn new(replicas: usize) -> Self {
        Self { replicas, complete: true, known: vec![Known::default(); replicas], ..Self::default() }
    }

    fn kind(&mut self, kind: &'static str) -> usize {
        self.kinds.iter().position(|known| *known == kind).unwrap_or_else(|| {
            self.kinds.push(kind);
            self.kinds.len() - 1
        })
    }

    /// Keeps what a message says, or the beginning of it; `None`: there is no more room.
    pub(crate) fn keep(&mut self, content: &impl Debug) -> Option<usize> {
        let kept = self.contents.keep(content);
        self.complete &= kept.is_some();
        kept
    }

    /// A message goes on its way, and arrives at these moments: none, one or several.
    pub(crate) fn sent(
        &mut self,
        (from, to): (ReplicaId, ReplicaId),
        (kind, length, content): (&'static str, usize, Option<usize>),
        at: Duration,
        arrivals: impl Iterator<Item = Duration>,
    ) {
        let arrived: Vec<_> = arrivals.map(|at| i64::try_from(micros(at)).unwrap_or(i64::MAX)).collect();
        let ends = if arrived.is_empty() { vec![LOST] } else { arrived };
        let kind = self.kind(kind);
        for end in ends {
            self.message((from.0, to.0, kind, micros(at), end, length, content));
        }
    }

    /// A message that whoever receives it throws away, because it does not verify.
    pub(crate) fn refused(
        &mut self,
        (from, to): (ReplicaId, ReplicaId),
        (kind, length, content): (&'static str, usize, Option<usize>),
        at: Duration,
    ) {
        let kind = self.kind(kind);
        self.message((from.0, to.0, kind, micros(at), REFUSED, length, content));
    }

    fn message(&mut self, message: Message) {
        if self.messages.len() < MESSAGES {
            self.messages.push(message);
        } else {
            self.complete = false;
        }
    }

    pub(crate) fn mark(&mut self, who: Option<ReplicaId>, at: Duration, sort: Sort, text: String, label: String) {
        if self.marks.len() < MARKS {
            self.marks.push(Mark(who.map_or(-1, |who| i32::from(who.0)), micros(at), sort, text, label));
        } else {
            self.complete = false;
        }
    }

    /// What the trace is told as well.
    pub(crate) fn happened(&mut self, at: Duration, what: &What) {
        match what {
            What::TimedOut { who, timer } => {
                self.mark(Some(*who), at, Sort::Timeout, format!("timer {timer:?}"), String::new());
            }
            What::Committed { who, height, block } => {
                let text = format!("commits height {height}, block {}", block);
                self.mark(Some(*who), at, Sort::Commit, text, height.to_string());
            }
            What::Turn { who, turn, more } => {
                let text = format!("{} {more}", turn.name());
                self.mark(Some(*who), at, Sort::Life, text, turn.name().to_owned());
            }
            What::Note(note) => self.mark(None, at, Sort::Net, note.clone(), note.clone()),
            What::Arrived { .. } | What::Released { .. } | What::Worked { .. } => {}
        }
    }

    /// Where a replica stands now: what of it is new is marked.
    pub(crate) fn stands(&mut self, who: ReplicaId, at: Duration, status: &ReplicaStatus, is_lying: bool) {
        let known = &mut self.known[who.index()];
        let before = *known;
        *known = Known { view: status.view, high_qc: status.high_qc, is_lying, ..before };
        if status.view != before.view {
            let leader = status.leader.map(|leader| format!(", led by replica {}", leader.0)).unwrap_or_default();
            self.mark(
                Some(who),
                at,
                Sort::View,
                format!("enters view {}{leader}", status.view.0),
                format!("v{}", status.view.0),
            );
        }
        if status.high_qc > before.high_qc {
            let view = status.high_qc.0;
            self.mark(
                Some(who),
                at,
                Sort::Certificate,
                format!("knows a certificate of view {view}"),
                format!("c{view}"),
            );
        }
        if is_lying != before.is_lying {
            let turn = if is_lying { "lies" } else { "is honest again" };
            self.mark(Some(who), at, Sort::Lie, turn.to_owned(), turn.to_owned());
        }
    }

    /// A replica says that it has prepared something: it holds a quorum of prepares.
    pub(crate) fn prepared(&mut self, who: ReplicaId, at: Duration, view: u64, height: u64) {
        let known = &mut self.known[who.index()];
        if (view, height) > known.prepared {
            known.prepared = (view, height);
            let text = format!("has prepared height {height} in view {view}");
            self.mark(Some(who), at, Sort::Certificate, text, format!("p{height}"));
        }
    }
}
