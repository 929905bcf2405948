//! What waits for the verification pool.
//!
//! A batch whose last signature is bad costs a thread a quarter of a second and its sender nothing: whoever sends one after the other
//! shall hold up neither votes nor the other peers. So each peer's messages wait by themselves, and peers are served in turn. Votes
//! and clients' transactions go first, in turn; then what is dear, proposals (with certificates in them) and batches, in turn. One
//! thread, where there are more than two, is left for what goes first.
//!
//! How much of a peer waits here, the network bounds: it reads on in a stream when the node is done with what it read.

use quorate_types::ReplicaId;
use std::{
    collections::{BTreeMap, VecDeque},
    ops::Bound::{Excluded, Unbounded},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

/// Where a job waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    /// A peer's votes and certificates.
    Votes(ReplicaId),
    /// Clients' transactions.
    Clients,
    /// A peer's proposals and view changes.
    Proposals(ReplicaId),
    /// A peer's batches.
    Batches(ReplicaId),
}

/// The way in. When the last one is gone, the threads end.
pub(super) struct Jobs<T>(Arc<Queue<T>>);

/// The way out, for all threads.
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    votes: InTurn<ReplicaId, T>,
    clients: InTurn<(), T>,
    was_client: bool,
    proposals: InTurn<ReplicaId, T>,
    batches: InTurn<ReplicaId, T>,
    was_batch: bool,
    /// Threads at something dear.
    busy: usize,
    most_busy: usize,
    senders: usize,
}

/// A queue for each sender, served in turn.
struct InTurn<K, T> {
    waiting: BTreeMap<K, VecDeque<T>>,
    last: Option<K>,
}

/// A queue for so many threads.
pub(super) fn queue<T>(threads: usize) -> (Jobs<T>, Arc<Queue<T>>) {
    let queue = Arc::new(Queue { state: Mutex::new(State::new(threads)), changed: Condvar::new() });
    (Jobs(queue.clone()), queue)
}

impl<T> Jobs<T> {
    pub(super) fn push(&self, lane: Lane, job: T) {
        self.0.state().push(lane, job);
        self.0.changed.notify_one();
    }
}

impl<T> Clone for Jobs<T> {
    fn clone(&self) -> Self {
        self.0.state().senders += 1;
        Self(self.0.clone())
    }
}

impl<T> Drop for Jobs<T> {
    fn drop(&mut self) {
        self.0.state().senders -= 1;
        self.0.changed.notify_all();
    }
}

