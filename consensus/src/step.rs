//! What one event asks for, and the single way out of it.
//!
//! *Persist before send* cannot be forgotten: a step's actions are private and [`Step::release`] hands them out only after
//! the journal made the step's records durable. A journal that fails gives no actions at all.

use crate::{Action, Evidence, Ignored, Request};
use quorate_types::{Digest, ReplicaId};

/// Everything one event asks of the outside world, held until it is durable.
///
/// ```compile_fail
/// # use quorate_consensus::{Action, Step};
/// fn send_without_persisting(step: Step<u8, u8>) -> Vec<Action<u8>> {
///     step.actions // private
/// }
/// ```
#[must_use = "a dropped step is a vote never cast"]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step<M, R> {
    records: Vec<R>,
    actions: Vec<Action<M>>,
    requests: Vec<Request>,
    ignored: Option<Ignored>,
}

/// Makes records durable.
pub trait Journal<R> {
    /// Why it could not.
    type Error;
    /// Appends `records` and returns once they would survive a crash (as far as the configured durability promises).
    fn persist(&mut self, records: Vec<R>) -> Result<(), Self::Error>;
}

impl<M, R> Default for Step<M, R> {
    fn default() -> Self {
        Self { records: Vec::new(), actions: Vec::new(), requests: Vec::new(), ignored: None }
    }
}

impl<M, R> Step<M, R> {
    /// Makes the records durable, then hands out the actions. If the journal fails the actions are dropped: what was
    /// never durable is never sent. A step without records does not touch the journal.
    pub fn release<J: Journal<R>>(self, journal: &mut J) -> Result<Vec<Action<M>>, J::Error> {
        if !self.records.is_empty() {
            journal.persist(self.records)?;
        }
        Ok(self.actions)
    }

    /// Joins two steps so that they share one flush.
    pub fn then(mut self, other: Self) -> Self {
        self.records.extend(other.records);
        self.actions.extend(other.actions);
        self.requests.extend(other.requests);
        self.ignored = self.ignored.or(other.ignored);
        self
    }

    /// Takes what promises nothing and may be done before the step is durable.
    pub fn take_requests(&mut self) -> Vec<Request> {
        std::mem::take(&mut self.requests)
    }

    /// Why the event changed nothing, if it did not.
    pub fn reason(&self) -> Option<Ignored> {
        self.ignored
    }

    /// Who is accused of what in it. To look at: it rests on others' signatures, and promises nothing.
    pub fn accusations(&self) -> impl Iterator<Item = &Evidence> {
        self.actions.iter().filter_map(|action| match action {
            Action::Accuse(evidence) => Some(&**evidence),
            Action::Send { .. } | Action::Broadcast(_) | Action::Commit { .. } | Action::Halt(_) => None,
        })
    }

    /// Whether it stops the replica.
    pub fn is_halt(&self) -> bool {
        self.actions.iter().any(|action| matches!(action, Action::Halt(_)))
    }

    /// Whether there is nothing to persist and nothing to do.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.actions.is_empty()
    }

    pub(crate) fn ignore(&mut self, reason: Ignored) {
        self.ignored.get_or_insert(reason);
    }

    pub(crate) fn record(&mut self, record: impl Into<R>) {
        self.records.push(record.into());
    }

    pub(crate) fn request(&mut self, request: Request) {
        self.requests.push(request);
    }

    pub(crate) fn send(&mut self, to: ReplicaId, message: impl Into<M>) {
        self.actions.push(Action::Send { to, message: message.into() });
    }

    pub(crate) fn broadcast(&mut self, message: impl Into<M>) {
        self.actions.push(Action::Broadcast(message.into()));
    }

    pub(crate) fn commit(&mut self, block: Digest, proof: Vec<u8>) {
        self.actions.push(Action::Commit { block, proof });
    }

    /// Changes, drops or keeps each action.
    #[cfg(feature = "attack")]
    pub fn rewrite(mut self, mut change: impl FnMut(Action<M>) -> Option<Action<M>>) -> Self {
        self.actions = self.actions.into_iter().filter_map(&mut change).collect();
        self
    }

    /// Adds what the replica itself did not want done.
    #[cfg(feature = "attack")]
    pub fn also(mut self, actions: Vec<Action<M>>, requests: Vec<Request>) -> Self {
        self.actions.extend(actions);
        self.requests.extend(requests);
        self
    }

    pub(crate) fn retain_actions(&mut self, keep: impl FnMut(&Action<M>) -> bool) {
        self.actions.retain(keep);
    }

    pub(crate) fn act(&mut self, action: Action<M>) {
        self.actions.push(action);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Memory {
        records: Vec<u8>,
        full: bool,
    }

    impl Journal<u8> for Memory {
        type Error = &'static str;
        fn persist(&mut self, records: Vec<u8>) -> Result<(), &'static str> {
            if self.full {
                return Err("disk full");
            }
            self.records.extend(records);
            Ok(())
        }
    }

    fn step() -> Step<u8, u8> {
        let mut step = Step::default();
        step.record(1);
        step.broadcast(9);
        step
    }

    #[test]
    fn actions_come_out_after_the_records_are_kept() {
        let mut journal = Memory { records: vec![], full: false };
        assert_eq!(step().release(&mut journal), Ok(vec![Action::Broadcast(9)]));
        assert_eq!(journal.records, [1]);
    }

    #[test]
    fn a_failed_journal_lets_nothing_out() {
        let mut journal = Memory { records: vec![], full: true };
        assert_eq!(step().release(&mut journal), Err("disk full"));
    }

    #[test]
    fn a_step_without_records_needs_no_disk() {
        let mut step = Step::<u8, u8>::default();
        step.broadcast(9);
        assert_eq!(step.release(&mut Memory { records: vec![], full: true }), Ok(vec![Action::Broadcast(9)]));
    }
}
