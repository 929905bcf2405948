//! The three phases, as every replica goes through them: accept, prepare, commit.
//!
//! - **Accept** a PRE-PREPARE: of the primary, in this view, not while changing views, between the watermarks and not below the
//!   view's start, no other accepted for this height, its parent the block accepted one height below (or committed there).
//! - **Prepare**: the block is executed, and the height below is prepared in this view. For the view's first height body and
//!   ancestors are enough.
//! - **Commit**: a quorum's PREPAREs and the executed block. In one flush with the promise: the body and the prepared certificate.
//! - **One block for both**: who was shown one block and prepared it, and then sees a quorum prepare another there, does not COMMIT that
//!   one, nor the other way round: else its name would stand among those of liars under both (`fork`). Only a primary that lies
//!   brings this about, and if its view lacks that COMMIT, the next one makes the block final.

use super::{
    Ballot, Commit, Message, Pbft, PrePrepare, Prepare, Record, Stepped, Vote, certificate::name, evidence::accuse,
};
use crate::{Executed, Ignored, Request, block_tree::Execution, tally::Polled};
use quorate_crypto::{Certificate, Scheme};
use quorate_types::{Block, Digest, Height, ReplicaId, View};

/// Heights above the last commit of which anything is kept, however wide the window: whoever is further behind catches up first.
const AHEAD: u64 = 64;

/// Whether a message of this view and height can be used now.
enum Timing {
    Now,
    Early,
    Never(Ignored),
}

impl<S: Scheme> Pbft<S> {
    fn timing(&self, view: View, height: Height) -> Timing {
        // One that has left the last view and waits for the next says nothing more in it, but learns what the others decide.
        if view != self.begun() {
            let is_early = view >= self.view && view > self.begun();
            return if is_early { Timing::Early } else { Timing::Never(Ignored::StaleView) };
        }
        // The view's tip may be what is committed here already: others still need our votes for it.
        let is_open = height > self.root() || self.log.accepted(height).is_some();
        let is_near = height.0 <= self.root().0.saturating_add(AHEAD);
        if height < self.start || !self.window().contains(height) || !is_near {
            Timing::Never(Ignored::OutsideWindow)
        } else if !is_open {
            Timing::Never(Ignored::Duplicate)
        } else {
            Timing::Now
        }
    }

    /// Handles, keeps or drops a message by its view and height.
    fn is_timely(&mut self, from: ReplicaId, ballot: Ballot, message: Message<S>, step: &mut Stepped<S>) -> bool {
        match self.timing(ballot.view, ballot.height) {
            Timing::Now => return true,
            Timing::Early => {
                self.early.keep(from, ballot.view, message);
                step.ignore(Ignored::FutureView);
            }
            Timing::Never(why) => step.ignore(why),
        }
        false
    }

    pub(super) fn on_pre_prepare(&mut self, from: ReplicaId, pre_prepare: PrePrepare<S>, step: &mut Stepped<S>) {
        let (view, height) = (pre_prepare.view, pre_prepare.block.header.height);
        let message = || Message::PrePrepare(Box::new(pre_prepare.clone()));
        if !self.is_timely(from, pre_prepare.ballot(), message(), step) {
            return;
        }
        let entry = self.log.entry(height);
        if let Some(earlier) = entry.pre_prepare.clone() {
            if earlier.block == pre_prepare.block {
                return step.ignore(Ignored::Duplicate);
            }
            accuse(self.primary(view), &earlier, &pre_prepare, step);
            // No need to wait for a timer: this primary is a liar.
            if view == self.view {
                self.change_view(view.next(), step);
            }
            return;
        }
        entry.pre_prepare = Some(pre_prepare);
        self.count_primarys_prepare(height, step);
        self.accept_what_fits(step);
    }

    /// The PREPARE that came with a PRE-PREPARE.
    pub(super) fn count_primarys_prepare(&mut self, height: Height, step: &mut Stepped<S>) {
        let Some(pre_prepare) = self.log.get(height).and_then(|entry| entry.pre_prepare.as_ref()) else { return };
        let (statement, signature) = (Prepare(pre_prepare.ballot()), pre_prepare.prepare.clone());
        let voter = self.primary(pre_prepare.view);
        self.count_prepare(Vote { statement, voter, signature }, step);
    }

    /// Accepts, from below, every block whose parent is the one accepted or committed below it.
    pub(super) fn accept_what_fits(&mut self, step: &mut Stepped<S>) {
        for height in self.log.heights() {
            let Some(entry) = self.log.get(height) else { continue };
            let (None, Some(pre_prepare)) = (entry.accepted, &entry.pre_prepare) else { continue };
            if self.expected_parent(height) == Some(pre_prepare.block.header.parent) {
                let block = pre_prepare.block.clone();
                let digest = block.digest();
                self.log.entry(height).accepted = Some(digest);
                self.hold(digest, block, self.primary(self.view), step);
            }
        }
        self.advance(step);
    }

