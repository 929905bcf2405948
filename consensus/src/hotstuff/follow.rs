//! Following a leader: a proposal comes, its certificates are taken, its block is executed, and then, if the rules allow,
//! it is voted for.

use super::{Ballot, HotStuff, Message, Proposal, ProposalStatement, QuorumCertificate, Record, Stepped, Vote, rules};
use crate::{Action, Evidence, Executed, Ignored, Request, block_tree::Execution, safety_rules::Promised};
use quorate_crypto::{Scheme, Statement};
use quorate_types::{Digest, Height, ReplicaId, encode};

impl<S: Scheme> HotStuff<S> {
    pub(super) fn on_proposal(&mut self, from: ReplicaId, proposal: Proposal<S>, step: &mut Stepped<S>) {
        let header = &proposal.justified.block.header;
        let view = header.view;
        if self.leader(view) != from {
            return step.ignore(Ignored::NotFromLeader);
        }
        self.on_qc(&proposal.justified.justify, from, step);
        if let Some(entry) = &proposal.entry {
            self.on_tc(entry, from, step);
        }
        if self.halted {
            return;
        }
        match view.cmp(&self.view) {
            std::cmp::Ordering::Less => return step.ignore(Ignored::StaleView),
            std::cmp::Ordering::Greater => return step.ignore(Ignored::FutureView),
            std::cmp::Ordering::Equal => {}
        }
        if let Some(earlier) = &self.pending {
            if earlier.justified.block != proposal.justified.block {
                let evidence = equivocating_proposals(from, earlier, &proposal);
                step.act(Action::Accuse(Box::new(evidence)));
                return step.ignore(Ignored::Equivocation);
            }
            if self.tree.contains(&header.digest()) {
                return step.ignore(Ignored::Duplicate);
            }
        }
        if !rules::is_justified(&proposal) {
            return step.ignore(Ignored::Unjustified);
        }
        self.announced = self.announced.max(self.told_by(&proposal.justified.justify));
        let (digest, parent) = (header.digest(), header.parent);
        let justified = proposal.justified.clone();
        self.pending = Some(proposal);
        if self.tree.contains(&parent) {
            self.add_block(digest, justified, step);
            self.try_vote(step);
        } else {
            self.fetcher.adopt(digest, justified);
            self.want(&self.pending_justify(), from, step);
            step.ignore(Ignored::MissingAncestor);
        }
    }

    fn pending_justify(&self) -> QuorumCertificate<S> {
        self.pending.as_ref().map_or_else(|| self.high_qc.clone(), |pending| pending.justified.justify.clone())
    }

    /// Height up to which whoever takes `justify` knows the chain to be committed.
    pub(super) fn told_by(&self, justify: &QuorumCertificate<S>) -> Height {
        let told = rules::committed_by(justify, &self.tree);
        told.map_or(Height::GENESIS, |proof| Height(proof.child.height.0.saturating_sub(1)))
    }

    /// Votes for the pending proposal once its block is executed, if the rules allow.
    pub(super) fn try_vote(&mut self, step: &mut Stepped<S>) {
        let Some(proposal) = &self.pending else { return };
        let ballot = Ballot::of(&proposal.justified.block.header);
        match self.tree.get(&ballot.block).map(|node| node.execution) {
            Some(Execution::Valid) => {}
            Some(Execution::Waiting) | Some(Execution::Invalid) | None => return step.ignore(Ignored::NotExecuted),
        }
        if let Err(reason) = rules::is_safe(proposal, &self.locked_qc, &self.tree) {
            return step.ignore(reason);
        }
        if self.last_vote.as_ref().is_some_and(|vote| vote.ballot.view >= ballot.view) {
            return step.ignore(Ignored::Duplicate);
        }
        self.record_what_a_vote_rests_on(ballot.block, step);
        let signature = match self.safety.sign(&ballot, step) {
            Ok(signature) => signature,
            Err(refusal) => return step.ignore(Ignored::Refused(refusal)),
        };
        let vote = Vote { ballot, voter: self.safety.id(), signature };
        step.record(Record::Vote(vote.clone()));
        self.last_vote = Some(vote.clone());
        let next = self.leader(ballot.view.next());
        if next == self.safety.id() {
            self.on_vote(vote, step);
        } else {
            step.send(next, Message::Vote(vote));
        }
    }

    /// Asks the host to execute a block whose parent is executed.
    pub(super) fn execute_if_possible(&self, digest: Digest, step: &mut Stepped<S>) {
        let Some(node) = self.tree.get(&digest) else { return };
        let block = &node.held.block;
        if node.execution == Execution::Waiting && self.tree.is_executed(&block.header.parent) {
            step.request(Request::Execute { block: block.clone(), holder: block.header.proposer });
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
                return self.on_invalid(step);
            }
        }
        let children: Vec<_> = self.tree.children(block).map(|(digest, _)| *digest).collect();
        for child in children {
            self.execute_if_possible(child, step);
        }
        self.try_commit(step);
        if !self.halted {
            self.try_vote(step);
            self.try_propose(step);
        }
    }

    fn on_invalid(&mut self, step: &mut Stepped<S>) {
        if let Some(wrong) = self.tree.wrong_below(&self.high_qc.block()) {
            self.halt_over(wrong, step);
        }
    }

    /// A quorum's votes vouch for a block's result. If ours differs, our state is wrong, or more than f replicas lie.
    pub(super) fn halt_over(&mut self, block: Digest, step: &mut Stepped<S>) {
        self.halt(format!("a quorum certified block {block}, but executing it here gives another result"), step);
    }
}

fn equivocating_proposals<S: Scheme>(accused: ReplicaId, first: &Proposal<S>, second: &Proposal<S>) -> Evidence {
    let statement = |proposal: &Proposal<S>| ProposalStatement(Ballot::of(&proposal.justified.block.header));
    Evidence {
        accused,
        view: statement(first).view(),
        kind: ProposalStatement::KIND.to_owned(),
        first: encode(&(statement(first), &first.attestation)),
        second: encode(&(statement(second), &second.attestation)),
    }
}
