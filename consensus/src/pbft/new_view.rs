//! Beginning a view.
//!
//! The primary of the view, with a quorum of VIEW-CHANGEs for it, sends NEW-VIEW; everybody recomputes base and tip from those
//! messages alone. One NEW-VIEW a view is accepted, whoever forwards it, and it is in the journal before anything is signed in
//! the view: else a restarted replica could take a second one, with other evidence and another tip (hole P3).

use super::{
    Certificates, Message, NewView, Pbft, Phase, Record, Stepped,
    evidence::{accuse, accuse_of_unfounded},
    rules,
};
use crate::Ignored;
use quorate_crypto::Scheme;
use quorate_types::{BoundedVec, Height, ReplicaId};

impl<S: Scheme> Pbft<S> {
    /// Begins our view if we are its primary, a quorum is here, and the tip can be proposed again.
    pub(super) fn try_new_view(&mut self, step: &mut Stepped<S>) {
        if self.phase != Phase::Changing || !self.is_primary() || self.halted || self.safety.is_silent() {
            return;
        }
        let changes = self.changes_for_view();
        if changes.len() < self.committee().quorum() {
            return;
        }
        let Some(beginning) = rules::beginning(&changes) else { return };
        let tip = beginning.tip.map(|tip| tip.statement.0);
        let block = match tip {
            None => None,
            Some(tip) if !self.tree.is_executed(&tip.block) => {
                // Those who prepared it have it.
                return self.want(tip.block, tip.height, self.primary(tip.view), step);
            }
            Some(tip) => match self.tree.lookup(&tip.block) {
                Some(block) => Some(block.clone()),
                None => return self.want(tip.block, tip.height, self.primary(tip.view), step),
            },
        };
        if let Some(tip) = tip {
            self.record_bodies(tip.block, step);
        }
        let statement = NewView::<S>::statement_of(self.view, &changes, tip.map(|tip| tip.block));
        let attestation = match self.safety.attest(&statement, step) {
            Ok(attestation) => attestation,
            Err(refusal) => return step.ignore(Ignored::Refused(refusal)),
        };
        let tip = match block.map(|block| self.pre_prepare(block, step)).transpose() {
            Ok(tip) => tip,
            Err(refusal) => return step.ignore(Ignored::Refused(refusal)),
        };
        let view_changes = BoundedVec::new(changes).expect("one a member");
        let new_view = NewView { view: self.view, view_changes, tip, attestation };
        step.broadcast(Message::NewView(Box::new(new_view.clone())));
        self.begin(new_view, self.me(), step);
    }

    pub(super) fn on_new_view(&mut self, from: ReplicaId, new_view: NewView<S>, step: &mut Stepped<S>) {
        let primary = self.primary(new_view.view);
        if let Some(entry) = self.entry.as_ref().filter(|entry| entry.view == new_view.view) {
            if entry.statement() != new_view.statement() {
                accuse(primary, entry, &new_view, step);
            }
            return step.ignore(Ignored::Duplicate);
        }
        if new_view.view < self.view || new_view.view <= self.begun() {
            return step.ignore(Ignored::StaleView);
        }
        if rules::follows(&new_view, self.window_size()).is_err() {
            accuse_of_unfounded(primary, &new_view, step);
            if new_view.view == self.view {
                self.change_view(self.view.next(), step);
            }
            return;
        }
        self.begin(new_view, from, step);
    }

    /// Enters the view of a NEW-VIEW that was checked or made here.
    fn begin(&mut self, new_view: NewView<S>, from: ReplicaId, step: &mut Stepped<S>) {
        step.record(Record::NewView(Box::new(new_view.clone())));
        self.view = new_view.view;
        self.phase = Phase::Active;
        self.safety.leave_below(self.view);
        self.log = super::Log::default();
        self.building = None;
        self.answers.clear();
        let beginning = rules::beginning(&new_view.view_changes).expect("a quorum is not empty");
        let base = beginning.base.clone();
        self.start = beginning.tip.map_or(base.checkpoint.height.next(), |tip| tip.statement.0.height);
        if let Some(tip) = beginning.tip {
            self.keep_prepared(tip.clone());
        }
        new_view.view_changes.iter().for_each(|change| self.accuse_if_concealed(change, step));
        self.entry = Some(new_view.clone());
        if base.checkpoint.height > self.low.checkpoint.height {
            self.on_stable(base.clone(), from, step);
        }
        if base.checkpoint.height < self.low.checkpoint.height {
            // Ours is newer than all that the view begins with: nothing at or below it can be prepared by us any more.
            let checkpoint = Some(self.low.clone());
            let changes = BoundedVec::default();
            let news = Certificates { new_view: None, committed: None, checkpoint, is_whole: false, changes };
            step.broadcast(Message::Certificates(Box::new(news)));
        }
        if !self.halted {
            self.take_tip(&new_view, from, step);
            self.advance(step);
            self.replay_early(step);
            self.try_propose(step);
        }
    }

    /// The tip is the view's first height, under its old digest.
    pub(super) fn take_tip(&mut self, new_view: &NewView<S>, from: ReplicaId, step: &mut Stepped<S>) {
        let Some(tip) = &new_view.tip else { return };
        let (height, digest) = (tip.block.header.height, tip.block.digest());
        let is_ours = height == self.root() && digest == self.tree.root_digest();
        if !self.window().contains(height) || (height <= self.root() && !is_ours) {
            // Final here, by a checkpoint or by what came after: we start above it.
            return;
        }
        let am_primary = self.is_primary();
        let entry = self.log.entry(height);
        entry.accepted = Some(digest);
        entry.pre_prepare = Some(tip.clone());
        entry.has_sent_prepare = am_primary;
        self.count_primarys_prepare(height, step);
        self.hold(digest, tip.block.clone(), from, step);
    }

    /// What others said in this view before it began here.
    pub(super) fn replay_early(&mut self, step: &mut Stepped<S>) {
        for (from, message) in self.early.take(self.view) {
            if !self.halted && self.is_active() {
                self.on_message(from, message, step);
            }
        }
    }

    /// Where the view starts, for a replica that comes back into it.
    pub(super) fn start_of(&self) -> Height {
        let beginning = self.entry.as_ref().and_then(|entry| rules::beginning(&entry.view_changes));
        beginning.map_or(Height(1), |beginning| {
            let above_base = beginning.base.checkpoint.height.next();
            beginning.tip.map_or(above_base, |tip| tip.statement.0.height)
        })
    }
}
