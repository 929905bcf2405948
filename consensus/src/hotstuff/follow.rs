//! Following a leader: a proposal comes, its certificates are taken, its block is executed, and then, if the rules allow,
//! it is voted for.

use super::{Ballot, HotStuff, Message, Proposal, ProposalStatement, QuorumCertificate, Record, Stepped, Vote, rules};
use crate::{Action, Evidence, Executed, Ignored, Request, block_tree::Execution, evidence::Said};
use quorate_crypto::Scheme;
use quorate_types::{Digest, Height, ReplicaId};

impl<S: Scheme> HotStuff<S> {
    pub(super) fn on_proposal(&mut self, from: ReplicaId, proposal: Proposal<S>, step: &mut Stepped<S>) {
        let header = &proposal.justified.block.header;
        let view = header.view;
        if self.leader_by(&proposal).is_some_and(|leader| leader != from) {
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
        if let Err(reason) = self.compare_with_pending(&proposal, step) {
            return step.ignore(reason);
        }
        if !rules::is_justified(&proposal) {
            return step.ignore(Ignored::Unjustified);
        }
        self.announced = self.announced.max(self.told_by(&proposal.justified.justify));
        self.pending = Some(proposal);
        self.follow(step);
    }

    /// A view has one proposal. Where timeout certificates differ it may have two leaders, and the first to come is taken, unless
    /// only the other is known to lead.
    fn compare_with_pending(&self, proposal: &Proposal<S>, step: &mut Stepped<S>) -> Result<(), Ignored> {
        let Some(earlier) = &self.pending else { return Ok(()) };
        let (known, new) = (&earlier.justified.block, &proposal.justified.block);
        if known == new {
            return if self.tree.contains(&new.digest()) { Err(Ignored::Duplicate) } else { Ok(()) };
        }
        if known.header.proposer == new.header.proposer {
            let evidence = Evidence::contradiction(new.header.proposer, said(earlier), said(proposal));
            step.act(Action::Accuse(Box::new(evidence)));
            return Err(Ignored::Equivocation);
        }
        let is_from_leader = |proposal| self.leader_by(proposal).is_some();
        if !is_from_leader(earlier) && is_from_leader(proposal) { Ok(()) } else { Err(Ignored::Duplicate) }
    }

    /// Takes the pending proposal's block in as soon as it is known who leads, and votes for it. Until then the blocks that this
    /// depends on are being fetched.
    pub(super) fn follow(&mut self, step: &mut Stepped<S>) {
        let Some(proposal) = &self.pending else { return };
        let (justified, from) = (proposal.justified.clone(), proposal.justified.block.header.proposer);
        match self.leader_by(proposal) {
            None => return step.ignore(Ignored::MissingAncestor),
            Some(leader) if leader != from => {
                self.pending = None;
                return step.ignore(Ignored::NotFromLeader);
            }
            Some(_) => {}
        }
        let (digest, justify) = (justified.block.digest(), justified.justify.clone());
        if self.tree.contains(&digest) {
            self.try_vote(step);
        } else if self.tree.contains(&justify.block()) {
            self.add_block(digest, justified, step);
            self.try_vote(step);
        } else {
            self.fetcher.adopt(digest, justified);
            self.want(&justify, from, step);
            step.ignore(Ignored::MissingAncestor);
        }
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
        if self.leader_by(proposal) != Some(proposal.justified.block.header.proposer) {
            return step.ignore(Ignored::NotFromLeader);
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
        self.send_vote(vote, step);
    }

    /// To whoever leads the next view if the votes make a certificate.
    pub(super) fn send_vote(&mut self, vote: Vote<S>, step: &mut Stepped<S>) {
        match self.leader(vote.ballot.view.next(), &vote.ballot.block) {
            Some(next) if next == self.safety.id() => self.on_vote(vote, step),
            Some(next) => step.send(next, Message::Vote(vote)),
            // Where the block is history, or was never held. Timeouts carry the vote as well.
            None => {}
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
                step.ignore(Ignored::Invalid);
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

fn said<S: Scheme>(proposal: &Proposal<S>) -> Said<ProposalStatement> {
    Said::attested::<S>(ProposalStatement(Ballot::of(&proposal.justified.block.header)), &proposal.attestation)
}