impl<T> Queue<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One thread's life: runs jobs until nobody can bring one any more.
    pub(super) fn work(&self, mut run: impl FnMut(T)) {
        let mut state = self.state();
        loop {
            if let Some((job, is_dear)) = state.take() {
                drop(state);
                run(job);
                state = self.state();
                if is_dear {
                    state.busy -= 1;
                    self.changed.notify_one();
                }
            } else if state.senders == 0 {
                return;
            } else {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

impl<T> State<T> {
    fn new(threads: usize) -> Self {
        let most_busy = if threads > 2 { threads - 1 } else { threads.max(1) };
        Self {
            votes: InTurn::new(),
            clients: InTurn::new(),
            was_client: true,
            proposals: InTurn::new(),
            batches: InTurn::new(),
            was_batch: true,
            busy: 0,
            most_busy,
            senders: 1,
        }
    }

    fn push(&mut self, lane: Lane, job: T) {
        match lane {
            Lane::Votes(peer) => self.votes.push(peer, job),
            Lane::Clients => self.clients.push((), job),
            Lane::Proposals(peer) => self.proposals.push(peer, job),
            Lane::Batches(peer) => self.batches.push(peer, job),
        }
    }

    /// The next job, and whether it is a dear one.
    fn take(&mut self) -> Option<(T, bool)> {
        if let Some(job) = either(&mut self.votes, &mut self.clients, &mut self.was_client) {
            return Some((job, false));
        }
        if self.busy >= self.most_busy {
            return None;
        }
        let job = either(&mut self.proposals, &mut self.batches, &mut self.was_batch)?;
        self.busy += 1;
        Some((job, true))
    }
}

/// A job of one or the other, in turn while there are jobs of both.
fn either<A: Ord + Copy, B: Ord + Copy, T>(
    one: &mut InTurn<A, T>,
    other: &mut InTurn<B, T>,
    was_other: &mut bool,
) -> Option<T> {
    if *was_other && let Some(job) = one.pop() {
        *was_other = false;
        return Some(job);
    }
    if let Some(job) = other.pop() {
        *was_other = true;
        return Some(job);
    }
    let job = one.pop()?;
    *was_other = false;
    Some(job)
}

impl<K: Ord + Copy, T> InTurn<K, T> {
    fn new() -> Self {
        Self { waiting: BTreeMap::new(), last: None }
    }

    fn push(&mut self, sender: K, job: T) {
        self.waiting.entry(sender).or_default().push_back(job);
    }

    fn pop(&mut self) -> Option<T> {
        let above = self.last.map_or(Unbounded, Excluded);
        let sender = *self.waiting.range((above, Unbounded)).chain(&self.waiting).next()?.0;
        self.last = Some(sender);
        let jobs = self.waiting.get_mut(&sender)?;
        let job = jobs.pop_front();
        if jobs.is_empty() {
            self.waiting.remove(&sender);
        }
        job
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIAR: ReplicaId = ReplicaId(3);

    fn all(state: &mut State<&'static str>) -> Vec<&'static str> {
        std::iter::from_fn(|| {
            let (job, is_dear) = state.take()?;
            state.busy -= usize::from(is_dear);
            Some(job)
        })
        .collect()
    }

    #[test]
    fn one_that_floods_holds_up_neither_votes_nor_other_peers() {
        let mut state = State::new(2);
        for _ in 0..3 {
            state.push(Lane::Batches(LIAR), "dear");
        }
        state.push(Lane::Batches(ReplicaId(1)), "batch of 1");
        state.push(Lane::Batches(ReplicaId(2)), "batch of 2");
        state.push(Lane::Proposals(ReplicaId(1)), "proposal");
        for job in ["vote of 3", "another of 3"] {
            state.push(Lane::Votes(LIAR), job);
        }
        state.push(Lane::Votes(ReplicaId(1)), "vote of 1");
        state.push(Lane::Clients, "transaction");
        let first = ["vote of 1", "transaction", "vote of 3", "another of 3"];
        assert_eq!(std::array::from_fn(|_| state.take().map_or("nothing", |(job, _)| job)), first);
        assert_eq!(all(&mut state), ["proposal", "batch of 1", "batch of 2", "dear", "dear", "dear"]);
        for job in ["old", "new"] {
            state.push(Lane::Batches(LIAR), job);
            state.push(Lane::Batches(ReplicaId(1)), "batch of 1");
        }
        assert_eq!(all(&mut state), ["batch of 1", "old", "batch of 1", "new"], "in turn, each peer's as they came");
        for _ in 0..2 {
            state.push(Lane::Proposals(LIAR), "dear");
            state.push(Lane::Batches(ReplicaId(1)), "batch of 1");
        }
        assert_eq!(all(&mut state), ["dear", "batch of 1", "dear", "batch of 1"], "nor do proposals hold up batches");
    }

    #[test]
    fn one_thread_of_more_than_two_is_left_for_votes() {
        for (threads, at_once) in [(1, 1), (2, 2), (3, 2), (8, 7)] {
            let mut state = State::new(threads);
            for _ in 0..8 {
                state.push(Lane::Batches(LIAR), "dear");
            }
            assert_eq!((0..at_once).filter_map(|_| state.take()).count(), at_once);
            assert_eq!(state.take(), None, "{threads} threads");
            state.push(Lane::Votes(ReplicaId(1)), "vote");
            assert_eq!(state.take(), Some(("vote", false)));
            state.busy -= 1;
            assert_eq!(state.take(), Some(("dear", true)));
        }
    }

    #[test]
    fn threads_end_when_everything_is_done_and_nobody_can_bring_more() {
        let (jobs, queue) = queue(2);
        let other = jobs.clone();
        let (done, results) = std::sync::mpsc::channel();
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let (queue, done) = (queue.clone(), done.clone());
                std::thread::spawn(move || queue.work(|job| done.send(job).expect("the test listens")))
            })
            .collect();
        for job in 0..100 {
            let lane = [Lane::Clients, Lane::Proposals(LIAR), Lane::Batches(LIAR)][job % 3];
            (if job % 2 == 0 { &jobs } else { &other }).push(lane, job);
        }
        drop((jobs, other, done));
        threads.into_iter().for_each(|thread| thread.join().expect("no job panics"));
        let mut results: Vec<usize> = results.iter().collect();
        results.sort_unstable();
        assert_eq!(results, (0..100).collect::<Vec<_>>());
    }
}
