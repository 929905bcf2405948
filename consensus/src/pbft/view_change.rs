//! Leaving a view.
//!
//! Only each sender's greatest VIEW-CHANGE counts. If the (f+1)-th greatest view among the others is above our own, at least one
//! honest replica has left it, and we join. A VIEW-CHANGE for a view that has begun here, or from below it, is answered with how
//! it began, whoever asks and however long ago that was.

use super::{Message, Pbft, Phase, Record, Stepped, ViewChange, ViewChangeStatement, evidence::accuse, rules};
use crate::Ignored;
use quorate_crypto::Scheme;
use quorate_types::{ReplicaId, View};

impl<S: Scheme> Pbft<S> {
    /// Leaves all views below `to`, which is above our own.
    pub(super) fn change_view(&mut self, to: View, step: &mut Stepped<S>) {
        if self.rejoin.is_some() {
            return step.ignore(Ignored::Refused(crate::Refusal::Silent));
        }
        let prepared = self.prepared.as_ref().map(|prepared| prepared.statement.0);
        let statement = ViewChangeStatement { view: to, checkpoint: self.low.checkpoint, prepared };
        let attestation = match self.safety.attest(&statement, step) {
            Ok(attestation) => attestation,
            Err(refusal) => return step.ignore(Ignored::Refused(refusal)),
        };
        self.view = to;
        self.phase = Phase::Changing;
        self.pacemaker.view_failed();
        self.building = None;
        let change = ViewChange {
            view: to,
            checkpoint: self.low.clone(),
            prepared: self.prepared.clone(),
            replica: self.me(),
            attestation,
        };
        let furthest = self.furthest_changes();
        if !furthest.is_empty() {
            step.record(Record::Changes(furthest));
        }
        step.record(Record::ViewChange(Box::new(change.clone())));
        step.broadcast(Message::ViewChange(Box::new(change.clone())));
        self.last_change = Some(change.clone());
        self.keep_change(change, step);
        self.try_new_view(step);
    }

    pub(super) fn on_view_change(&mut self, from: ReplicaId, change: ViewChange<S>, step: &mut Stepped<S>) {
        if !rules::fits(&change, self.window_size()) {
            return step.ignore(Ignored::OutsideWindow);
        }
        // A newer checkpoint first, then the message is judged.
        if change.checkpoint.checkpoint.height > self.low.checkpoint.height {
            self.on_stable(change.checkpoint.clone(), from, step);
        }
        if self.halted {
            return;
        }
        // The bytes of a VIEW-CHANGE stay what they were, so its checkpoint tells where its sender is only when it comes first.
        let is_first = self.changes.get(&from).is_none_or(|known| known.view != change.view);
        let is_behind = is_first && change.checkpoint.checkpoint.height < self.low.checkpoint.height;
        if is_behind || change.view <= self.begun() {
            let news = self.news_for_changing(&change);
            if !news.is_empty() {
                self.tell(from, news, step);
            }
        }
        if change.view < self.view || change.view == self.begun() {
            return step.ignore(Ignored::StaleView);
        }
        self.keep_change(change, step);
        self.join(step);
        self.try_new_view(step);
    }

    /// Keeps it if it is its sender's greatest.
    fn keep_change(&mut self, change: ViewChange<S>, step: &mut Stepped<S>) {
        if let Some(earlier) = self.changes.get(&change.replica) {
            if earlier.view > change.view {
                return step.ignore(Ignored::StaleView);
            }
            if earlier.view == change.view {
                if earlier.statement() != change.statement() {
                    accuse(change.replica, earlier, &change, step);
                }
                return step.ignore(Ignored::Duplicate);
            }
        }
        self.accuse_if_concealed(&change, step);
        self.changes.insert(change.replica, change);
    }

    fn join(&mut self, step: &mut Stepped<S>) {
        let others = self.changes.iter().filter(|(replica, _)| **replica != self.me());
        let mut views: Vec<_> = others.map(|(_, change)| change.view).collect();
        views.sort_unstable_by(|a, b| b.cmp(a));
        if let Some(view) = views.get(self.committee().max_faulty())
            && *view > self.view
        {
            self.change_view(*view, step);
        }
    }

    /// The f+1 VIEW-CHANGEs of the greatest views, by replica: some honest replica has gone as far as the least of them.
    pub(super) fn furthest_changes(&self) -> Vec<ViewChange<S>> {
        let mut changes: Vec<_> = self.changes.values().collect();
        changes.sort_by_key(|change| std::cmp::Reverse(change.view));
        changes.truncate(self.committee().weak_quorum());
        changes.sort_by_key(|change| change.replica);
        changes.into_iter().cloned().collect()
    }

    /// VIEW-CHANGEs for exactly the view we are in, by replica.
    pub(super) fn changes_for_view(&self) -> Vec<ViewChange<S>> {
        self.changes.values().filter(|change| change.view == self.view).cloned().collect()
    }

    /// Whether a quorum, ourselves included, has moved to our view or beyond. Only then its timer runs: were it to run
    /// before, replicas whose timers are capped could chase each other's views for ever (hole P6).
    pub(super) fn is_quorum_here(&self) -> bool {
        self.changes.values().filter(|change| change.view >= self.view).count() >= self.committee().quorum()
    }
}
