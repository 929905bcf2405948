//! Certificates: what each one teaches, locks and commits.

use super::{
    Ballot, Certificates, CommitProof, HotStuff, JustifiedBlock, Message, QuorumCertificate, Stepped,
    TimeoutCertificate, Vote, rules, tally::Added,
};
use crate::{Action, Evidence, Ignored, Slot, evidence::Said};
use quorate_crypto::Scheme;
use quorate_types::{Digest, Header, ReplicaId, decode, encode};
use std::collections::BTreeSet;

impl<S: Scheme> HotStuff<S> {
    /// Counts a vote, of this view or of one already left. A certificate that it completes is taken, and passed on to those
    /// who would not get it otherwise.
    pub(super) fn on_vote(&mut self, vote: Vote<S>, step: &mut Stepped<S>) {
        let scheme = self.safety.scheme().clone();
        match self.votes.add(vote.clone(), self.view, &scheme) {
            Added::Counted => {}
            Added::Duplicate => step.ignore(Ignored::Duplicate),
            Added::OutsideWindow => step.ignore(Ignored::OutsideWindow),
            Added::Equivocation(earlier) => {
                step.act(Action::Accuse(Box::new(Evidence::contradiction(vote.voter, said(&earlier), said(&vote)))));
                step.ignore(Ignored::Equivocation);
            }
            Added::Certified(qc) => {
                self.seen.remember(qc.name());
                let is_late = qc.view().next() < self.view;
                let is_mine_to_propose_on = self.leader(qc.view().next(), &qc.block()) == Some(self.safety.id());
                self.on_qc(&qc, self.safety.id(), step);
                if is_late || !is_mine_to_propose_on {
                    self.pass_on(&qc, step);
                }
            }
        }
    }

    /// To the leaders of this view and, should it fail, of the next, who can use it.
    fn pass_on(&mut self, qc: &QuorumCertificate<S>, step: &mut Stepped<S>) {
        let next = self.leader(self.view.next(), &self.opening().block());
        let leaders = BTreeSet::from([self.leader_now(), next]);
        for leader in leaders.into_iter().flatten().filter(|leader| *leader != self.safety.id()) {
            let certificates = Certificates { high_qc: qc.clone(), entry: None, is_whole: false };
            step.send(leader, Message::Certificates(Box::new(certificates)));
        }
    }

    /// Takes a verified quorum certificate: the greatest known, the lock, commits, the next view. `from` certainly holds
    /// what it certifies.
    pub(super) fn on_qc(&mut self, qc: &QuorumCertificate<S>, from: ReplicaId, step: &mut Stepped<S>) {
        if self.halted {
            return;
        }
        if qc.view() > self.high_qc.view() {
            self.high_qc = qc.clone();
        }
        if self.tree.contains(&qc.block()) {
            self.follow_chain(qc, step);
        } else if qc.height() > self.tree.root().height {
            self.want(qc, from, step);
        }
        if qc.view() >= self.view && !self.halted {
            self.enter(qc.view().next(), None, step);
        }
    }

    /// Takes a verified timeout certificate, and first the quorum certificate in it.
    pub(super) fn on_tc(&mut self, tc: &TimeoutCertificate<S>, from: ReplicaId, step: &mut Stepped<S>) {
        self.on_qc(&tc.high_qc, from, step);
        if self.halted {
            return;
        }
        if tc.view >= self.view {
            self.enter(tc.view.next(), Some(tc.clone()), step);
        } else if tc.view.next() == self.view && self.safety.latest(Slot::Proposal) < Some(self.view) {
            self.prefer(tc, step);
        }
    }

    /// Several timeout certificates of one view may carry different certificates, by which different replicas lead the next.
    /// Who goes by the highest comes to agree with the others.
    fn prefer(&mut self, tc: &TimeoutCertificate<S>, step: &mut Stepped<S>) {
        if self.entry.as_ref().is_some_and(|entry| entry.high_qc.view() < tc.high_qc.view()) {
            self.entry = Some(tc.clone());
            self.try_propose(step);
        }
    }

