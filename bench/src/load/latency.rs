//! Latencies, in an HDR histogram of microseconds: three digits of each value are kept, whatever its size.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The longest time that is told apart from a longer one.
const LONGEST: Duration = Duration::from_secs(3600);

/// How often each latency occurred.
#[derive(Clone, Debug)]
pub struct Latencies(Histogram<u64>);

/// What part of the latencies stays at or below what, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quantiles {
    /// How many there are.
    pub count: u64,
    /// Half of them.
    pub p50_ms: f64,
    /// Nine of ten.
    pub p90_ms: f64,
    /// All but one of a hundred.
    pub p99_ms: f64,
    /// All of them.
    pub max_ms: f64,
}

impl Default for Latencies {
    fn default() -> Self {
        let longest = u64::try_from(LONGEST.as_micros()).unwrap_or(u64::MAX);
        Self(Histogram::new_with_bounds(1, longest, 3).expect("bounds that a histogram can have"))
    }
}

impl Latencies {
    /// Counts one. What is longer than an hour counts as an hour.
    pub fn record(&mut self, latency: Duration) {
        self.0.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
    }

    /// How many were counted.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The quantiles, if anything was counted.
    pub fn quantiles(&self) -> Option<Quantiles> {
        let milliseconds = |micros: u64| micros as f64 / 1000.0;
        let at = |quantile| milliseconds(self.0.value_at_quantile(quantile));
        (self.count() > 0).then(|| Quantiles {
            count: self.count(),
            p50_ms: at(0.5),
            p90_ms: at(0.9),
            p99_ms: at(0.99),
            max_ms: milliseconds(self.0.max()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{super::due, *};

    fn near(found: f64, expected: f64) -> bool {
        (found / expected - 1.0).abs() < 0.002
    }

    #[test]
    fn quantiles_are_those_of_the_values() {
        let mut latencies = Latencies::default();
        (1..=1000).for_each(|milliseconds| latencies.record(Duration::from_millis(milliseconds)));
        let quantiles = latencies.quantiles().expect("some");
        assert_eq!(quantiles.count, 1000);
        let found = [quantiles.p50_ms, quantiles.p90_ms, quantiles.p99_ms, quantiles.max_ms];
        assert!(found.iter().zip([500.0, 900.0, 990.0, 1000.0]).all(|(found, truth)| near(*found, truth)), "{found:?}");
    }

    /// 1,000 transactions a second for ten seconds. Each takes 2 ms, but for a second in which nothing is answered. Who times from the
    /// send, and sends nothing while it waits, sees one slow transaction of 9,000.
    #[test]
    fn a_stall_of_a_second_is_in_the_percentiles_of_all_that_it_delays() {
        let (stalls, resumes) = (Duration::from_secs(4), Duration::from_secs(5));
        let mut latencies = Latencies::default();
        for index in 0..10_000 {
            let due = due(index, 1000);
            let answered = if (stalls..resumes).contains(&due) { resumes } else { due } + Duration::from_millis(2);
            latencies.record(answered - due);
        }
        let quantiles = latencies.quantiles().expect("some");
        assert!(near(quantiles.p50_ms, 2.0) && near(quantiles.p90_ms, 2.0), "{quantiles:?}");
        assert!(near(quantiles.p99_ms, 902.0) && near(quantiles.max_ms, 1002.0), "{quantiles:?}");
    }

    #[test]
    fn nothing_has_no_quantiles_and_the_longest_wait_fits() {
        assert_eq!(Latencies::default().quantiles(), None);
        let mut latencies = Latencies::default();
        latencies.record(Duration::MAX);
        assert!(latencies.quantiles().is_some_and(|quantiles| near(quantiles.max_ms, 3_600_000.0)));
    }
}
