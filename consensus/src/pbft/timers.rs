//! When a view has failed, when to repeat, when to look whether a batch is passed over.
//!
//! - **Progress**: runs while something is pending, restarts with each commit, doubles with each unsuccessful view up to a cap and
//!   falls back after progress. It runs in two halves: after the first the host is asked which batches are spent, so that a
//!   hopeless one deposes nobody, and offers the others to everybody, so that nobody is deposed for one that it never heard of.
//! - **View**: how long a view change may take, from when a quorum has moved.
//! - **Censorship**: every few timeouts, is the oldest waiting batch still the same? Batches are ordered in the order of their
//!   arrival, so that under any load the oldest one gets its turn: a primary that leaves it out while it proposes others is
//!   deposed (hole P9). It counts from when the batch became the oldest, not from when it came.
//! - **Retransmit**: whoever makes no progress says its last words again, and asks the others where they are.

use super::{Message, Pbft, Phase, Stepped};
use crate::{Ignored, Request, Timer};
use quorate_crypto::Scheme;
use quorate_types::{Digest, Height, View};

/// Two looks at the oldest batch are this many base timeouts apart.
const PATIENCE: u32 = 8;
/// Batches that the host is asked about at a time.
const INSPECTED: usize = 64;

/// Which timers run, and what they saw last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Timers {
    /// The view and last commit that the progress timer was set for, and whether its first half is over.
    progress: Option<(View, Height, bool)>,
    /// The view whose change is timed.
    view: Option<View>,
    /// The view whose oldest batch is watched, and which it was.
    censorship: Option<(View, Option<Digest>)>,
    retransmit: Option<Repetition>,
    /// Retransmission timers set so far: only the last one counts, or each would set its own successor for ever.
    repetitions: u64,
    pub(super) pace: Option<View>,
}

/// A retransmission to come, if there is no progress until then.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Repetition {
    number: u64,
    /// Where the replica stood when the timer was set.
    position: Position,
    is_slow: bool,
}

/// View, last commit and stable checkpoint: if they are the same after a while, there is no progress.
type Position = (View, Phase, Height, Height);

impl<S: Scheme> Pbft<S> {
    /// Sets what should run and does not.
    pub(super) fn arm(&mut self, step: &mut Stepped<S>) {
        self.arm_retransmission(step);
        if self.rejoin.is_some() {
            return;
        }
        match self.phase {
            Phase::Active if self.has_work() => {
                self.arm_progress(step);
                self.arm_censorship(step);
            }
            Phase::Active => {}
            Phase::Changing => self.arm_view(step),
        }
        self.run_pace_timer(step);
    }

    fn arm_progress(&mut self, step: &mut Stepped<S>) {
        let (view, committed) = (self.view, self.root());
        if self.timers.progress.is_none_or(|(of, above, _)| (of, above) != (view, committed)) {
            self.timers.progress = Some((view, committed, false));
            let after = self.pacemaker.view_duration() / 2;
            step.request(Request::SetTimer { timer: Timer::Progress { view, committed }, after });
        }
    }

    fn arm_view(&mut self, step: &mut Stepped<S>) {
        if self.timers.view != Some(self.view) && self.is_quorum_here() {
            self.timers.view = Some(self.view);
            let after = self.pacemaker.view_duration();
            step.request(Request::SetTimer { timer: Timer::View(self.view), after });
        }
    }

    fn arm_censorship(&mut self, step: &mut Stepped<S>) {
        if self.timers.censorship.is_none_or(|(of, _)| of != self.view) && !self.ready.is_empty() {
            self.timers.censorship = Some((self.view, self.oldest_waiting()));
            let after = self.pacemaker.retransmission().saturating_mul(PATIENCE);
            step.request(Request::SetTimer { timer: Timer::Censorship(self.view), after });
        }
    }