    /// The block that a new one at `height` must extend.
    fn expected_parent(&self, height: Height) -> Option<Digest> {
        let below = Height(height.0.checked_sub(1)?);
        if below == self.root() {
            return Some(self.tree.root_digest());
        }
        let checkpoint = &self.low.checkpoint;
        self.log.accepted(below).or_else(|| (checkpoint.height == below).then_some(checkpoint.block))
    }

    pub(super) fn on_prepare(&mut self, from: ReplicaId, vote: Vote<Prepare, S>, step: &mut Stepped<S>) {
        let ballot = vote.statement.0;
        if self.is_timely(from, ballot, Message::Prepare(vote.clone()), step) {
            self.challenge(from, ballot, step);
            self.count_prepare(vote, step);
            self.advance(step);
        }
    }

    /// Somebody prepares another block than ours: show it our PRE-PREPARE, once. If it has a different one, it has the primary.
    fn challenge(&mut self, voter: ReplicaId, ballot: Ballot, step: &mut Stepped<S>) {
        let Some(entry) = self.log.get_mut(ballot.height) else { return };
        let Some(pre_prepare) = &entry.pre_prepare else { return };
        if pre_prepare.ballot() != ballot && entry.challenged.insert(voter) {
            step.send(voter, Message::PrePrepare(Box::new(pre_prepare.clone())));
        }
    }

    fn count_prepare(&mut self, vote: Vote<Prepare, S>, step: &mut Stepped<S>) {
        let Vote { statement, voter, signature } = vote.clone();
        let scheme = self.safety.scheme().clone();
        let entry = self.log.entry(statement.0.height);
        match entry.prepares.add(voter, statement, signature, &scheme, &mut self.excluded) {
            Polled::Counted | Polled::Excluded => {}
            Polled::Duplicate => step.ignore(Ignored::Duplicate),
            Polled::Equivocation((statement, signature)) => {
                accuse(voter, &Vote { statement, voter, signature }, &vote, step);
            }
            Polled::Certified(proof) => {
                // What a quorum has prepared is what this height has, whatever the primary told us.
                entry.accepted = Some(statement.0.block);
                let certificate = Certificate { statement, proof };
                self.seen.remember(name(&certificate));
                entry.prepared = Some(certificate.clone());
                if !self.tree.contains(&statement.0.block) {
                    self.want(statement.0.block, statement.0.height, voter, step);
                }
                self.keep_prepared(certificate);
                self.halt_if_certified(step);
            }
        }
    }

    /// The greatest (view, height) is kept for ever.
    pub(super) fn keep_prepared(&mut self, certificate: super::PreparedCertificate<S>) {
        let rank = |certificate: &super::PreparedCertificate<S>| {
            (certificate.statement.0.view, certificate.statement.0.height)
        };
        if self.prepared.as_ref().is_none_or(|known| rank(known) < rank(&certificate)) {
            self.prepared = Some(certificate);
        }
    }

    /// Says whatever the log allows by now, from below.
    pub(super) fn advance(&mut self, step: &mut Stepped<S>) {
        if !self.is_active() || self.safety.is_silent() {
            return;
        }
        for height in self.log.heights() {
            let Some(digest) = self.log.accepted(height) else { continue };
            if height < self.start || !self.window().contains(height) || !self.tree.is_executed(&digest) {
                continue;
            }
            let ballot = Ballot { view: self.view, height, block: digest };
            if self.may_prepare(ballot) {
                self.prepare(ballot, step);
            }
            self.commit(ballot, step);
        }
        self.try_propose(step);
    }

    /// The height below is prepared in this view, or final, and it is the block's parent; or the view starts from this block.
    fn may_prepare(&self, ballot: Ballot) -> bool {
        let tip = self.entry.as_ref().and_then(|entry| entry.tip.as_ref());
        if let Some(tip) = tip.filter(|_| ballot.height == self.start) {
            return tip.block.digest() == ballot.block;
        }
        let below = Height(ballot.height.0.saturating_sub(1));
        let is_prepared = || self.log.get(below).is_some_and(|entry| entry.prepared.is_some());
        let parent = self.tree.header(&ballot.block).map(|header| header.parent);
        (below <= self.root() || is_prepared()) && parent == self.expected_parent(ballot.height)
    }

    fn prepare(&mut self, ballot: Ballot, step: &mut Stepped<S>) {
        if self.safety.has_said_otherwise(&Commit(ballot)) {
            return;
        }
        let entry = self.log.entry(ballot.height);
        if std::mem::replace(&mut entry.has_sent_prepare, true) {
            return;
        }
        self.record_bodies(ballot.block, step);
        let statement = Prepare(ballot);
        match self.safety.sign(&statement, step) {
            Ok(signature) => {
                let vote = Vote { statement, voter: self.me(), signature };
                step.broadcast(Message::Prepare(vote.clone()));
                self.count_prepare(vote, step);
            }
            Err(refusal) => step.ignore(Ignored::Refused(refusal)),
        }
    }

