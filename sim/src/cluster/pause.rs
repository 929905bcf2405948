//! Replicas that stand still, as a stopped process or a machine that swaps: whatever happens to one waits until it goes on, and then
//! happens at once.

use super::{Cluster, events::Event, faults::Which};
use crate::{SimProtocol, trace::Turn};
use quorate_types::ReplicaId;

impl<P: SimProtocol> Event<P> {
    /// To whom it happens, if it is to a replica.
    fn whom(&self) -> Option<ReplicaId> {
        match self {
            Self::Arrives { to, .. } | Self::Asked { to, .. } | Self::Answered { to, .. } => Some(*to),
            Self::TimesOut { who, .. }
            | Self::Flushed { who, .. }
            | Self::Work { who, .. }
            | Self::Unanswered { who, .. }
            | Self::PuppetTimer { who, .. } => Some(*who),
            Self::ClientsRetry => None,
        }
    }
}

impl<P: SimProtocol> Cluster<P> {
    /// A replica stands still.
    pub fn pause(&mut self, replica: impl Into<Which>) {
        let id = replica.into().0;
        if !self.is_paused(id) {
            self.paused.insert(id, Vec::new());
            self.turn(id, Turn::StandsStill, String::new());
        }
    }

    /// It goes on, with all that waited for it, in the order in which it came.
    pub fn resume(&mut self, replica: impl Into<Which>) {
        let id = replica.into().0;
        let Some(waiting) = self.paused.remove(&id) else { return };
        self.turn(id, Turn::GoesOn, String::new());
        let now = self.queue.now();
        waiting.into_iter().for_each(|event| self.queue.post(now, event));
    }

    /// Everybody goes on.
    pub fn resume_all(&mut self) {
        let paused: Vec<_> = self.paused.keys().copied().collect();
        paused.into_iter().for_each(|id| self.resume(id));
    }

    pub(super) fn is_paused(&self, replica: ReplicaId) -> bool {
        self.paused.contains_key(&replica)
    }

    /// Holds an event back if whom it concerns stands still.
    pub(super) fn unless_paused(&mut self, event: Event<P>) -> Option<Event<P>> {
        match event.whom().and_then(|whom| self.paused.get_mut(&whom)) {
            Some(waiting) => {
                waiting.push(event);
                None
            }
            None => Some(event),
        }
    }
}
