//! An open loop of signed client transactions.
//!
//! Transactions are due at fixed times, whatever became of those before; a latency runs from the time a transaction was
//! *due* until a node reports it committed, so that a stall counts for everything it delays. An account has one
//! transaction under way at a time (nonces have no gaps) and there are many accounts; a transaction whose node does not
//! answer goes, unchanged, to the next node.

mod history;
mod latency;
mod sender;

pub(crate) use history::History;
pub(crate) use latency::Latencies;

use super::{accounts, manifest::Manifest};
use crate::{client::Api, exit::Failure};
use quorate_crypto::ClientSecret;
use quorate_types::ChainId;
use sender::{Sender, Target};
use serde::Serialize;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::{sync::mpsc, task::JoinSet};
use tokio_util::sync::CancellationToken;

/// Accounts under way at most: with fewer than the rate times the latency, the loop would not be open.
const MAX_ACCOUNTS: u32 = 4096;
const MIN_ACCOUNTS: u32 = 16;
/// How long transactions under way may take when the load ends.
const DRAIN: Duration = Duration::from_secs(10);

/// A load under way.
pub(crate) struct Load {
    tally: Arc<Mutex<Tally>>,
    history: Arc<Mutex<History>>,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
    rate: u32,
    start: Instant,
}

/// What became of the transactions so far.
#[derive(Clone, Default)]
pub(crate) struct Tally {
    pub(crate) submitted: u64,
    pub(crate) failed: u64,
    pub(crate) retried: u64,
    pub(crate) last_error: Option<String>,
    pub(crate) latencies: Latencies,
    pub(crate) elapsed: Duration,
    /// When a transaction was last reported committed, after the start; and the longest time without such a report.
    pub(crate) last: Duration,
    pub(crate) gap: Duration,
}

/// The tally for printing.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Summary {
    /// Transactions a second asked for.
    pub(crate) asked_per_second: u32,
    /// Transactions a second committed, over the whole time.
    pub(crate) committed_per_second: f64,
    pub(crate) submitted: u64,
    pub(crate) committed: u64,
    /// Given up or refused.
    pub(crate) failed: u64,
    /// Sent again to another node.
    pub(crate) retried: u64,
    /// From due to committed.
    pub(crate) p50_ms: Option<f64>,
    pub(crate) p99_ms: Option<f64>,
    pub(crate) max_ms: Option<f64>,
    /// The longest time in which nothing was reported committed.
    pub(crate) longest_gap_ms: f64,
    pub(crate) last_error: Option<String>,
}

impl Load {
    /// Begins to send `rate` transactions a second.
    pub(crate) fn start(
        manifest: &Manifest,
        chain: ChainId,
        development: &ClientSecret,
        rate: u32,
    ) -> Result<Self, Failure> {
        let apis = manifest.nodes.iter().map(|node| Api::new(&node.api.to_string())).collect::<Result<Vec<_>, _>>()?;
        let (tally, stop) = (Arc::<Mutex<Tally>>::default(), CancellationToken::new());
        let history = Arc::<Mutex<History>>::default();
        let target = Arc::new(Target { apis, chain, app: manifest.app.clone(), stop: stop.clone() });
        let accounts = rate.saturating_mul(2).clamp(MIN_ACCOUNTS, MAX_ACCOUNTS);
        let senders = (0..accounts)
            .map(|index| Sender::new(index, accounts::derived(development, index), Arc::clone(&target)))
            .collect();
        let start = Instant::now();
        let task = tokio::spawn(run(senders, (rate, start), (Arc::clone(&tally), Arc::clone(&history)), stop.clone()));
        Ok(Self { tally, history, stop, task, rate, start })
    }

    /// The numbers as of now.
    pub(crate) fn summary(&self) -> Summary {
        lock(&self.tally).summary(self.rate, self.start.elapsed())
    }

