//! Making blocks final: a quorum's COMMITs, or a stable checkpoint, for a block whose ancestors are all executed.

use super::{CommitCertificate, CommitProof, Pbft, Stepped};
use crate::Ignored;
use quorate_crypto::Scheme;
use quorate_types::{Digest, Header, Height, ReplicaId, decode, encode};

/// The commit certificate in a proof that the ledger keeps, if it is one.
pub(super) fn commit_certificate<S: Scheme>(proof: &[u8]) -> Option<CommitCertificate<S>> {
    match decode(proof) {
        Ok(CommitProof::Commit(certificate)) => Some(certificate),
        Ok(CommitProof::Checkpoint(_)) | Err(_) => None,
    }
}

impl<S: Scheme> Pbft<S> {
    /// Takes a verified commit certificate. `from` certainly knows of the block.
    pub(super) fn on_commit_certificate(
        &mut self,
        certificate: CommitCertificate<S>,
        from: ReplicaId,
        step: &mut Stepped<S>,
    ) {
        let ballot = certificate.statement.0;
        let known = self.committed.as_ref().map(|known| known.statement.0);
        if known.is_none_or(|known| (known.height, known.view) < (ballot.height, ballot.view)) {
            self.committed = Some(certificate.clone());
        }
        self.finalise(ballot.height, ballot.block, CommitProof::Commit(certificate), from, step);
    }

    /// The block is final: commits it as soon as it and its ancestors are here and executed.
    pub(super) fn finalise(
        &mut self,
        height: Height,
        block: Digest,
        proof: CommitProof<S>,
        from: ReplicaId,
        step: &mut Stepped<S>,
    ) {
        if self.halted || height < self.root() {
            return;
        }
        if height == self.root() {
            if block != self.tree.root_digest() {
                let ours = self.tree.root_digest();
                if let CommitProof::Commit(theirs) = &proof {
                    self.accuse_of_fork(theirs, step);
                }
                self.halt(format!("block {block} is proven final at {height}, where {ours} is committed here"), step);
            }
            return step.ignore(Ignored::Duplicate);
        }
        let target = self.commit_target.as_ref().and_then(|(target, _)| self.tree.header(target));
        if !self.tree.contains(&block) {
            self.want(block, height, from, step);
        } else if target.is_none_or(|target| target.height < height) {
            self.commit_target = Some((block, proof));
            self.try_commit(step);
        }
    }

    /// Once more, what certificates prove final and was not held when they came.
    pub(super) fn finalise_known(&mut self, step: &mut Stepped<S>) {
        if let Some(committed) = self.committed.clone().filter(|known| known.statement.0.height > self.root()) {
            self.on_commit_certificate(committed, self.me(), step);
        }
        if self.low.checkpoint.height > self.root() {
            let (stable, from) = (self.low.clone(), self.me());
            let (height, block) = (stable.checkpoint.height, stable.checkpoint.block);
            self.finalise(height, block, CommitProof::Checkpoint(stable), from, step);
        }
    }

    /// Commits the target once everything up to it is executed.
    pub(super) fn try_commit(&mut self, step: &mut Stepped<S>) {
        let Some((block, proof)) = &self.commit_target else { return };
        let (block, proof) = (*block, encode(proof));
        let Some(path) = self.tree.path(&block) else {
            // It comes again with whatever proves it.
            self.commit_target = None;
            return;
        };
        if !path.iter().all(|digest| self.tree.is_executed(digest)) {
            self.halt_if_certified(step);
            return self.run_fetch_timer(step);
        }
        self.commit_target = None;
        // The ledger may lose it in a crash. Were it not in the journal either, because it was fetched and not voted for, the
        // bodies above it that votes rest on would hang in the air.
        self.record_bodies(block, step);
        self.root_certificate = commit_certificate(&proof);
        let committed = self.tree.commit(&block);
        for batch in committed.iter().flat_map(|block| &block.payload) {
            self.ready.remove(batch);
        }
        step.commit(block, proof);
        let headers: Vec<_> = committed.into_iter().map(|block| block.header).collect();
        self.on_root_moved(&headers, step);
    }

    /// After a commit here or by block sync: `headers` are the new blocks' that are known.
    fn on_root_moved(&mut self, headers: &[Header], step: &mut Stepped<S>) {
        self.pacemaker.committed();
        self.log.forget_up_to(self.root());
        self.fetcher.forget_up_to(self.root());
        self.sign_checkpoints(headers, step);
        self.speak_if_safe(step);
        self.accept_what_fits(step);
    }

    /// Block sync brought the ledger to `head`.
    pub(super) fn on_synced(&mut self, head: Header, proof: &[u8], batches: &[Digest], step: &mut Stepped<S>) {
        for batch in batches {
            self.ready.remove(batch);
        }
        self.fetcher.synced();
        if head.height <= self.root() {
            return step.ignore(Ignored::Duplicate);
        }
        self.tree.reset(head.clone());
        self.root_certificate = commit_certificate(proof);
        let is_above = |block: &Digest| *block != self.tree.root_digest() && self.tree.contains(block);
        if self.commit_target.as_ref().is_some_and(|(block, _)| !is_above(block)) {
            self.commit_target = None;
        }
        match decode(proof) {
            Ok(CommitProof::Commit(certificate)) => self.on_commit_certificate(certificate, self.me(), step),
            Ok(CommitProof::Checkpoint(stable)) => self.on_stable(stable, self.me(), step),
            Err(_) => {}
        }
        if self.halted {
            return;
        }
        for digest in self.tree.by_height() {
            self.execute_if_possible(digest, step);
        }
        self.connect_orphans(step);
        self.on_root_moved(&[head], step);
    }
}