    /// Locks and commits what a certificate for a held block implies.
    fn follow_chain(&mut self, qc: &QuorumCertificate<S>, step: &mut Stepped<S>) {
        if let Some(wrong) = self.tree.wrong_below(&qc.block()) {
            return self.halt_over(wrong, step);
        }
        if let Some(locked) = rules::locked_by(qc, &self.tree)
            && locked.view() > self.locked_qc.view()
        {
            self.locked_qc = locked.clone();
        }
        let Some(proof) = rules::committed_by(qc, &self.tree) else { return };
        let block = proof.child.parent;
        if block == self.tree.root_digest() {
            return;
        }
        let is_newer = |target: &CommitProof<S>| proof.child.height > target.child.height;
        if self.commit_target.as_ref().is_none_or(|(_, target)| is_newer(target)) {
            self.commit_target = Some((block, proof));
            self.try_commit(step);
        }
    }

    /// Adds a block above one that is held, with everything its justify and the certificates known for it teach.
    pub(super) fn add_block(&mut self, digest: Digest, justified: JustifiedBlock<S>, step: &mut Stepped<S>) {
        let justify = justified.justify.clone();
        if !self.tree.insert(digest, justified) {
            return;
        }
        let protected = [self.high_qc.block(), self.locked_qc.block(), digest];
        self.tree.trim(&protected);
        self.follow_chain(&justify, step);
        if self.high_qc.block() == digest {
            let high_qc = self.high_qc.clone();
            self.follow_chain(&high_qc, step);
        }
        self.execute_if_possible(digest, step);
    }

    /// Once more through everything held, after a restart.
    pub(super) fn reconsider(&mut self, step: &mut Stepped<S>) {
        let held = self.tree.by_height();
        let justifies = held.iter().filter_map(|digest| self.tree.get(digest));
        let certificates: Vec<_> = justifies.map(|node| node.held.justify.clone()).collect();
        for qc in certificates {
            self.follow_chain(&qc, step);
        }
        let high_qc = self.high_qc.clone();
        let holder = self.holder(&high_qc);
        self.on_qc(&high_qc, holder, step);
    }

    /// Commits the target once everything up to it is executed.
    pub(super) fn try_commit(&mut self, step: &mut Stepped<S>) {
        let Some((block, proof)) = &self.commit_target else { return };
        let Some(path) = self.tree.path(block) else {
            let (why, root) = (format!("block {block} is certified final"), self.tree.root_digest());
            return self.halt(format!("{why}, but it does not stand above our committed block {root}"), step);
        };
        if !path.iter().all(|digest| self.tree.is_executed(digest)) {
            return self.run_fetch_timer(step);
        }
        let (block, proof) = (*block, proof.clone());
        self.commit_target = None;
        // The ledger may lose it in a crash. Were it not in the journal either, because it was fetched and not voted for, the
        // bodies above it that votes rest on would hang in the air.
        self.record_bodies(block, step);
        for committed in self.tree.commit(&block) {
            self.proposers.add(&committed.block.header);
            if !committed.block.payload.is_empty() {
                self.last_nonempty = committed.block.header.height;
            }
            for batch in &committed.block.payload {
                self.ready.remove(batch);
            }
        }
        self.pacemaker.committed();
        self.fetcher.forget_up_to(self.tree.root().height);
        step.commit(block, encode(&proof));
        self.root_proof = Some(proof);
        self.on_root_moved(step);
    }

    /// Block sync brought the ledger to `head`.
    pub(super) fn on_synced(
        &mut self,
        head: Header,
        proof: &[u8],
        batches: &[Digest],
        recent: &[Header],
        step: &mut Stepped<S>,
    ) {
        for batch in batches {
            self.ready.remove(batch);
        }
        self.fetcher.synced();
        if head.height <= self.tree.root().height {
            return step.ignore(Ignored::Duplicate);
        }
        self.proposers.advance(&head, recent);
        self.tree.reset(head);
        // The ledger may have dropped what it was to build on.
        self.building = None;
        let is_above = |block: &Digest| *block != self.tree.root_digest() && self.tree.contains(block);
        if self.commit_target.as_ref().is_some_and(|(block, _)| !is_above(block)) {
            self.commit_target = None;
        }
        self.pacemaker.committed();
        self.fetcher.forget_up_to(self.tree.root().height);
        for digest in self.tree.by_height() {
            self.execute_if_possible(digest, step);
        }
        self.root_proof = decode(proof).ok();
        if let Some(proof) = self.root_proof.clone() {
            self.on_qc(&proof.qc, proof.grandchild.proposer, step);
        }
        self.connect_orphans(step);
        self.follow(step);
        self.on_root_moved(step);
        self.try_propose(step);
    }
}

fn said<S: Scheme>(vote: &Vote<S>) -> Said<Ballot> {
    Said::voted::<S>(vote.ballot, &vote.signature)
}
