//! Leading a view: when to propose, what, and on which certificate.

use super::{Ballot, HotStuff, JustifiedBlock, Message, Proposal, ProposalStatement, Record, Stepped};
use crate::{Ignored, Request, Slot, Timer, block_tree::Execution};
use quorate_crypto::Scheme;
use quorate_types::{Block, Digest, View};
use std::collections::BTreeSet;

impl<S: Scheme> HotStuff<S> {
    /// Asks for a block to propose, if this replica leads the view and there is a reason to.
    pub(super) fn try_propose(&mut self, step: &mut Stepped<S>) {
        if !self.may_lead() {
            return;
        }
        if self.entry.is_some() || self.is_news_due() || !self.proposable().is_empty() {
            self.build(step);
        } else if let Some(interval) = self.pacemaker.block_interval() {
            step.request(Request::SetTimer { timer: Timer::Pace(self.view), after: interval });
        }
    }

    pub(super) fn on_pace_timer(&mut self, view: View, step: &mut Stepped<S>) {
        if view != self.view {
            step.ignore(Ignored::StaleTimer);
        } else if self.may_lead() {
            self.build(step);
        }
    }

    /// It leads this view, has not proposed or left it, and holds and has executed the block to extend: it never proposes
    /// on an older certificate than the greatest it knows.
    fn may_lead(&self) -> bool {
        self.leads()
            && self.building.is_none()
            && !self.safety.is_silent()
            && self.safety.latest(Slot::Proposal) < Some(self.view)
            && !self.has_left(self.view)
            && self.tree.is_executed(&self.high_qc.block())
    }

    fn build(&mut self, step: &mut Stepped<S>) {
        let batches: Vec<_> = self.proposable().into_iter().take(self.max_block_batches).collect();
        self.building = Some(batches.clone());
        step.request(Request::Build { parent: self.high_qc.block(), view: self.view, batches });
    }

    /// A host whose ledger has moved on may have had nothing to say to a request. The same batches again, so that whichever
    /// answer comes first is one to this.
    pub(super) fn build_again(&self, step: &mut Stepped<S>) {
        if let Some(batches) = self.building.clone()
            && self.leads()
            && self.tree.is_executed(&self.high_qc.block())
        {
            step.request(Request::Build { parent: self.high_qc.block(), view: self.view, batches });
        }
    }

    /// Batches that no block on the branch to extend contains.
    fn proposable(&self) -> Vec<Digest> {
        let path = self.tree.path(&self.high_qc.block()).unwrap_or_default();
        let nodes = path.iter().filter_map(|digest| self.tree.get(digest));
        let taken: BTreeSet<_> = nodes.flat_map(|node| node.held.block.payload.iter()).collect();
        self.ready.iter().filter(|batch| !taken.contains(batch)).copied().collect()
    }

    /// A non-empty block is uncommitted, or its commit has not been told to the others by a proposal.
    fn is_news_due(&self) -> bool {
        self.is_chain_nonempty() || self.last_nonempty > self.announced
    }

    /// Whether an uncommitted block below the greatest certificate has transactions.
    pub(super) fn is_chain_nonempty(&self) -> bool {
        let path = self.tree.path(&self.high_qc.block()).unwrap_or_default();
        path.iter().filter_map(|digest| self.tree.get(digest)).any(|node| !node.held.block.payload.is_empty())
    }

    pub(super) fn on_built(&mut self, block: Block, step: &mut Stepped<S>) {
        let header = &block.header;
        if header.view != self.view {
            // Of an earlier view that this replica led: the answer for this one is still to come.
            return step.ignore(Ignored::StaleView);
        }
        let Some(asked) = self.building.take() else { return step.ignore(Ignored::Unasked) };
        if header.parent != self.high_qc.block() {
            // A newer certificate came meanwhile; a leader never extends an older one.
            return self.try_propose(step);
        }
        if !self.leads() {
            return step.ignore(Ignored::NotFromLeader);
        }
        for batch in asked.iter().filter(|batch| !block.payload.contains(batch)) {
            self.ready.remove(batch);
        }
        let ballot = Ballot::of(header);
        let attestation = match self.safety.attest(&ProposalStatement(ballot), step) {
            Ok(attestation) => attestation,
            Err(refusal) => return step.ignore(Ignored::Refused(refusal)),
        };
        let entry = self.entry.clone().filter(|_| self.high_qc.view().next() < self.view);
        let justified = JustifiedBlock { block, justify: self.high_qc.clone() };
        if self.tree.insert(ballot.block, justified.clone())
            && let Some(node) = self.tree.get_mut(&ballot.block)
        {
            node.execution = Execution::Valid;
        }
        let proposal = Proposal { justified, entry, attestation };
        self.announced = self.announced.max(self.told_by(&proposal.justified.justify));
        self.record_what_a_vote_rests_on(ballot.block, step);
        step.broadcast(Message::Proposal(Box::new(proposal.clone())));
        self.pending = Some(proposal);
        self.try_vote(step);
    }

    /// After a restart in a view that it had proposed in, a leader sends the same proposal again: the promise allows the
    /// same statement and no other.
    pub(super) fn repeat_proposal(&mut self, step: &mut Stepped<S>) {
        if self.safety.latest(Slot::Proposal) != Some(self.view) {
            return;
        }
        let mine = |digest: &Digest| {
            self.tree.get(digest).filter(|node| {
                let header = &node.held.block.header;
                header.view == self.view && header.proposer == self.safety.id()
            })
        };
        let Some(justified) = self.tree.by_height().iter().find_map(mine).map(|node| node.held.clone()) else {
            return;
        };
        let ballot = Ballot::of(&justified.block.header);
        let Ok(attestation) = self.safety.attest(&ProposalStatement(ballot), step) else { return };
        let entry = self.entry.clone().filter(|_| justified.justify.view().next() < self.view);
        step.broadcast(Message::Proposal(Box::new(Proposal { justified, entry, attestation })));
    }

    /// Files the bodies of `block` and its ancestors that the journal lacks, and the certificates of now.
    pub(super) fn record_what_a_vote_rests_on(&mut self, block: Digest, step: &mut Stepped<S>) {
        self.record_bodies(block, step);
        step.record(self.certificates_record());
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
}
