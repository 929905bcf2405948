//! Checkpoints: what everybody has, so that nobody need keep how it came about (Castro & Liskov 1999, section 4.3).
//!
//! Every so many heights, *after committing* the block and never on a speculative execution (hole P5), a replica signs
//! CHECKPOINT and repeats it until it is stable (hole P8). A quorum of equal ones is a stable checkpoint: the low watermark rises,
//! promises and votes at or below it are forgotten. The highest prepared certificate is not (hole P2).

use super::{
    Checkpoint, CommitProof, Message, Pbft, Record, StableCheckpoint, Stepped, Vote, certificate::name,
    evidence::accuse,
};
use crate::{Ignored, tally::Polled};
use quorate_crypto::{Certificate, Scheme};
use quorate_types::{Header, ReplicaId};

impl<S: Scheme> Pbft<S> {
    /// Signs the checkpoints among newly committed blocks.
    pub(super) fn sign_checkpoints(&mut self, headers: &[Header], step: &mut Stepped<S>) {
        let low = self.low.checkpoint.height;
        let due = |header: &&Header| header.height.0.is_multiple_of(self.interval) && header.height > low;
        let due: Vec<_> = headers.iter().filter(due).map(Checkpoint::of).collect();
        for checkpoint in due {
            match self.safety.sign(&checkpoint, step) {
                Ok(signature) => {
                    let vote = Vote { statement: checkpoint, voter: self.me(), signature };
                    step.record(Record::Checkpoint(vote.clone()));
                    step.broadcast(Message::Checkpoint(vote.clone()));
                    self.own_checkpoints.insert(checkpoint.height, vote.clone());
                    self.on_checkpoint(vote, step);
                }
                Err(refusal) => step.ignore(Ignored::Refused(refusal)),
            }
        }
    }

    pub(super) fn on_checkpoint(&mut self, vote: Vote<Checkpoint, S>, step: &mut Stepped<S>) {
        let Vote { statement, voter, signature } = vote.clone();
        let is_due = statement.height.0.is_multiple_of(self.interval);
        if !is_due || !self.window().contains(statement.height) {
            return step.ignore(Ignored::OutsideWindow);
        }
        let scheme = self.safety.scheme().clone();
        let poll = self.checkpoints.entry(statement.height).or_default();
        match poll.add(voter, statement, signature, &scheme, &mut self.excluded) {
            Polled::Counted | Polled::Excluded => {}
            Polled::Duplicate => step.ignore(Ignored::Duplicate),
            Polled::Equivocation((statement, signature)) => {
                accuse(voter, &Vote { statement, voter, signature }, &vote, step);
            }
            Polled::Certified(proof) => {
                let certificate = Certificate::<_, S> { statement, proof };
                self.seen.remember(name(&certificate));
                let (checkpoint, proof) = (certificate.statement, Some(certificate.proof));
                self.on_stable(StableCheckpoint { checkpoint, proof }, voter, step);
            }
        }
    }

    /// Takes a verified stable checkpoint if it is greater than the one known. `from` has its state.
    pub(super) fn on_stable(&mut self, stable: StableCheckpoint<S>, from: ReplicaId, step: &mut Stepped<S>) {
        let Checkpoint { height, block, .. } = stable.checkpoint;
        if height <= self.low.checkpoint.height {
            return step.ignore(Ignored::Duplicate);
        }
        if let Some(ours) = self.own_checkpoints.get(&height)
            && ours.statement != stable.checkpoint
        {
            let ours = ours.statement.block;
            return self.halt(
                format!("the checkpoint at {height} is stable with {block}, where {ours} is committed here"),
                step,
            );
        }
        self.low = stable.clone();
        step.record(Record::Stable(stable.clone()));
        self.safety.settle(height);
        self.checkpoints = self.checkpoints.split_off(&height.next());
        self.own_checkpoints = self.own_checkpoints.split_off(&height.next());
        self.log.forget_up_to(height);
        self.speak_if_safe(step);
        if height > self.root() {
            self.finalise(height, block, CommitProof::Checkpoint(stable), from, step);
            // Where the blocks up to it are not held by anybody any more, its state is.
            if height > self.root() && !self.halted {
                self.sync(from, height, step);
            }
        }
        self.accept_what_fits(step);
    }
}