    fn commit(&mut self, ballot: Ballot, step: &mut Stepped<S>) {
        let entry = self.log.entry(ballot.height);
        let Some(certificate) = entry.prepared.clone() else { return };
        if self.safety.has_said_otherwise(&Prepare(ballot)) {
            return;
        }
        let entry = self.log.entry(ballot.height);
        if std::mem::replace(&mut entry.has_sent_commit, true) {
            return;
        }
        self.record_bodies(ballot.block, step);
        step.record(Record::Prepared(certificate));
        let statement = Commit(ballot);
        match self.safety.sign(&statement, step) {
            Ok(signature) => {
                let vote = Vote { statement, voter: self.me(), signature };
                step.broadcast(Message::Commit(vote.clone()));
                self.count_commit(vote, step);
            }
            Err(refusal) => step.ignore(Ignored::Refused(refusal)),
        }
    }

    pub(super) fn on_commit(&mut self, from: ReplicaId, vote: Vote<Commit, S>, step: &mut Stepped<S>) {
        if self.is_timely(from, vote.statement.0, Message::Commit(vote.clone()), step) {
            self.count_commit(vote, step);
        }
    }

    pub(super) fn count_commit(&mut self, vote: Vote<Commit, S>, step: &mut Stepped<S>) {
        let Vote { statement, voter, signature } = vote.clone();
        let scheme = self.safety.scheme().clone();
        let entry = self.log.entry(statement.0.height);
        match entry.commits.add(voter, statement, signature, &scheme, &mut self.excluded) {
            Polled::Counted => self.ask_if_behind(voter, statement, step),
            Polled::Excluded => {}
            Polled::Duplicate => step.ignore(Ignored::Duplicate),
            Polled::Equivocation((statement, signature)) => {
                accuse(voter, &Vote { statement, voter, signature }, &vote, step);
            }
            Polled::Certified(proof) => {
                let certificate = Certificate { statement, proof };
                self.seen.remember(name(&certificate));
                self.on_commit_certificate(certificate, voter, step);
            }
        }
    }

    /// Puts a block into the tree, or aside until its ancestors are here.
    pub(super) fn hold(&mut self, digest: Digest, block: Block, from: ReplicaId, step: &mut Stepped<S>) {
        let (parent, height) = (block.header.parent, block.header.height);
        if height <= self.root() || self.tree.contains(&digest) {
            return;
        }
        if self.tree.contains(&parent) {
            self.insert(digest, block, step);
            self.connect_orphans(step);
        } else {
            self.fetcher.adopt(digest, block);
            self.want(parent, Height(height.0 - 1), from, step);
        }
    }

    pub(super) fn insert(&mut self, digest: Digest, block: Block, step: &mut Stepped<S>) {
        if self.tree.insert(digest, block) {
            let prepared = self.prepared.as_ref().map(|prepared| prepared.statement.0.block);
            let target = self.commit_target.as_ref().map(|(target, _)| *target);
            let accepted = self.log.all_accepted().map(|(_, accepted)| accepted);
            let protected: Vec<_> = accepted.chain(prepared).chain(target).chain([digest]).collect();
            self.tree.trim(&protected);
            self.execute_if_possible(digest, step);
            self.finalise_known(step);
        }
    }

    /// Asks the host to execute a block whose parent is executed.
    pub(super) fn execute_if_possible(&self, digest: Digest, step: &mut Stepped<S>) {
        let Some(node) = self.tree.get(&digest) else { return };
        if node.execution == Execution::Waiting && self.tree.is_executed(&node.held.header.parent) {
            step.request(Request::Execute { block: node.held.clone(), holder: node.held.header.proposer });
        }
    }

    pub(super) fn on_executed(&mut self, block: Digest, outcome: Executed, step: &mut Stepped<S>) {
        let Some(node) = self.tree.get_mut(&block) else { return step.ignore(Ignored::Unasked) };
        if node.execution != Execution::Waiting {
            return step.ignore(Ignored::Duplicate);
        }
        match outcome {
            Executed::Valid => node.execution = Execution::Valid,
            Executed::Invalid => {
                node.execution = Execution::Invalid;
                step.ignore(Ignored::Invalid);
                return self.halt_if_certified(step);
            }
        }
        let children: Vec<_> = self.tree.children(block).map(|(digest, _)| *digest).collect();
        for child in children {
            self.execute_if_possible(child, step);
        }
        self.try_commit(step);
        if !self.halted {
            self.try_new_view(step);
            self.advance(step);
        }
    }

    /// A quorum's PREPAREs vouch for a block's result. If ours differs, our state is wrong, or more than f replicas lie.
    pub(super) fn halt_if_certified(&mut self, step: &mut Stepped<S>) {
        let prepared = self.prepared.as_ref().map(|prepared| prepared.statement.0.block);
        let target = self.commit_target.as_ref().map(|(block, _)| *block);
        let wrong = [prepared, target].into_iter().flatten().find_map(|block| self.tree.wrong_below(&block));
        if let Some(block) = wrong {
            self.halt(format!("a quorum certified block {block}, but executing it here gives another result"), step);
        }
    }
}
