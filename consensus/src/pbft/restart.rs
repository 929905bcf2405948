//! From the journal's records to a replica, and its first words: the same bytes as before the crash.

use super::{Ballot, Commit, FIRST_VIEW, Message, Pbft, Phase, PrePrepareStatement, Prepare, Record, Stepped, Vote};
use crate::{Promise, Request, Slot, Timer};
use quorate_crypto::Scheme;
use quorate_types::Digest;
use std::collections::BTreeMap;

impl<S: Scheme> Pbft<S> {
    pub(super) fn replay(&mut self, records: impl IntoIterator<Item = Record<S>>) {
        let mut promises: Vec<Promise> = Vec::new();
        let mut blocks = BTreeMap::new();
        let mut is_silent = false;
        for record in records {
            self.is_back = true;
            match record {
                Record::Promise(promise) => {
                    is_silent &= promise.slot != Slot::Rejoined;
                    promises.push(promise);
                }
                Record::Silence => is_silent = true,
                Record::Block(block) => drop(blocks.insert((block.header.height, block.digest()), block)),
                Record::Prepared(certificate) => self.keep_prepared(certificate),
                Record::NewView(new_view) => self.entry = Some(*new_view),
                Record::ViewChange(change) => {
                    if let Some(prepared) = &change.prepared {
                        self.keep_prepared(prepared.clone());
                    }
                    self.last_change = Some(*change);
                }
                Record::Changes(changes) => {
                    self.changes.extend(changes.into_iter().map(|change| (change.replica, change)));
                }
                Record::Checkpoint(vote) => drop(self.own_checkpoints.insert(vote.statement.height, vote)),
                Record::Stable(stable) if stable.checkpoint.height > self.low.checkpoint.height => self.low = stable,
                Record::Stable(_) => {}
            }
        }
        for ((_, digest), block) in blocks {
            if digest == self.tree.root_digest() {
                self.tree.remember(digest, block);
            } else if self.tree.insert(digest, block)
                && let Some(node) = self.tree.get_mut(&digest)
            {
                node.recorded = true;
            }
        }
        self.safety.restore(promises);
        self.safety.settle(self.low.checkpoint.height);
        self.own_checkpoints = self.own_checkpoints.split_off(&self.low.checkpoint.height.next());
        if is_silent {
            self.safety.silence();
            self.rejoin = Some(super::Rejoin::default());
        }
        self.enter_recovered_view();
    }

    fn enter_recovered_view(&mut self) {
        self.view = self.entry.as_ref().map_or(FIRST_VIEW, |entry| entry.view);
        self.safety.leave_below(self.view);
        self.start = self.start_of();
        if let Some(change) = self.last_change.clone().filter(|change| change.view > self.view) {
            (self.view, self.phase) = (change.view, Phase::Changing);
            self.changes.insert(change.replica, change);
        }
    }

    /// What a rotated journal begins with.
    pub(super) fn records(&self) -> Vec<Record<S>> {
        let mut records: Vec<_> = self.safety.promises().map(Record::Promise).collect();
        records.push(Record::Stable(self.low.clone()));
        records.extend(self.own_checkpoints.values().cloned().map(Record::Checkpoint));
        records.extend(self.prepared.clone().map(Record::Prepared));
        records.extend(self.entry.clone().map(|entry| Record::NewView(Box::new(entry))));
        records.push(Record::Changes(self.furthest_changes()));
        records.extend(self.last_change.clone().map(|change| Record::ViewChange(Box::new(change))));
        let held = self.tree.by_height().into_iter().filter_map(|digest| self.tree.get(&digest));
        records.extend(held.filter(|node| node.recorded).map(|node| Record::Block(node.held.clone())));
        // A view may start from the highest prepared block although it is committed: then its body goes into the NEW-VIEW.
        let prepared = self.prepared.as_ref().map(|prepared| prepared.statement.0.block);
        let committed = prepared.filter(|block| self.tree.get(block).is_none());
        records.extend(committed.and_then(|block| self.tree.lookup(&block)).cloned().map(Record::Block));
        records.extend(self.safety.is_silent().then_some(Record::Silence));
        records
    }

