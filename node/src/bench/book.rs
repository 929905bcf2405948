//! What was sent and what became of it.
//!
//! Time counts from when a transaction was due. What is due in the window is what latencies are made of; what is reported committed in
//! the window, whenever it was due, is what the throughput is made of.

use crate::testnet::History;
use quorate_bench::load::{Latencies, Run};
use quorate_types::{Digest, Height};
use std::{
    collections::HashMap,
    ops::Range,
    time::{Duration, Instant},
};

/// One run's book.
pub(super) struct Book {
    window: Range<Instant>,
    /// Sent, and not reported committed: when each was due.
    open: HashMap<Digest, Instant>,
    lateness: Latencies,
    end_to_end: Latencies,
    consensus: Latencies,
    /// The counts, as far as they are known here.
    run: Run,
    history: History,
    /// What ends the run early.
    pub(super) fault: Option<String>,
}

impl Book {
    pub(super) fn new(window: Range<Instant>, history: History) -> Self {
        Self {
            window,
            open: HashMap::new(),
            lateness: Latencies::default(),
            end_to_end: Latencies::default(),
            consensus: Latencies::default(),
            run: Run::default(),
            history,
            fault: None,
        }
    }

    /// These are handed to the connection now.
    pub(super) fn sent(&mut self, transactions: &[(Digest, Instant)], now: Instant) {
        for (digest, due) in transactions {
            self.open.insert(*digest, *due);
            if self.window.contains(due) {
                self.run.due += 1;
                self.lateness.record(now.saturating_duration_since(*due));
            }
        }
    }

    /// A validator has these in its mempool.
    pub(super) fn accepted(&mut self, transactions: &[(Digest, Instant)]) {
        self.run.accepted += transactions.iter().filter(|(_, due)| self.window.contains(due)).count() as u64;
    }

    /// A validator did not take so many, which will be sent again.
    pub(super) fn refused(&mut self, count: usize) {
        self.run.refused += count as u64;
    }

    /// A block is reported committed, so long after it was proposed.
    pub(super) fn block(&mut self, transactions: u64, batches: u64, took: Duration, now: Instant) {
        if self.window.contains(&now) {
            self.consensus.record(took);
            self.run.blocks += 1;
            self.run.transactions += transactions;
            self.run.batches += batches;
            self.run.largest_block = self.run.largest_block.max(transactions);
        }
    }

    /// These are reported committed. Those that we did not send are somebody else's.
    pub(super) fn committed(&mut self, height: Height, digests: &[Digest], now: Instant) {
        for digest in digests {
            let Some(due) = self.open.remove(digest) else { continue };
            self.history.record(height, *digest);
            if self.window.contains(&now) {
                self.run.committed_in_window += 1;
            }
            if self.window.contains(&due) {
                self.run.committed += 1;
                self.end_to_end.record(now.saturating_duration_since(due));
            }
        }
    }

    /// The validator dropped so many reports, because we were too slow to read them.
    pub(super) fn missed(&mut self, count: u64) {
        self.run.missed_events += count;
    }

    /// Whether all that was sent is committed.
    pub(super) fn is_settled(&self) -> bool {
        self.open.is_empty()
    }

    /// Closes the book: what is not committed by now counts with its age.
    pub(super) fn close(mut self, now: Instant) -> (Run, History) {
        for due in self.open.values().filter(|due| self.window.contains(due)) {
            self.end_to_end.record(now.saturating_duration_since(*due));
        }
        let run = Run {
            seconds: (self.window.end - self.window.start).as_secs_f64(),
            lateness: self.lateness.quantiles(),
            end_to_end: self.end_to_end.quantiles(),
            consensus: self.consensus.quantiles(),
            ..self.run
        };
        (run, self.history)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_are_of_what_was_due_in_the_window_and_throughput_of_what_was_committed_in_it() {
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let digest = |byte: u8| Digest([byte; 32]);
        let mut book = Book::new(at(1000)..at(2000), History::default());
        let sent = [(digest(1), at(900)), (digest(2), at(1500)), (digest(3), at(1900)), (digest(4), at(1950))];
        book.sent(&sent, at(1951));
        book.accepted(&sent);
        book.committed(Height(1), &[digest(1), digest(2), digest(9)], at(1960));
        book.committed(Height(2), &[digest(2), digest(3)], at(2100));
        assert!(!book.is_settled());
        let (run, history) = book.close(at(4950));
        assert_eq!((run.due, run.accepted, run.committed, run.committed_in_window), (3, 3, 2, 2));
        let latency = run.end_to_end.expect("some");
        assert_eq!(latency.count, 3, "what never was committed counts, too");
        assert!((latency.p50_ms - 460.0).abs() < 1.0 && (latency.max_ms - 3000.0).abs() < 3.0, "{latency:?}");
        assert!(run.lateness.is_some_and(|late| late.count == 3 && (late.max_ms - 451.0).abs() < 1.0));
        let reports = [(Height(1), digest(1)), (Height(1), digest(2)), (Height(2), digest(3))];
        assert_eq!(history.finish(), (reports.to_vec(), 0));
    }
}
