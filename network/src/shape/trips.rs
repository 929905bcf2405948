//! Round trips of one link, as they were measured lately.

use std::{collections::VecDeque, time::Duration};

/// So many are kept.
const KEPT: usize = 16;
/// And so long.
const RECENT: Duration = Duration::from_secs(10);

/// A round trip as measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoundTrip {
    /// The median; of two in the middle, the greater.
    pub median: Duration,
    /// Of so many.
    pub samples: usize,
}

/// The last samples, oldest first, with the time at which each came.
#[derive(Clone, Debug, Default)]
pub(super) struct Trips(VecDeque<(Duration, Duration)>);

impl Trips {
    pub(super) fn add(&mut self, now: Duration, trip: Duration) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back((now, trip));
    }

    pub(super) fn median(&self, now: Duration) -> Option<RoundTrip> {
        let recent = self.0.iter().filter(|(came, _)| *came + RECENT >= now);
        let mut trips: Vec<_> = recent.map(|(_, trip)| *trip).collect();
        trips.sort_unstable();
        Some(RoundTrip { median: *trips.get(trips.len() / 2)?, samples: trips.len() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn the_median_is_of_the_last_samples_and_forgets_old_ones() {
        let mut trips = Trips::default();
        assert_eq!(trips.median(MS), None);
        for trip in [80, 81, 900] {
            trips.add(MS, trip * MS);
        }
        assert_eq!(trips.median(MS), Some(RoundTrip { median: 81 * MS, samples: 3 }));
        for _ in 0..100 {
            trips.add(2 * MS, 5 * MS);
        }
        assert_eq!(trips.median(MS + RECENT), Some(RoundTrip { median: 5 * MS, samples: KEPT }));
        assert_eq!(trips.median(3 * MS + RECENT), None);
    }
}
