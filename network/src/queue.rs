//! What waits to be sent to one peer: one bounded queue per class, the most urgent class first.
//!
//! Rules. A full queue drops its own oldest frame, never another class's or another peer's. A frame whose view has
//! passed is dropped when it would be sent. A class gives out a frame only while no more urgent class has one waiting.
//! Pushing never waits; each class has exactly one taker, its writer task.

use crate::{Class, Frame, Limits, QueueStatus};
use quorate_types::View;
use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// The queues of one peer.
#[derive(Debug)]
pub(crate) struct Queue {
    lanes: Mutex<[Lane; 3]>,
    ready: [Notify; 3],
}

#[derive(Debug)]
struct Lane {
    frames: VecDeque<Frame>,
    bytes: usize,
    max_frames: usize,
    max_bytes: usize,
}

/// What became of a request for the next frame.
#[derive(Debug)]
pub(crate) struct Taken {
    /// The frame, unless there is none or a more urgent class goes first.
    pub(crate) frame: Option<Frame>,
    /// Frames dropped on the way because their view has passed.
    pub(crate) stale: u64,
}

impl Queue {
    pub(crate) fn new(limits: &Limits) -> Self {
        let lane = |class| {
            let limits = limits.class(class);
            Lane {
                frames: VecDeque::new(),
                bytes: 0,
                max_frames: limits.queue_frames.max(1),
                max_bytes: limits.queue_bytes.max(limits.frame),
            }
        };
        Self { lanes: Mutex::new(Class::ALL.map(lane)), ready: Class::ALL.map(|_| Notify::new()) }
    }

    /// Queues a frame and returns how many older ones of its class had to go. The frame must be within the class's
    /// frame limit.
    pub(crate) fn push(&self, frame: Frame) -> u64 {
        let class = frame.class;
        let dropped = self.lock()[class.index()].push(frame);
        self.ready[class.index()].notify_one();
        dropped
    }

    /// The next frame of `class`, if it may go now.
    pub(crate) fn take(&self, class: Class, view: View) -> Taken {
        let mut lanes = self.lock();
        let (urgent, rest) = lanes.split_at_mut(class.index());
        if urgent.iter().any(|lane| !lane.frames.is_empty()) {
            return Taken { frame: None, stale: 0 };
        }
        let Some((lane, later)) = rest.split_first_mut() else {
            return Taken { frame: None, stale: 0 };
        };
        let taken = lane.take(view);
        if lane.frames.is_empty() {
            // Whoever was held back by this class may look again.
            for (notify, _) in self.ready[class.index() + 1..].iter().zip(later).filter(|(_, l)| !l.frames.is_empty()) {
                notify.notify_one();
            }
        }
        taken
    }

    /// Waits until it may be worth calling [`take`](Self::take) again. Cancelling the wait loses nothing.
    pub(crate) async fn wait(&self, class: Class) {
        self.ready[class.index()].notified().await;
    }

    /// What waits now, per class.
    pub(crate) fn status(&self) -> [QueueStatus; 3] {
        let lanes = self.lock();
        [0, 1, 2].map(|i| QueueStatus { frames: lanes[i].frames.len(), bytes: lanes[i].bytes })
    }

