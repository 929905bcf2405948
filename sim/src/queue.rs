//! What happens next: events in the order of virtual time, and of posting within one instant.

use std::{cmp::Ordering, collections::BinaryHeap, time::Duration};

/// A virtual clock and the events ahead of it.
#[derive(Debug)]
pub(crate) struct Queue<E> {
    now: Duration,
    next: u64,
    heap: BinaryHeap<Posted<E>>,
}

#[derive(Debug)]
struct Posted<E> {
    at: Duration,
    sequence: u64,
    event: E,
}

impl<E> Queue<E> {
    pub(crate) fn new() -> Self {
        Self { now: Duration::ZERO, next: 0, heap: BinaryHeap::new() }
    }

    /// Virtual time since the beginning.
    pub(crate) fn now(&self) -> Duration {
        self.now
    }

    pub(crate) fn len(&self) -> usize {
        self.heap.len()
    }

    /// Lets `event` happen at `at`, or now if that is past.
    pub(crate) fn post(&mut self, at: Duration, event: E) {
        let sequence = self.next;
        self.next += 1;
        self.heap.push(Posted { at: at.max(self.now), sequence, event });
    }

    /// Moves the clock to the next event that happens not after `limit` and takes it; else moves it to `limit`.
    pub(crate) fn pop(&mut self, limit: Duration) -> Option<E> {
        if self.heap.peek().is_none_or(|next| next.at > limit) {
            self.now = self.now.max(limit);
            return None;
        }
        let next = self.heap.pop()?;
        self.now = next.at;
        Some(next.event)
    }
}

/// A heap gives its greatest: the earliest comes first when earlier is greater.
impl<E> Ord for Posted<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.sequence).cmp(&(self.at, self.sequence))
    }
}

impl<E> PartialOrd for Posted<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> PartialEq for Posted<E> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<E> Eq for Posted<E> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_in_the_order_of_time_and_then_of_posting() {
        let ms = Duration::from_millis;
        let mut queue = Queue::new();
        for (at, event) in [(5, 'c'), (3, 'a'), (5, 'd'), (3, 'b')] {
            queue.post(ms(at), event);
        }
        let order: Vec<_> = std::iter::from_fn(|| queue.pop(ms(9))).collect();
        assert_eq!(order, ['a', 'b', 'c', 'd']);
        assert_eq!(queue.now(), ms(9), "the clock runs on when nothing happens");
    }

    #[test]
    fn nothing_happens_before_its_time_or_in_the_past() {
        let ms = Duration::from_millis;
        let mut queue = Queue::new();
        queue.post(ms(5), 'a');
        assert_eq!(queue.pop(ms(4)), None);
        queue.post(ms(1), 'b');
        assert_eq!(queue.pop(ms(10)), Some('b'));
        assert_eq!(queue.now(), ms(4));
        assert_eq!(queue.pop(ms(10)), Some('a'));
    }
}
