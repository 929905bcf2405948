//! Waking at a time, as exactly as the operating system can.
//!
//! tokio's timers round up to whole milliseconds: over a link of 40 ms each way that is an error of several per cent. So
//! whoever waits for an arrival is woken by a thread of the shaping's own, which ends with it.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    thread,
    time::Instant,
};

/// The thread, and who waits for it.
#[derive(Debug)]
pub(super) struct Clock {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: BTreeMap<(Instant, u64), Waker>,
    tickets: u64,
    is_over: bool,
}

impl Clock {
    pub(super) fn start() -> Self {
        let shared = Arc::new(Shared::default());
        let theirs = shared.clone();
        let thread = thread::Builder::new().name("links".to_owned());
        thread.spawn(move || theirs.run()).expect("a thread is to be had, as for whoever runs the network");
        Self { shared }
    }

    /// Ends at `at`, never before.
    pub(super) fn reaches(&self, at: Instant) -> Reaches<'_> {
        Reaches { clock: &self.shared, at, ticket: None }
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        self.shared.lock().is_over = true;
        self.shared.changed.notify_one();
    }
}

impl Shared {
    fn run(&self) {
        let mut state = self.lock();
        while !state.is_over {
            let now = Instant::now();
            if let Some(first) = state.waiting.first_entry().filter(|first| first.key().0 <= now) {
                let waker = first.remove();
                drop(state);
                // Whoever is woken may wait again at once.
                waker.wake();
                state = self.lock();
                continue;
            }
            let next = state.waiting.first_key_value().map(|((at, _), _)| *at);
            state = match next {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(at) => {
                    let waited = self.changed.wait_timeout(state, at.saturating_duration_since(now));
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing below the lock can stop half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A wait; given up when it is dropped.
#[derive(Debug)]
pub(super) struct Reaches<'a> {
    clock: &'a Shared,
    at: Instant,
    ticket: Option<u64>,
}

impl Future for Reaches<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if Instant::now() >= self.at {
            return Poll::Ready(());
        }
        let mut state = self.clock.lock();
        let ticket = self.ticket.unwrap_or_else(|| {
            state.tickets += 1;
            state.tickets
        });
        state.waiting.insert((self.at, ticket), context.waker().clone());
        if state.waiting.first_key_value().is_some_and(|((_, first), _)| *first == ticket) {
            self.clock.changed.notify_one();
        }
        drop(state);
        self.ticket = Some(ticket);
        Poll::Pending
    }
}

impl Drop for Reaches<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.clock.lock().waiting.remove(&(self.at, ticket));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::select;

    #[tokio::test]
    async fn nobody_is_woken_early_and_the_sooner_first_whoever_asked_first() {
        let (clock, begin) = (Clock::start(), Instant::now());
        let after = |millis| clock.reaches(begin + Duration::from_millis(millis));
        select! {
            () = after(3_600_000) => unreachable!("an hour"),
            () = after(20) => {}
        }
        assert!(begin.elapsed() >= Duration::from_millis(20));
        after(0).await;
        assert!(clock.shared.lock().waiting.is_empty(), "a wait that was given up is forgotten");
    }

    #[test]
    fn the_thread_ends_with_its_clock() {
        let clock = Clock::start();
        let shared = Arc::downgrade(&clock.shared);
        drop(clock);
        while shared.strong_count() > 0 {
            thread::yield_now();
        }
    }
}
