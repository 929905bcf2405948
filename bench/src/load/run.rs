//! What one run at one rate showed.

use super::Quantiles;
use serde::{Deserialize, Serialize};

/// One run: what was due in its window, which begins when the warm-up is over, and what became of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Transactions a second that were due.
    pub rate: u32,
    /// Length of the window.
    pub seconds: f64,
    /// Transactions due in the window.
    pub due: u64,
    /// Of them, how many a validator had taken into its mempool.
    pub accepted: u64,
    /// Of those, how many were reported committed, in the window or while the rest was waited for.
    pub committed: u64,
    /// Transactions reported committed in the window, whenever they were due: what the throughput is made of.
    pub committed_in_window: u64,
    /// Answers that refused a transaction, which was then sent again.
    pub refused: u64,
    /// How long after they were due transactions were handed to the connection.
    pub lateness: Option<Quantiles>,
    /// From due to reported committed. What never was counts with its age at the end.
    pub end_to_end: Option<Quantiles>,
    /// From the proposer's time in a block's header (whole milliseconds) to its commit being reported.
    pub consensus: Option<Quantiles>,
    /// Blocks committed in the window.
    pub blocks: u64,
    /// Transactions of the largest of them.
    pub largest_block: u64,
    /// Batches in all of them.
    pub batches: u64,
    /// Transactions in all of them.
    pub transactions: u64,
    /// Reports that the validator dropped because the client was too slow to read them.
    pub missed_events: u64,
    /// What the validators used in the window, in the order of the committee.
    pub nodes: Vec<NodeUse>,
    /// CPU seconds of the client in the window.
    pub client_cpu_seconds: f64,
    /// What comparing the ledgers showed.
    pub ledgers: Ledgers,
    /// Transactions that were reported committed and that some ledger does not hold there.
    pub lost: u64,
}

/// What one validator's process used.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeUse {
    /// Its name.
    pub name: String,
    /// CPU seconds in the window, if it runs on this machine.
    pub cpu_seconds: Option<f64>,
    /// Percent of a processor that it used before the load began.
    pub idle_percent: Option<f64>,
    /// Resident bytes at the end of the window.
    pub rss_bytes: Option<u64>,
    /// Flushes of its journal in the window.
    pub flushes: u64,
    /// Views entered because the one before had failed, in the window.
    pub view_changes: u64,
}

/// What comparing the ledgers showed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Ledgers {
    /// Nobody has compared them.
    #[default]
    NotCompared,
    /// They are the same up to this height.
    Agree {
        /// The least of their heights.
        height: u64,
    },
    /// They are not. Nothing is worse.
    Differ {
        /// How, in words.
        how: String,
    },
    /// Some could not be read.
    Unread {
        /// Which, in words.
        why: String,
    },
}

impl Run {
    /// Transactions a second.
    pub fn committed_per_second(&self) -> f64 {
        per(self.committed_in_window as f64, self.seconds)
    }

    /// Millions of payload bytes a second.
    pub fn megabytes_per_second(&self, payload_bytes: usize) -> f64 {
        self.committed_per_second() * payload_bytes as f64 / 1e6
    }

    /// Blocks a second.
    pub fn blocks_per_second(&self) -> f64 {
        per(self.blocks as f64, self.seconds)
    }

    /// Transactions in a block, on average.
    pub fn transactions_per_block(&self) -> f64 {
        per(self.transactions as f64, self.blocks as f64)
    }

    /// Batches in a block, on average.
    pub fn batches_per_block(&self) -> f64 {
        per(self.batches as f64, self.blocks as f64)
    }

    /// CPU seconds of all validators for 1,000 transactions, if all run on this machine.
    pub fn cpu_per_thousand(&self) -> Option<f64> {
        let all: Option<f64> = self.nodes.iter().map(|node| node.cpu_seconds).sum();
        all.filter(|_| !self.nodes.is_empty()).map(|all| per(all * 1000.0, self.committed_in_window as f64))
    }