    fn lock(&self) -> MutexGuard<'_, [Lane; 3]> {
        // No code below the lock can leave a lane half changed, so a poisoned lock is as good as any.
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lane {
    fn push(&mut self, frame: Frame) -> u64 {
        let mut dropped = 0;
        while self.frames.len() >= self.max_frames || self.bytes + frame.bytes.len() > self.max_bytes {
            if self.pop().is_none() {
                break;
            }
            dropped += 1;
        }
        self.bytes += frame.bytes.len();
        self.frames.push_back(frame);
        dropped
    }

    fn take(&mut self, view: View) -> Taken {
        let mut stale = 0;
        while let Some(frame) = self.pop() {
            if frame.stale_after.is_none_or(|last| last >= view) {
                return Taken { frame: Some(frame), stale };
            }
            stale += 1;
        }
        Taken { frame: None, stale }
    }

    fn pop(&mut self) -> Option<Frame> {
        let frame = self.frames.pop_front()?;
        self.bytes -= frame.bytes.len();
        Some(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ClassLimits;
    use bytes::Bytes;

    fn queue(frames: usize, bytes: usize) -> Queue {
        let class = ClassLimits { frame: 4, queue_frames: frames, queue_bytes: bytes, window: bytes };
        Queue::new(&Limits { vote: class, proposal: class, batch: class, ..Limits::default() })
    }

    fn frame(class: Class, content: &'static str) -> Frame {
        Frame { class, kind: "test", stale_after: None, bytes: Bytes::from_static(content.as_bytes()) }
    }

    fn next(queue: &Queue, class: Class) -> Option<Bytes> {
        queue.take(class, View(0)).frame.map(|frame| frame.bytes)
    }

    #[test]
    fn a_full_queue_drops_its_own_oldest_frame() {
        let queue = queue(2, 100);
        assert_eq!(queue.push(frame(Class::Batch, "a")), 0);
        assert_eq!(queue.push(frame(Class::Vote, "v")), 0);
        assert_eq!(queue.push(frame(Class::Vote, "w")), 0);
        assert_eq!(queue.push(frame(Class::Vote, "x")), 1);
        assert_eq!(next(&queue, Class::Vote).as_deref(), Some(&b"w"[..]));
        assert_eq!(next(&queue, Class::Vote).as_deref(), Some(&b"x"[..]));
        assert_eq!(next(&queue, Class::Batch).as_deref(), Some(&b"a"[..]));
        assert_eq!(queue.status(), [QueueStatus::default(); 3]);
    }

    #[test]
    fn bytes_are_bounded_too_and_the_newest_frame_always_stays() {
        let queue = queue(100, 5);
        queue.push(frame(Class::Batch, "aa"));
        queue.push(frame(Class::Batch, "bb"));
        assert_eq!(queue.push(frame(Class::Batch, "cccc")), 2);
        assert_eq!(queue.status()[2], QueueStatus { frames: 1, bytes: 4 });
    }

    #[test]
    fn with_a_full_batch_queue_a_vote_goes_first() {
        let queue = queue(9, 100);
        for _ in 0..9 {
            queue.push(frame(Class::Batch, "b"));
        }
        queue.push(frame(Class::Proposal, "p"));
        queue.push(frame(Class::Vote, "v"));
        assert_eq!(next(&queue, Class::Batch), None);
        assert_eq!(next(&queue, Class::Proposal), None);
        assert_eq!(next(&queue, Class::Vote).as_deref(), Some(&b"v"[..]));
        assert_eq!(next(&queue, Class::Batch), None);
        assert_eq!(next(&queue, Class::Proposal).as_deref(), Some(&b"p"[..]));
        assert_eq!(next(&queue, Class::Batch).as_deref(), Some(&b"b"[..]));
    }

    #[tokio::test]
    async fn a_class_that_was_held_back_is_woken_when_the_urgent_one_is_empty() {
        let queue = queue(9, 100);
        queue.push(frame(Class::Batch, "b"));
        queue.push(frame(Class::Vote, "v"));
        queue.wait(Class::Batch).await;
        assert_eq!(next(&queue, Class::Batch), None);
        assert!(next(&queue, Class::Vote).is_some());
        queue.wait(Class::Batch).await;
        assert!(next(&queue, Class::Batch).is_some());
    }

    #[test]
    fn frames_whose_view_has_passed_are_dropped_when_sent() {
        let queue = queue(9, 100);
        for view in 0..4 {
            queue.push(Frame { stale_after: Some(View(view)), ..frame(Class::Vote, "v") });
        }
        let taken = queue.take(Class::Vote, View(3));
        assert_eq!(taken.stale, 3);
        assert_eq!(taken.frame.and_then(|frame| frame.stale_after), Some(View(3)));
    }

    #[tokio::test]
    async fn a_class_held_back_by_stale_frames_only_is_woken_too() {
        let queue = queue(9, 100);
        queue.push(frame(Class::Batch, "b"));
        queue.wait(Class::Batch).await;
        queue.push(Frame { stale_after: Some(View(1)), ..frame(Class::Vote, "v") });
        assert!(queue.take(Class::Batch, View(2)).frame.is_none());
        assert!(queue.take(Class::Vote, View(2)).frame.is_none());
        queue.wait(Class::Batch).await;
        assert!(queue.take(Class::Batch, View(2)).frame.is_some());
    }
}
