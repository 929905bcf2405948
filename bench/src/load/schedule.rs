//! When transactions are due.

use std::time::Duration;

/// When the transaction `index` of a load of `rate` transactions a second is due, after the load's start. Even, and without drift.
pub fn due(index: u64, rate: u32) -> Duration {
    let rate = u64::from(rate.max(1));
    Duration::from_secs(index / rate) + Duration::from_nanos((index % rate) * 1_000_000_000 / rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_is_even_and_does_not_drift() {
        assert_eq!(due(1, 200), Duration::from_millis(5));
        assert_eq!(due(200 * 3600, 200), Duration::from_secs(3600));
        assert_eq!(due(2, 3), Duration::from_nanos(666_666_666));
        assert_eq!(due(3 * 1_000_000, 3), Duration::from_secs(1_000_000));
    }
}
