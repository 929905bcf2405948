//! The states that others may fetch: after the first proven block at or above every multiple of the checkpoint interval.
//!
//! A state shares all that has not changed since with the present one, so that keeping it costs little. The last two are kept,
//! and two more if somebody has asked for them of late: a transfer lasts longer than a fast chain's interval.

use crate::{Manifest, State};
use quorate_types::{BoundedVec, Digest, Header, Height};
use std::sync::{
    OnceLock,
    atomic::{AtomicU64, Ordering},
};

/// Kept in any case.
const LATEST: usize = 2;
/// Kept at most. When there are more, the oldest goes, whoever asks for it.
const MAX: usize = 4;
/// Intervals for which a question keeps a checkpoint.
const PATIENCE: u64 = 8;

/// A state to be fetched.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    pub(crate) header: Header,
    pub(crate) proof: Vec<u8>,
    pub(crate) outcomes_root: Digest,
    pub(crate) state: State,
    /// Headers below, once somebody has asked for them.
    pub(crate) below: OnceLock<Vec<Header>>,
    /// Where the head stood when it was last asked for.
    asked_at: AtomicU64,
}

impl Checkpoint {
    pub(crate) fn new(header: Header, proof: Vec<u8>, outcomes_root: Digest, state: &State) -> Self {
        let (state, below, asked_at) = (state.child(), OnceLock::new(), AtomicU64::new(0));
        Self { header, proof, outcomes_root, state, below, asked_at }
    }

    pub(crate) fn manifest(&self) -> Option<Manifest> {
        Some(Manifest {
            header: self.header.clone(),
            proof: BoundedVec::new(self.proof.clone()).ok()?,
            app_root: self.state.root(),
            outcomes_root: self.outcomes_root,
            below: BoundedVec::new(self.below.get().cloned().unwrap_or_default()).ok()?,
        })
    }

    pub(crate) fn asked(&self, head: Height) {
        self.asked_at.store(head.0, Ordering::Relaxed);
    }
}

/// Those of one ledger.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    interval: u64,
    /// Ascending.
    kept: Vec<Checkpoint>,
}

impl Checkpoints {
    pub(crate) fn every(interval: u64) -> Self {
        Self { interval: interval.max(1), kept: Vec::new() }
    }

    /// Whether a checkpoint lies above `below` and not above `head`.
    pub(crate) fn is_due(&self, below: Height, head: Height) -> bool {
        below.0 / self.interval < head.0 / self.interval
    }

    pub(crate) fn keep(&mut self, checkpoint: Checkpoint) {
        let head = checkpoint.header.height.0;
        self.kept.push(checkpoint);
        let latest = self.kept.len().saturating_sub(LATEST);
        let is_wanted = |asked_at: u64| asked_at > 0 && head.saturating_sub(asked_at) <= PATIENCE * self.interval;
        let mut index = 0;
        self.kept.retain(|checkpoint| {
            index += 1;
            index > latest || is_wanted(checkpoint.asked_at.load(Ordering::Relaxed))
        });
        let surplus = self.kept.len().saturating_sub(MAX);
        self.kept.drain(..surplus);
    }

    pub(crate) fn clear(&mut self) {
        self.kept.clear();
    }

    pub(crate) fn newest(&self) -> Option<&Checkpoint> {
        self.kept.last()
    }

    pub(crate) fn at(&self, height: Height) -> Option<&Checkpoint> {
        self.kept.iter().find(|checkpoint| checkpoint.header.height == height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_types::{ChainId, Epoch, ReplicaId, View};

    fn checkpoint(height: u64) -> Checkpoint {
        let header = Header {
            chain: ChainId(Digest::ZERO),
            epoch: Epoch(0),
            height: Height(height),
            view: View(height),
            parent: Digest::ZERO,
            proposer: ReplicaId(0),
            payload_root: Digest::ZERO,
            state_root: Digest::ZERO,
            timestamp: 0,
        };
        Checkpoint::new(header, Vec::new(), Digest::ZERO, &State::default())
    }

    fn heights(checkpoints: &Checkpoints) -> Vec<u64> {
        checkpoints.kept.iter().map(|checkpoint| checkpoint.header.height.0).collect()
    }

    #[test]
    fn one_that_is_being_fetched_outlives_the_last_two_but_not_for_ever() {
        let mut checkpoints = Checkpoints::every(10);
        for height in [10, 20, 30] {
            checkpoints.keep(checkpoint(height));
        }
        assert_eq!(heights(&checkpoints), [20, 30]);
        checkpoints.at(Height(20)).expect("kept").asked(Height(35));
        for height in (40..=110).step_by(10) {
            checkpoints.keep(checkpoint(height));
        }
        assert_eq!(heights(&checkpoints), [20, 100, 110]);
        checkpoints.keep(checkpoint(120));
        assert_eq!(heights(&checkpoints), [110, 120], "nobody has asked for it for long");
    }

    #[test]
    fn never_more_than_four_whatever_is_asked() {
        let mut checkpoints = Checkpoints::every(1);
        for height in 1..100 {
            checkpoints.keep(checkpoint(height));
            checkpoints.kept.iter().for_each(|checkpoint| checkpoint.asked(Height(height)));
            assert!(checkpoints.kept.len() <= MAX);
        }
        assert_eq!(heights(&checkpoints), [96, 97, 98, 99]);
    }

    #[test]
    fn a_checkpoint_is_due_when_a_multiple_is_passed() {
        let checkpoints = Checkpoints::every(10);
        assert!(checkpoints.is_due(Height(9), Height(10)) && checkpoints.is_due(Height(9), Height(12)));
        assert!(!checkpoints.is_due(Height(10), Height(19)) && checkpoints.is_due(Height(3), Height(40)));
    }
}