    fn arm_retransmission(&mut self, step: &mut Stepped<S>) {
        let needs = self.phase == Phase::Changing
            || self.has_work()
            || !self.own_checkpoints.is_empty()
            || self.is_left_behind();
        if !needs {
            return;
        }
        // In an idle net one replica may wait for the others' next view for long: it need not hurry.
        let (position, is_slow) = (self.position(), !self.has_work());
        let is_due = self.timers.retransmit.as_ref().is_none_or(|set| {
            let has_moved = (set.position.0, set.position.1) != (position.0, position.1);
            has_moved || (set.is_slow && !is_slow)
        });
        if is_due {
            let number = self.timers.repetitions + 1;
            self.timers.repetitions = number;
            self.timers.retransmit = Some(Repetition { number, position, is_slow });
            let after = if is_slow { self.pacemaker.poll() } else { self.pacemaker.retransmission() };
            step.request(Request::SetTimer { timer: Timer::Retransmit(number), after });
        }
    }

    /// Somebody honest is in a view that has not begun here.
    fn is_left_behind(&self) -> bool {
        self.early.senders() > self.committee().max_faulty()
    }

    fn position(&self) -> Position {
        (self.view, self.phase, self.root(), self.low.checkpoint.height)
    }

    pub(super) fn on_timer(&mut self, timer: Timer, step: &mut Stepped<S>) {
        match timer {
            Timer::Progress { view, committed } => self.on_progress_timer(view, committed, step),
            Timer::View(view) => self.on_view_timer(view, step),
            Timer::Censorship(view) => self.on_censorship_timer(view, step),
            Timer::Retransmit(number) => self.on_retransmit_timer(number, step),
            Timer::Pace(view) => self.on_pace_timer(view, step),
            Timer::Fetch => self.on_fetch_timer(step),
            Timer::Poll => self.on_poll_timer(step),
        }
    }

    fn on_progress_timer(&mut self, view: View, committed: Height, step: &mut Stepped<S>) {
        let Some((of, above, is_half_over)) = self.timers.progress else {
            return step.ignore(Ignored::StaleTimer);
        };
        if (of, above) != (view, committed) {
            return step.ignore(Ignored::StaleTimer);
        }
        let is_stuck = self.is_active() && view == self.view && committed == self.root() && self.has_work();
        if !is_stuck {
            self.timers.progress = None;
        } else if is_half_over {
            self.timers.progress = None;
            self.change_view(view.next(), step);
        } else {
            self.timers.progress = Some((view, committed, true));
            self.inspect(step);
            let after = self.pacemaker.view_duration() / 2;
            step.request(Request::SetTimer { timer: Timer::Progress { view, committed }, after });
        }
    }

    /// Asks the host which of the oldest batches are spent: they are no work. The others it offers to everybody.
    fn inspect(&self, step: &mut Stepped<S>) {
        let batches: Vec<_> = self.ready.iter().take(INSPECTED).copied().collect();
        if !batches.is_empty() {
            step.request(Request::Inspect { batches });
        }
    }

    fn on_view_timer(&mut self, view: View, step: &mut Stepped<S>) {
        if view != self.view || self.phase != Phase::Changing {
            return step.ignore(Ignored::StaleTimer);
        }
        self.change_view(view.next(), step);
    }

    fn on_censorship_timer(&mut self, view: View, step: &mut Stepped<S>) {
        let Some((of, watched)) = self.timers.censorship else { return step.ignore(Ignored::StaleTimer) };
        if of != view || view != self.view || !self.is_active() {
            return step.ignore(Ignored::StaleTimer);
        }
        self.timers.censorship = None;
        if watched.is_some() && watched == self.oldest_waiting() {
            self.change_view(view.next(), step);
        }
    }

    /// A whole interval without progress: say it again.
    fn on_retransmit_timer(&mut self, number: u64, step: &mut Stepped<S>) {
        let Some(set) = self.timers.retransmit.take_if(|set| set.number == number) else {
            return step.ignore(Ignored::StaleTimer);
        };
        let (before, now) = (set.position, self.position());
        if before.3 == now.3 && before.2 == now.2 {
            for vote in self.own_checkpoints.values() {
                step.broadcast(Message::Checkpoint(vote.clone()));
            }
        }
        if before != now || !(self.has_work() || self.phase == Phase::Changing || self.is_left_behind()) {
            return;
        }
        self.inspect(step);
        match self.phase {
            Phase::Changing => {
                if let Some(change) = &self.last_change {
                    step.broadcast(Message::ViewChange(Box::new(change.clone())));
                }
            }
            Phase::Active => self.repeat_votes(step),
        }
        step.broadcast(Message::AskCertificates(self.standing()));
    }
}
