//! The primary: when to propose, what, and on which block.

use super::{Ballot, Commit, Message, Pbft, PrePrepare, PrePrepareStatement, Prepare, Record, Stepped};
use crate::{Ignored, Refusal, Request, Timer};
use quorate_crypto::Scheme;
use quorate_types::{Block, Digest, Height, View};
use std::collections::BTreeSet;

/// Heights in flight at most: more would only make smaller blocks.
const PIPELINE: usize = 4;

impl<S: Scheme> Pbft<S> {
    /// Asks for a block to propose, if this replica is the primary and there are batches for one.
    pub(super) fn try_propose(&mut self, step: &mut Stepped<S>) {
        if let Some((_, parent)) = self.may_propose() {
            let batches = self.proposable();
            if !batches.is_empty() {
                self.build(parent, batches, step);
            }
        }
    }

    /// An empty block, where the genesis asks for one every so often.
    pub(super) fn on_pace_timer(&mut self, view: View, step: &mut Stepped<S>) {
        self.timers.pace = None;
        if view != self.view {
            return step.ignore(Ignored::StaleTimer);
        }
        if self.in_flight().next().is_none()
            && let Some((_, parent)) = self.may_propose()
        {
            self.build(parent, self.proposable(), step);
        }
    }

    /// The height to propose and the block to extend. The block below is executed, the height inside the watermarks and not below
    /// what the view starts with.
    fn may_propose(&self) -> Option<(Height, Digest)> {
        let is_free = self.is_active() && self.is_primary() && self.building.is_none() && !self.safety.is_silent();
        if !is_free || self.in_flight().count() >= PIPELINE {
            return None;
        }
        let (below, parent) = self.highest_accepted();
        let height = below.next();
        let may = height >= self.start && self.window().contains(height) && self.tree.is_executed(&parent);
        may.then_some((height, parent))
    }

    /// The top of the view's chain: the last accepted block, or the last committed one.
    fn highest_accepted(&self) -> (Height, Digest) {
        let root = (self.root(), self.tree.root_digest());
        self.log.all_accepted().next_back().filter(|(height, _)| *height > root.0).unwrap_or(root)
    }

    fn build(&mut self, parent: Digest, batches: Vec<Digest>, step: &mut Stepped<S>) {
        self.building = Some(batches.clone());
        step.request(Request::Build { parent, view: self.view, batches });
    }

    /// Batches of the uncommitted chain that a new block extends: a view's tip may have ancestors that no message of the view named.
    fn taken(&self) -> BTreeSet<Digest> {
        let chain = self.tree.path(&self.highest_accepted().1).unwrap_or_default();
        let blocks = chain.iter().filter_map(|digest| self.tree.get(digest));
        blocks.flat_map(|node| node.held.payload.iter().copied()).collect()
    }

    /// Batches that the uncommitted chain does not contain.
    fn proposable(&self) -> Vec<Digest> {
        let taken = self.taken();
        self.ready.iter().filter(|batch| !taken.contains(batch)).take(self.max_block_batches).copied().collect()
    }

    /// The oldest batch that the uncommitted chain does not contain.
    pub(super) fn oldest_waiting(&self) -> Option<Digest> {
        let taken = self.taken();
        self.ready.iter().find(|batch| !taken.contains(batch)).copied()
    }

    pub(super) fn on_built(&mut self, block: Block, step: &mut Stepped<S>) {
        if block.header.view != self.view {
            // Of an earlier view that this replica led: the answer for this one is still to come.
            return step.ignore(Ignored::StaleView);
        }
        let Some(asked) = self.building.take() else { return step.ignore(Ignored::Unasked) };
        for batch in asked.iter().filter(|batch| !block.payload.contains(batch)) {
            self.ready.remove(batch);
        }
        if self.may_propose() != Some((block.header.height, block.header.parent)) {
            return self.try_propose(step);
        }
        if block.payload.is_empty() && !asked.is_empty() {
            // Everything asked for was spent already.
            return self.try_propose(step);
        }
        if self.safety.has_said_otherwise(&Commit(Ballot::of(self.view, &block.header))) {
            // Before a crash it saw a quorum prepare there what it never proposed, and has committed that (`backup`).
            return step.ignore(Ignored::Unsafe);
        }
        self.record_what_begins_with(&block, step);
        match self.pre_prepare(block, step) {
            Ok(pre_prepare) => {
                step.broadcast(Message::PrePrepare(Box::new(pre_prepare.clone())));
                self.accept_own(pre_prepare, step);
                self.try_propose(step);
            }
            Err(refusal) => step.ignore(Ignored::Refused(refusal)),
        }
    }

    /// A block of our own is executed already.
    fn record_what_begins_with(&mut self, block: &Block, step: &mut Stepped<S>) {
        let digest = block.digest();
        if self.tree.insert(digest, block.clone())
            && let Some(node) = self.tree.get_mut(&digest)
        {
            node.execution = crate::block_tree::Execution::Valid;
        }
        self.record_bodies(digest, step);
    }

    /// Signs a proposal for this view, and the PREPARE that goes with it.
    pub(super) fn pre_prepare(&mut self, block: Block, step: &mut Stepped<S>) -> Result<PrePrepare<S>, Refusal> {
        let ballot = Ballot::of(self.view, &block.header);
        let attestation = self.safety.attest(&PrePrepareStatement(ballot), step)?;
        let prepare = self.safety.sign(&Prepare(ballot), step)?;
        Ok(PrePrepare { view: self.view, block, attestation, prepare })
    }

    /// Takes our own proposal into the log.
    pub(super) fn accept_own(&mut self, pre_prepare: PrePrepare<S>, step: &mut Stepped<S>) {
        let height = pre_prepare.block.header.height;
        let entry = self.log.entry(height);
        entry.has_sent_prepare = true;
        entry.accepted = Some(pre_prepare.block.digest());
        entry.pre_prepare = Some(pre_prepare);
        self.count_primarys_prepare(height, step);
        self.advance(step);
    }

    /// Files the bodies of `block` and its ancestors that the journal lacks.
    pub(super) fn record_bodies(&mut self, block: Digest, step: &mut Stepped<S>) {
        for digest in self.tree.path(&block).unwrap_or_default() {
            if let Some(node) = self.tree.get_mut(&digest)
                && !std::mem::replace(&mut node.recorded, true)
            {
                step.record(Record::Block(node.held.clone()));
            }
        }
    }

    /// The pace of empty blocks, while nothing is in flight.
    pub(super) fn run_pace_timer(&mut self, step: &mut Stepped<S>) {
        if let Some(interval) = self.pacemaker.block_interval()
            && self.timers.pace != Some(self.view)
            && self.in_flight().next().is_none()
            && self.may_propose().is_some()
        {
            self.timers.pace = Some(self.view);
            step.request(Request::SetTimer { timer: Timer::Pace(self.view), after: interval });
        }
    }
}
