//! Latencies in constant memory.

use std::time::Duration;

/// Buckets to each doubling: a quantile is exact to about 3 %.
const FINE: u64 = 32;
const BUCKETS: usize = 60 * FINE as usize;

/// How often each latency occurred, in buckets that grow with the latency.
#[derive(Clone)]
pub(crate) struct Latencies {
    counts: Vec<u64>,
    total: u64,
    max: Duration,
}

impl Default for Latencies {
    fn default() -> Self {
        Self { counts: vec![0; BUCKETS], total: 0, max: Duration::ZERO }
    }
}

impl Latencies {
    pub(crate) fn record(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.counts[bucket(micros)] += 1;
        self.total += 1;
        self.max = self.max.max(latency);
    }

    pub(crate) fn count(&self) -> u64 {
        self.total
    }

    pub(crate) fn max(&self) -> Duration {
        self.max
    }

    /// The latency that `fraction` of all stay at or below.
    pub(crate) fn quantile(&self, fraction: f64) -> Option<Duration> {
        let rank = ((self.total as f64 * fraction).ceil() as u64).max(1);
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return Some(Duration::from_micros(upper(index)).min(self.max));
            }
        }
        None
    }
}

/// Below `2 * FINE` every value has a bucket; above, each doubling has `FINE`.
fn bucket(micros: u64) -> usize {
    let doublings = u64::from((micros / FINE).max(1).ilog2());
    let index = doublings * FINE + (micros >> doublings);
    usize::try_from(index).map_or(BUCKETS - 1, |index| index.min(BUCKETS - 1))
}

/// The greatest value of a bucket.
fn upper(index: usize) -> u64 {
    let index = index as u64;
    let doublings = (index / FINE).saturating_sub(1);
    (((index - doublings * FINE + 1) << doublings).saturating_sub(1)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_near_the_truth() {
        let mut latencies = Latencies::default();
        for milliseconds in 1..=1000 {
            latencies.record(Duration::from_millis(milliseconds));
        }
        for (fraction, expected) in [(0.5, 500.0), (0.99, 990.0), (1.0, 1000.0)] {
            let found = latencies.quantile(fraction).expect("some were recorded").as_secs_f64() * 1000.0;
            assert!((found / expected - 1.0).abs() < 0.04, "{fraction}: {found} instead of {expected}");
        }
        assert_eq!(latencies.count(), 1000);
        assert_eq!(latencies.max(), Duration::from_secs(1));
    }

    #[test]
    fn every_value_lies_in_its_bucket() {
        for micros in (0..5000).chain([1 << 20, u64::MAX >> 8]) {
            let index = bucket(micros);
            assert!(upper(index) >= micros.min(upper(BUCKETS - 1)), "{micros}");
            assert!(index == 0 || upper(index - 1) < micros.max(1) || micros <= 1, "{micros}");
        }
    }

    #[test]
    fn nothing_has_no_quantile_and_the_longest_wait_fits() {
        assert_eq!(Latencies::default().quantile(0.5), None);
        let mut latencies = Latencies::default();
        latencies.record(Duration::MAX);
        assert!(latencies.quantile(0.5).is_some());
    }
}
