//! When a message arrives.

use crate::LinkSpec;
use std::time::Duration;

/// One direction of a link, with what is still on its way: when the wire is free again, and the last arrival in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lane {
    free_at: Duration,
    last_arrival: Duration,
}

/// When a message arrives: never, once, or twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arrivals {
    /// The message.
    pub first: Option<Duration>,
    /// Its duplicate.
    pub second: Option<Duration>,
}

impl Arrivals {
    /// In the order in which they were decided.
    pub fn iter(self) -> impl Iterator<Item = Duration> {
        self.first.into_iter().chain(self.second)
    }
}

impl Lane {
    /// Sends a message of `length` bytes at `now`. `draw` gives uniform random numbers; the same numbers give the same
    /// arrivals.
    pub fn send(&mut self, spec: &LinkSpec, now: Duration, length: usize, mut draw: impl FnMut() -> u64) -> Arrivals {
        if spec.cut || happens(spec.loss, &mut draw) {
            return Arrivals::default();
        }
        let sent = self.transmit(spec, now, length);
        let first = Some(self.arrival(spec, sent, &mut draw));
        let second = happens(spec.duplicate, &mut draw).then(|| late(spec, sent, &mut draw));
        Arrivals { first, second }
    }

    /// From when on a message need not wait for those before it to be on the wire.
    pub fn free_at(&self, spec: &LinkSpec) -> Duration {
        if spec.bandwidth.is_some() { self.free_at } else { Duration::ZERO }
    }

    /// When the last byte is on the wire.
    fn transmit(&mut self, spec: &LinkSpec, now: Duration, length: usize) -> Duration {
        let Some(bandwidth) = spec.bandwidth else { return now };
        let nanos = length as u128 * 1_000_000_000 / u128::from(bandwidth.max(1));
        let takes = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        self.free_at = self.free_at.max(now).saturating_add(takes);
        self.free_at
    }

    fn arrival(&mut self, spec: &LinkSpec, sent: Duration, draw: &mut impl FnMut() -> u64) -> Duration {
        if happens(spec.reorder, draw) {
            return late(spec, sent, draw);
        }
        let arrival = sent.saturating_add(spec.delay).saturating_add(up_to(spec.jitter, draw));
        self.last_arrival = self.last_arrival.max(arrival);
        self.last_arrival
    }
}

fn late(spec: &LinkSpec, sent: Duration, draw: &mut impl FnMut() -> u64) -> Duration {
    let held = spec.delay.saturating_add(spec.jitter).saturating_mul(4);
    sent.saturating_add(spec.delay).saturating_add(up_to(spec.jitter.saturating_add(held), draw))
}

/// Draws only where there is something to decide.
fn happens(probability: f64, draw: &mut impl FnMut() -> u64) -> bool {
    // 53 bits: every such fraction is a float of its own.
    probability > 0.0 && ((draw() >> 11) as f64) < probability * (1u64 << 53) as f64
}

fn up_to(limit: Duration, draw: &mut impl FnMut() -> u64) -> Duration {
    let nanos = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
    if nanos == 0 { Duration::ZERO } else { Duration::from_nanos(draw() % nanos.saturating_add(1).max(1)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// A small generator (splitmix64), so that this crate needs none.
    fn numbers(mut state: u64) -> impl FnMut() -> u64 {
        move || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        }
    }

    fn send_many(spec: &LinkSpec, count: u32) -> Vec<Arrivals> {
        let (mut lane, mut draw) = (Lane::default(), numbers(7));
        (0..count).map(|i| lane.send(spec, i * MS, 100, &mut draw)).collect()
    }

    #[test]
    fn a_perfect_link_delivers_once_after_its_delay() {
        let arrivals = Lane::default().send(&LinkSpec::delay(20 * MS), 3 * MS, 100, || unreachable!("nothing to draw"));
        assert_eq!(arrivals, Arrivals { first: Some(23 * MS), second: None });
    }

    #[test]
    fn a_cut_link_delivers_nothing() {
        let spec = LinkSpec { cut: true, ..LinkSpec::default() };
        assert!(send_many(&spec, 10).iter().all(|arrivals| *arrivals == Arrivals::default()));
    }

    #[test]
    fn loss_and_duplication_come_as_often_as_said() {
        let spec = LinkSpec { loss: 0.3, duplicate: 0.5, ..LinkSpec::delay(MS) };
        let sent = send_many(&spec, 10_000);
        let lost = sent.iter().filter(|arrivals| arrivals.first.is_none()).count();
        let doubled = sent.iter().filter(|arrivals| arrivals.second.is_some()).count();
        assert!((2_800..3_200).contains(&lost), "{lost} of 10000 lost at 0.3");
        assert!((3_300..3_700).contains(&doubled), "{doubled} of 7000 doubled at 0.5");
    }

    #[test]
    fn jitter_keeps_the_order_and_reordering_breaks_it() {
        let jitter = LinkSpec { jitter: 50 * MS, ..LinkSpec::delay(MS) };
        let times = |spec: &LinkSpec| send_many(spec, 500).iter().filter_map(|a| a.first).collect::<Vec<_>>();
        assert!(times(&jitter).is_sorted());
        assert!(!times(&LinkSpec { reorder: 0.2, ..jitter }).is_sorted());
    }

    #[test]
    fn nothing_takes_longer_than_the_worst_delay_of_an_idle_link() {
        let spec = LinkSpec { jitter: 9 * MS, reorder: 0.5, duplicate: 0.5, ..LinkSpec::delay(MS) };
        let mut draw = numbers(3);
        for _ in 0..1000 {
            let arrivals = Lane::default().send(&spec, MS, 1, &mut draw);
            assert!(arrivals.iter().all(|at| at <= MS + spec.worst_delay()));
        }
    }

    #[test]
    fn bandwidth_makes_messages_queue() {
        let spec = LinkSpec { bandwidth: Some(1000), ..LinkSpec::default() };
        let mut lane = Lane::default();
        let mut at = |length| lane.send(&spec, Duration::ZERO, length, || 0).first;
        assert_eq!([at(500), at(500)], [Some(500 * MS), Some(1000 * MS)]);
        assert_eq!(lane.free_at(&spec), 1000 * MS);
        assert_eq!(lane.free_at(&LinkSpec::default()), Duration::ZERO, "nobody waits for a wire without limit");
    }

    #[test]
    fn a_delay_of_all_eternity_is_only_that() {
        let (jitter, reorder) = (Duration::MAX, 1.0);
        let spec = LinkSpec { jitter, reorder, duplicate: 1.0, bandwidth: Some(1), ..LinkSpec::delay(Duration::MAX) };
        assert!(send_many(&spec, 10).iter().all(|arrivals| arrivals.iter().all(|at| at == Duration::MAX)));
        assert_eq!(spec.worst_delay(), Duration::MAX);
    }

    #[test]
    fn the_same_numbers_give_the_same_arrivals() {
        let spec = LinkSpec { loss: 0.1, duplicate: 0.1, reorder: 0.3, jitter: 9 * MS, ..LinkSpec::delay(MS) };
        assert_eq!(send_many(&spec, 300), send_many(&spec, 300));
    }
}
