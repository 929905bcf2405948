//! What is on its way: a delay queue, bounded. Nobody sleeps in it; its owner asks what has arrived, and when to ask again.

use crate::{ClassLimits, QueueStatus};
use std::{collections::BTreeMap, time::Duration};

/// A link's last change, as those see it who have something on their way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// How many there were.
    pub(crate) count: u64,
    /// What was sent before arrives then at the latest.
    pub(crate) latest: Duration,
}

/// What is on its way to one stream, by arrival.
#[derive(Debug)]
pub(crate) struct Flight<T> {
    items: BTreeMap<(Duration, u64), (usize, T)>,
    bytes: usize,
    max_items: usize,
    max_bytes: usize,
    pushed: u64,
    changes: u64,
}

impl<T> Flight<T> {
    /// As much as may wait in the class's queue.
    pub(crate) fn new(limits: &ClassLimits) -> Self {
        let (max_items, max_bytes) = (limits.queue_frames.max(1), limits.queue_bytes.max(1));
        Self { items: BTreeMap::new(), bytes: 0, max_items, max_bytes, pushed: 0, changes: 0 }
    }

    /// Whether another may be pushed, of whatever size, with its duplicate: the bound is passed by no more than these.
    pub(crate) fn has_room(&self) -> bool {
        self.items.len() < self.max_items && self.bytes < self.max_bytes
    }

    pub(crate) fn push(&mut self, arrives: Duration, bytes: usize, item: T) {
        self.items.insert((arrives, self.pushed), (bytes, item));
        self.pushed += 1;
        self.bytes += bytes;
    }

    /// The next that has arrived; of two at one time, the one that was pushed first.
    pub(crate) fn arrived(&mut self, now: Duration) -> Option<T> {
        let first = self.items.first_entry().filter(|first| first.key().0 <= now)?;
        let (bytes, item) = first.remove();
        self.bytes -= bytes;
        Some(item)
    }

    /// When the next arrives.
    pub(crate) fn next_at(&self) -> Option<Duration> {
        self.items.first_key_value().map(|((arrives, _), _)| *arrives)
    }

    /// If the link has changed since this was last called, what would arrive late comes in time, in the old order.
    pub(crate) fn follow(&mut self, change: Change) {
        if std::mem::replace(&mut self.changes, change.count) == change.count {
            return;
        }
        for ((_, _), (bytes, item)) in self.items.split_off(&(change.latest, u64::MAX)) {
            self.bytes -= bytes;
            self.push(change.latest, bytes, item);
        }
    }

    /// All are lost. Returns how many there were.
    pub(crate) fn clear(&mut self) -> usize {
        self.bytes = 0;
        std::mem::take(&mut self.items).len()
    }

    pub(crate) fn status(&self) -> QueueStatus {
        QueueStatus { frames: self.items.len(), bytes: self.bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn flight() -> Flight<u32> {
        Flight::new(&ClassLimits { frame: 10, queue_frames: 4, queue_bytes: 20, window: 0 })
    }

    fn all(flight: &mut Flight<u32>, now: Duration) -> Vec<u32> {
        std::iter::from_fn(|| flight.arrived(now)).collect()
    }

    #[test]
    fn nothing_comes_before_its_time_and_equals_in_the_order_in_which_they_were_sent() {
        let mut flight = flight();
        for (arrives, item) in [(3, 1), (1, 2), (3, 3), (2, 4)] {
            flight.push(arrives * MS, 1, item);
        }
        assert_eq!(flight.next_at(), Some(MS));
        assert_eq!(all(&mut flight, MS), [2]);
        assert_eq!(flight.status(), QueueStatus { frames: 3, bytes: 3 });
        assert_eq!(all(&mut flight, 9 * MS), [4, 1, 3]);
        assert_eq!((flight.next_at(), flight.status()), (None, QueueStatus::default()));
    }

    #[test]
    fn it_is_full_by_number_and_by_bytes() {
        let mut flight = flight();
        flight.push(MS, 19, 0);
        assert!(flight.has_room());
        flight.push(MS, 1, 0);
        assert!(!flight.has_room(), "20 bytes");
        assert_eq!(flight.clear(), 2);
        assert!(flight.has_room());
        (0..4).for_each(|item| flight.push(MS, 0, item));
        assert!(!flight.has_room(), "4 items");
    }

    #[test]
    fn after_a_change_nothing_is_later_than_what_is_sent_then_and_the_order_stays() {
        let mut flight = flight();
        for (arrives, item) in [(9000, 1), (10, 2), (8000, 3)] {
            flight.push(arrives * MS, 1, item);
        }
        let change = Change { count: 1, latest: 50 * MS };
        flight.follow(change);
        assert_eq!(all(&mut flight, 49 * MS), [2]);
        flight.push(9000 * MS, 1, 4);
        flight.follow(change);
        assert_eq!(all(&mut flight, 50 * MS), [3, 1], "what was sent after the change is no business of it");
        assert_eq!(flight.status().bytes, 1);
    }
}
