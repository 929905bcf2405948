//! The knee: the greatest rate that a network carries.

use super::Run;
use serde::{Deserialize, Serialize};

/// A rate is carried as long as one of a hundred transactions takes at most so many times what half of them take at the first rate.
const STRETCH: f64 = 10.0;
/// Or so long, if that is longer.
const PATIENCE_MS: f64 = 250.0;
/// And as long as this part of what is due in the window is committed in it.
const CARRIED: f64 = 0.95;
/// The search ends when the rate that was not carried is at most so much above the one that was.
const NEAR: f64 = 1.1;
/// Below this nobody looks for a knee.
const LEAST: u32 = 10;

/// The rule, for people.
pub const RULE: &str = "a rate is carried if at least 95 % of it is committed within a short run's window and p99 is at most 10 \
    times the p50 of the first run, or 250 ms if that is more; the rate is doubled until one is not carried, then bisected until the \
    two are within 10 %";

/// One short run of the search.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// The run.
    pub run: Run,
    /// Why the rate was not carried, if it was not.
    pub missed: Option<String>,
}

/// What the search found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Knee {
    /// The rule by which a rate was carried or not.
    pub rule: String,
    /// The short runs, in their order.
    pub probes: Vec<Probe>,
    /// The greatest rate that was carried, if one was.
    pub rate: Option<u32>,
    /// Why the search ended early, or in nothing, if it did.
    pub ended: Option<String>,
}

/// Why this run's rate was not carried, if it was not. `first_p50_ms` is that of the search's first run.
pub fn judge(run: &Run, first_p50_ms: f64) -> Option<String> {
    let carried = run.committed_per_second() / f64::from(run.rate.max(1));
    if carried < CARRIED {
        return Some(format!("backlog: {:.1} % of the rate was committed", carried * 100.0));
    }
    let bound = (first_p50_ms * STRETCH).max(PATIENCE_MS);
    let p99 = run.end_to_end.map_or(f64::INFINITY, |quantiles| quantiles.p99_ms);
    (p99 > bound).then(|| format!("p99 of {p99:.0} ms is above {bound:.0} ms"))
}

/// Where the search stands.
#[derive(Clone, Copy, Debug)]
pub struct Search {
    first: u32,
    carried: Option<u32>,
    missed: Option<u32>,
}

impl Search {
    /// A search that begins with this rate.
    pub fn new(first: u32) -> Self {
        Self { first: first.max(LEAST), carried: None, missed: None }
    }

    /// The rate to try next. None: the search is over.
    pub fn next(&self) -> Option<u32> {
        match (self.carried, self.missed) {
            (None, None) => Some(self.first),
            (Some(carried), None) => carried.checked_mul(2),
            (None, Some(missed)) => Some(missed / 2).filter(|rate| *rate >= LEAST),
            (Some(carried), Some(missed)) if f64::from(missed) <= f64::from(carried) * NEAR => None,
            (Some(carried), Some(missed)) => Some(carried.midpoint(missed)).filter(|rate| *rate > carried),
        }
    }

    /// A rate was tried.
    pub fn tried(&mut self, rate: u32, is_carried: bool) {
        let side = if is_carried { &mut self.carried } else { &mut self.missed };
        *side = Some(rate);
    }

    /// The greatest rate that was carried.
    pub fn found(&self) -> Option<u32> {
        self.carried
    }
}

#[cfg(test)]
mod tests {
    use super::{super::run::tests::good, *};

    fn search(first: u32, truth: u32) -> (Option<u32>, Vec<u32>) {
        let (mut search, mut tried) = (Search::new(first), Vec::new());
        while let Some(rate) = search.next() {
            tried.push(rate);
            search.tried(rate, rate <= truth);
        }
        (search.found(), tried)
    }

    #[test]
    fn the_search_doubles_then_bisects_to_within_ten_percent() {
        let (found, tried) = search(1000, 11_300);
        assert_eq!(tried, [1000, 2000, 4000, 8000, 16_000, 12_000, 10_000, 11_000]);
        assert_eq!(found, Some(11_000));
    }

    #[test]
    fn a_first_rate_that_is_too_high_is_halved_and_nothing_may_be_found() {
        let (found, tried) = search(1000, 300);
        assert!(found.is_some_and(|rate| (270..=300).contains(&rate)), "{found:?} of {tried:?}");
        assert_eq!(search(1000, 0).0, None);
    }

    #[test]
    fn a_backlog_or_a_long_tail_is_a_miss() {
        let mut run = good();
        assert_eq!(judge(&run, 12.0), None);
        run.committed_in_window = 9_400;
        assert!(judge(&run, 12.0).is_some_and(|why| why.contains("94.0 %")));
        run = good();
        if let Some(end_to_end) = &mut run.end_to_end {
            end_to_end.p99_ms = 260.0;
        }
        assert!(judge(&run, 12.0).is_some_and(|why| why.contains("260 ms is above 250 ms")));
        assert_eq!(judge(&run, 30.0), None, "slow by nature");
        assert!(judge(&Run { end_to_end: None, ..good() }, 12.0).is_some());
    }
}
