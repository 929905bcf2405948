//! What happened: a running digest of everything, and the last part of it in words.

use quorate_types::{Digest, Domain, ReplicaId};
use std::{collections::VecDeque, fmt, time::Duration};

/// Lines kept for a failure report.
const KEPT: usize = 400;
/// Bytes hashed at a time.
const CHUNK: usize = 8 * 1024;

/// One thing that happened.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) at: Duration,
    pub(crate) what: What,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    Arrived { from: ReplicaId, to: ReplicaId, kind: &'static str, length: usize },
    TimedOut { who: ReplicaId, timer: quorate_validator::CoreTimer },
    Released { who: ReplicaId, actions: usize },
    Worked { who: ReplicaId, work: &'static str },
    Committed { who: ReplicaId, height: u64, block: Digest },
    Turn { who: ReplicaId, turn: Turn, more: String },
    Note(String),
}

/// A turn in a replica's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    Starts,
    CannotStart,
    Crashes,
    Ends,
    LosesDisks,
    DiskFails,
    StandsStill,
    GoesOn,
}

impl Turn {
    /// As people and the page of a story know it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Starts => "starts",
            Self::CannotStart => "cannot start",
            Self::Crashes => "crashes",
            Self::Ends => "ends by itself",
            Self::LosesDisks => "loses its disks",
            Self::DiskFails => "disk",
            Self::StandsStill => "stands still",
            Self::GoesOn => "goes on",
        }
    }
}

/// The trace of a run.
#[derive(Debug)]
pub(crate) struct Trace {
    digest: Digest,
    pending: Vec<u8>,
    last: VecDeque<Line>,
    lines: u64,
}

impl Trace {
    pub(crate) fn new() -> Self {
        Self { digest: Digest::ZERO, pending: Vec::with_capacity(CHUNK + 256), last: VecDeque::new(), lines: 0 }
    }

    pub(crate) fn add(&mut self, at: Duration, what: What) {
        self.lines += 1;
        let nanos = u64::try_from(at.as_nanos()).unwrap_or(u64::MAX);
        self.pending.extend_from_slice(&nanos.to_le_bytes());
        what.hash_into(&mut self.pending);
        if self.pending.len() >= CHUNK {
            self.fold();
        }
        if self.last.len() == KEPT {
            self.last.pop_front();
        }
        self.last.push_back(Line { at, what });
    }

    fn fold(&mut self) {
        let bytes = [self.digest.0.as_slice(), &self.pending].concat();
        self.digest = Digest::of_bytes(Domain::TRACE, &bytes);
        self.pending.clear();
    }

    /// Two runs with the same digest did the same.
    pub(crate) fn digest(&mut self) -> Digest {
        if !self.pending.is_empty() {
            self.fold();
        }
        self.digest
    }

    pub(crate) fn len(&self) -> u64 {
        self.lines
    }

    /// The last `count` lines in words.
    pub(crate) fn tail(&self, count: usize) -> String {
        let skip = self.last.len().saturating_sub(count);
        self.last.iter().skip(skip).map(|line| format!("{line}\n")).collect()
    }
}

impl What {
    fn hash_into(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Arrived { from, to, kind, length } => {
                bytes.push(1);
                bytes.extend_from_slice(&[from.0.to_le_bytes(), to.0.to_le_bytes()].concat());
                bytes.extend_from_slice(kind.as_bytes());
                bytes.extend_from_slice(&length.to_le_bytes());
            }
            Self::TimedOut { who, timer } => {
                bytes.push(2);
                bytes.extend_from_slice(&who.0.to_le_bytes());
                bytes.extend_from_slice(format!("{timer:?}").as_bytes());
            }
            Self::Released { who, actions } => {
                bytes.push(3);
                bytes.extend_from_slice(&who.0.to_le_bytes());
                bytes.extend_from_slice(&actions.to_le_bytes());
            }
            Self::Worked { who, work } => {
                bytes.push(4);
                bytes.extend_from_slice(&who.0.to_le_bytes());
                bytes.extend_from_slice(work.as_bytes());
            }
            Self::Committed { who, height, block } => {
                bytes.push(5);
                bytes.extend_from_slice(&who.0.to_le_bytes());
                bytes.extend_from_slice(&height.to_le_bytes());
                bytes.extend_from_slice(&block.0);
            }
            Self::Turn { who, turn, more } => {
                bytes.push(7);
                bytes.extend_from_slice(&who.0.to_le_bytes());
                bytes.extend_from_slice(turn.name().as_bytes());
                bytes.extend_from_slice(more.as_bytes());
            }
            Self::Note(note) => {
                bytes.push(6);
                bytes.extend_from_slice(note.as_bytes());
            }
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>10.3} ms  ", self.at.as_secs_f64() * 1000.0)?;
        match &self.what {
            What::Arrived { from, to, kind, length } => write!(f, "{} -> {} {kind} ({length} B)", from.0, to.0),
            What::TimedOut { who, timer } => write!(f, "{}      timer {timer:?}", who.0),
            What::Released { who, actions } => write!(f, "{}      flushed, {actions} actions", who.0),
            What::Worked { who, work } => write!(f, "{}      ledger {work}", who.0),
            What::Committed { who, height, block } => {
                write!(f, "{}      committed height {height} {}", who.0, block.short())
            }
            What::Turn { who, turn, more } if more.is_empty() => write!(f, "{}      {}", who.0, turn.name()),
            What::Turn { who, turn, more } => write!(f, "{}      {}: {more}", who.0, turn.name()),
            What::Note(note) => write!(f, "       {note}"),
        }
    }
}