    /// CPU seconds of the client for 1,000 transactions.
    pub fn client_cpu_per_thousand(&self) -> f64 {
        per(self.client_cpu_seconds * 1000.0, self.committed_in_window as f64)
    }

    /// Percent of a processor that each validator used, on average, if all run on this machine.
    pub fn loaded_percent(&self) -> Option<f64> {
        let all: Option<f64> = self.nodes.iter().map(|node| node.cpu_seconds).sum();
        all.filter(|_| !self.nodes.is_empty()).map(|all| per(all * 100.0, self.seconds * self.nodes.len() as f64))
    }

    /// Percent of a processor that each used before the load, on average, if that was measured.
    pub fn idle_percent(&self) -> Option<f64> {
        let all: Option<f64> = self.nodes.iter().map(|node| node.idle_percent).sum();
        all.filter(|_| !self.nodes.is_empty()).map(|all| all / self.nodes.len() as f64)
    }

    /// Flushes of its journal that a validator made for a block, on average.
    pub fn flushes_per_block(&self) -> f64 {
        let all: u64 = self.nodes.iter().map(|node| node.flushes).sum();
        per(per(all as f64, self.nodes.len() as f64), self.blocks as f64)
    }

    /// Views that failed, as the validator that saw most of them counts.
    pub fn view_changes(&self) -> u64 {
        self.nodes.iter().map(|node| node.view_changes).max().unwrap_or(0)
    }

    /// The least and the greatest resident size, in MiB, of those known.
    pub fn rss_mib(&self) -> Option<(f64, f64)> {
        let known = || self.nodes.iter().filter_map(|node| node.rss_bytes);
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        known().min().zip(known().max()).map(|(least, greatest)| (mib(least), mib(greatest)))
    }
}

/// A quotient; of nothing, nothing.
fn per(what: f64, of: f64) -> f64 {
    if of > 0.0 { what / of } else { 0.0 }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A run to which nothing can be objected.
    pub(in super::super) fn good() -> Run {
        let all =
            |ms: f64| Some(Quantiles { count: 10_000, p50_ms: ms, p90_ms: ms, p99_ms: ms * 2.0, max_ms: ms * 3.0 });
        let node = |index: usize| NodeUse {
            name: format!("node{index}"),
            cpu_seconds: Some(2.0),
            idle_percent: Some(0.5),
            rss_bytes: Some((40 + index as u64) << 20),
            flushes: 4000,
            view_changes: 0,
        };
        Run {
            rate: 1000,
            seconds: 10.0,
            due: 10_000,
            accepted: 10_000,
            committed: 10_000,
            committed_in_window: 9_990,
            lateness: all(1.0),
            end_to_end: all(12.0),
            consensus: all(8.0),
            blocks: 2000,
            largest_block: 31,
            batches: 7000,
            transactions: 9_990,
            nodes: (0..4).map(node).collect(),
            client_cpu_seconds: 1.0,
            ledgers: Ledgers::Agree { height: 2400 },
            ..Run::default()
        }
    }

    #[test]
    fn averages_are_over_what_they_say() {
        let run = good();
        let near = |found: f64, expected: f64| (found - expected).abs() < 1e-9;
        assert!(near(run.committed_per_second(), 999.0));
        assert!(near(run.megabytes_per_second(512), 0.511488));
        assert!(near(run.blocks_per_second(), 200.0) && near(run.batches_per_block(), 3.5));
        assert!(run.cpu_per_thousand().is_some_and(|cpu| near(cpu, 8000.0 / 9990.0)));
        assert!(run.loaded_percent().is_some_and(|percent| near(percent, 20.0)));
        assert!(near(run.flushes_per_block(), 2.0));
        assert_eq!(run.rss_mib(), Some((40.0, 43.0)));
    }

    #[test]
    fn what_is_not_known_of_one_validator_is_not_known_of_all() {
        let mut run = good();
        run.nodes[2].cpu_seconds = None;
        assert_eq!((run.cpu_per_thousand(), run.loaded_percent()), (None, None));
        assert_eq!(Run::default().cpu_per_thousand(), None);
        assert!(Run::default().committed_per_second().abs() < 1e-9);
    }
}