    /// Sends nothing new, waits a while for what is under way, and gives the final numbers, and what was reported
    /// committed.
    pub(crate) async fn finish(self) -> (Summary, History) {
        self.stop.cancel();
        let over = self.start.elapsed();
        let _ = tokio::time::timeout(DRAIN, self.task).await;
        // Under one lock, as they are written: what is counted is remembered.
        let tally = lock(&self.tally);
        (tally.summary(self.rate, over), std::mem::take(&mut lock(&self.history)))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// When the transaction `index` is due, after the start.
fn due(index: u64, rate: u32) -> Duration {
    let rate = u64::from(rate.max(1));
    Duration::from_secs(index / rate) + Duration::from_nanos((index % rate) * 1_000_000_000 / rate)
}

async fn run(
    senders: Vec<Sender>,
    (rate, start): (u32, Instant),
    (tally, history): (Arc<Mutex<Tally>>, Arc<Mutex<History>>),
    stop: CancellationToken,
) {
    let (give_back, mut idle) = mpsc::channel(senders.len());
    for sender in senders {
        let _ = give_back.try_send(sender);
    }
    let mut under_way = JoinSet::new();
    for index in 0u64.. {
        let due = start + due(index, rate);
        let sender = tokio::select! {
            () = stop.cancelled() => break,
            sender = next(&mut idle, due) => sender,
        };
        let Some(mut sender) = sender else { break };
        let (give_back, tally, history) = (give_back.clone(), Arc::clone(&tally), Arc::clone(&history));
        lock(&tally).submitted += 1;
        under_way.spawn(async move {
            let sent = sender.send().await;
            {
                let mut tally = lock(&tally);
                tally.retried += sent.retries;
                tally.elapsed = start.elapsed();
                match sent.result {
                    Ok((height, transaction)) => {
                        tally.commit(start.elapsed(), due.elapsed());
                        lock(&history).record(height, transaction);
                    }
                    Err(why) => {
                        tally.failed += 1;
                        tally.last_error = Some(why);
                    }
                }
            }
            let _ = give_back.send(sender).await;
        });
        while under_way.try_join_next().is_some() {}
    }
    while under_way.join_next().await.is_some() {}
}

async fn next(idle: &mut mpsc::Receiver<Sender>, due: Instant) -> Option<Sender> {
    tokio::time::sleep_until(due.into()).await;
    idle.recv().await
}

impl Tally {
    /// A transaction was reported committed `at` this time after the start, this long after it was due.
    fn commit(&mut self, at: Duration, latency: Duration) {
        self.latencies.record(latency);
        self.gap = self.gap.max(at.saturating_sub(self.last));
        self.last = self.last.max(at);
    }

    /// The numbers, for a load that was meant to last this long.
    fn summary(&self, rate: u32, lasted: Duration) -> Summary {
        let milliseconds = |latency: Duration| (latency.as_secs_f64() * 100_000.0).round() / 100.0;
        let seconds = self.elapsed.as_secs_f64();
        let committed = self.latencies.count();
        Summary {
            asked_per_second: rate,
            committed_per_second: if seconds > 0.0 { (committed as f64 / seconds * 10.0).round() / 10.0 } else { 0.0 },
            submitted: self.submitted,
            committed,
            failed: self.failed,
            retried: self.retried,
            p50_ms: self.latencies.quantile(0.5).map(milliseconds),
            p99_ms: self.latencies.quantile(0.99).map(milliseconds),
            max_ms: (committed > 0).then(|| milliseconds(self.latencies.max())),
            // A stall that lasts to the end is one, too.
            longest_gap_ms: milliseconds(self.gap.max(lasted.saturating_sub(self.last))),
            last_error: self.last_error.clone(),
        }
    }
}

impl Summary {
    /// For people.
    pub(crate) fn text(&self) -> String {
        let milliseconds = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.1} ms"));
        let mut text = format!(
            "load: {}/s asked, {:.1}/s committed ({} of {}), p50 {}, p99 {}, max {}, longest without a commit {}",
            self.asked_per_second,
            self.committed_per_second,
            self.committed,
            self.submitted,
            milliseconds(self.p50_ms),
            milliseconds(self.p99_ms),
            milliseconds(self.max_ms),
            milliseconds(Some(self.longest_gap_ms)),
        );
        if self.failed > 0 || self.retried > 0 {
            text.push_str(&format!(", {} failed, {} retried", self.failed, self.retried));
        }
        if let Some(error) = &self.last_error {
            text.push_str(&format!(", last error: {error}"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transactions_are_due_at_an_even_pace_without_drift() {
        assert_eq!(due(0, 200), Duration::ZERO);
        assert_eq!(due(1, 200), Duration::from_millis(5));
        assert_eq!(due(200 * 3600, 200), Duration::from_secs(3600));
        assert_eq!(due(3 * 1_000_000, 3), Duration::from_secs(1_000_000));
        assert_eq!(due(2, 3), Duration::from_nanos(666_666_666));
        assert_eq!(due(5, 0), Duration::from_secs(5));
    }

    #[test]
    fn the_summary_counts_what_committed_and_what_did_not() {
        let mut tally = Tally { submitted: 3, failed: 1, elapsed: Duration::from_secs(2), ..Tally::default() };
        tally.commit(Duration::from_millis(300), Duration::from_millis(20));
        tally.commit(Duration::from_millis(1500), Duration::from_millis(30));
        let summary = tally.summary(10, Duration::from_secs(2));
        assert_eq!((summary.committed, summary.failed), (2, 1));
        assert_eq!(summary.committed_per_second, 1.0);
        assert_eq!(summary.longest_gap_ms, 1200.0);
        assert_eq!(tally.summary(10, Duration::from_secs(9)).longest_gap_ms, 7500.0);
        assert!(summary.text().contains("1.0/s committed (2 of 3)"), "{}", summary.text());
        assert!(Tally::default().summary(10, Duration::ZERO).text().contains("p50 -"));
    }
}