    pub(super) fn on_started(&mut self, step: &mut Stepped<S>) {
        if self.is_back {
            // Perhaps the others start again as well: they must find each other first.
            self.pacemaker.view_failed();
        }
        step.request(Request::SetTimer { timer: Timer::Poll, after: self.pacemaker.poll() });
        step.broadcast(Message::AskCertificates(self.standing()));
        for block in self.tree.by_height() {
            self.execute_if_possible(block, step);
        }
        // Nobody says again what the checkpoint in the journal proves.
        self.finalise_known(step);
        if self.rejoin.is_some() {
            return;
        }
        self.sign_checkpoints(&[self.tree.root().clone()], step);
        for vote in self.own_checkpoints.clone().into_values() {
            step.broadcast(Message::Checkpoint(vote.clone()));
            self.on_checkpoint(vote, step);
        }
        match self.phase {
            Phase::Active => self.restore_log(step),
            Phase::Changing => {
                let change = self.last_change.clone().expect("a replica that changes views has said so");
                step.broadcast(Message::ViewChange(Box::new(change)));
            }
        }
        self.try_propose(step);
    }

    /// What this replica had accepted in its view follows from its promises.
    fn restore_log(&mut self, step: &mut Stepped<S>) {
        // The tip is accepted by the NEW-VIEW, whether or not anything was said of it.
        if let Some(entry) = self.entry.clone() {
            self.take_tip(&entry, self.primary(self.view), step);
        }
        let said = |digest: &Digest| {
            let ballot = Ballot::of(self.view, &self.tree.get(digest)?.held.header);
            self.safety.has_said(&Prepare(ballot)).then_some(ballot)
        };
        for ballot in self.tree.by_height().iter().filter_map(said).collect::<Vec<_>>() {
            self.log.entry(ballot.height).accepted = Some(ballot.block);
        }
        self.repeat_votes(step);
        self.advance(step);
    }

    /// Says again whatever was said in this view above the last commit. Signing the same statement again gives the same bytes.
    pub(super) fn repeat_votes(&mut self, step: &mut Stepped<S>) {
        let accepted: Vec<_> = self.log.all_accepted().collect();
        for (height, block) in accepted {
            let ballot = Ballot { view: self.view, height, block };
            if self.safety.has_said(&PrePrepareStatement(ballot)) {
                self.repeat_pre_prepare(ballot, step);
            } else if self.safety.has_said(&Prepare(ballot))
                && let Ok(signature) = self.safety.sign(&Prepare(ballot), step)
            {
                let vote = Vote { statement: Prepare(ballot), voter: self.me(), signature };
                self.log.entry(height).has_sent_prepare = true;
                step.broadcast(Message::Prepare(vote.clone()));
                self.on_prepare(self.me(), vote, step);
            }
            if self.safety.has_said(&Commit(ballot))
                && let Ok(signature) = self.safety.sign(&Commit(ballot), step)
            {
                let vote = Vote { statement: Commit(ballot), voter: self.me(), signature };
                self.log.entry(height).has_sent_commit = true;
                step.broadcast(Message::Commit(vote.clone()));
                self.on_commit(self.me(), vote, step);
            }
        }
    }

    fn repeat_pre_prepare(&mut self, ballot: Ballot, step: &mut Stepped<S>) {
        let Some(block) = self.tree.lookup(&ballot.block).cloned() else { return };
        let Ok(pre_prepare) = self.pre_prepare(block, step) else { return };
        match self.entry.as_ref().filter(|entry| entry.tip.is_some() && ballot.height == self.start) {
            // The tip came with the NEW-VIEW, and is not believed without it.
            Some(entry) => step.broadcast(Message::NewView(Box::new(entry.clone()))),
            None => step.broadcast(Message::PrePrepare(Box::new(pre_prepare.clone()))),
        }
        let entry = self.log.entry(ballot.height);
        if !std::mem::replace(&mut entry.has_sent_prepare, true) || entry.pre_prepare.is_none() {
            entry.pre_prepare = Some(pre_prepare);
            self.count_primarys_prepare(ballot.height, step);
        }
    }
}
