//! Speculative execution: a block on its parent's state, committed or not.

use crate::{
    AppGenesis, Disk, ExecuteError, Index, Ledger, Outcome, State, app,
    proof::{outcomes_root, state_root},
};
use quorate_types::{Batch, Block, BoundedVec, Digest, Epoch, Header, ReplicaId, View};
use std::{collections::BTreeSet, sync::Arc};

/// Executed blocks held above the head, unless they are one chain.
pub(crate) const MAX_OVERLAYS: usize = 4096;
/// A block's time is at most this far above its parent's, milliseconds.
const HOUR: u64 = 3_600_000;

/// An executed block that is not final.
#[derive(Clone, Debug)]
pub(crate) struct Executed {
    pub(crate) block: Block,
    pub(crate) batches: Vec<Arc<Batch>>,
    pub(crate) state: State,
    pub(crate) app_root: Digest,
    pub(crate) outcomes: Vec<(Digest, Outcome)>,
}

impl Executed {
    pub(crate) fn state_root(&self) -> Digest {
        state_root(&self.app_root, &outcomes_root(&self.outcomes))
    }
}

/// Executes a block's batches on `parent`.
pub(crate) fn run(genesis: &AppGenesis, parent: &State, block: Block, batches: Vec<Arc<Batch>>) -> Executed {
    let mut state = parent.child();
    let transactions = batches.iter().flat_map(|batch| batch.transactions());
    let height = block.header.height;
    let outcomes: Vec<_> = transactions
        .map(|transaction| (transaction.digest(), app::apply(genesis, &mut state, height, transaction)))
        .collect();
    Executed { app_root: state.root(), block, batches, state, outcomes }
}

impl<D: Disk, I: Index> Ledger<D, I> {
    /// Whether a block is the head or executed above it.
    pub fn is_executed(&self, block: &Digest) -> bool {
        *block == self.head_digest || self.overlays.contains_key(block)
    }

    fn parent(&self, parent: &Digest) -> Result<(&Header, &State), ExecuteError> {
        if *parent == self.head_digest {
            return Ok((&self.head, &self.state));
        }
        let executed = self.overlays.get(parent).ok_or(ExecuteError::UnknownParent { parent: *parent })?;
        Ok((&executed.block.header, &executed.state))
    }

    /// Keeps the number of executed blocks in bounds, now that `newest` is among them. What was abandoned goes first: of the blocks
    /// without children that of the lowest view. None is refused for want of room: views may fail for as long as the network is bad,
    /// and only a commit would make room again.
    fn trim(&mut self, newest: &Digest) {
        if self.overlays.len() <= MAX_OVERLAYS {
            return;
        }
        let parents: BTreeSet<_> = self.overlays.values().map(|executed| executed.block.header.parent).collect();
        let is_leaf = |(digest, _): &(&Digest, &Executed)| *digest != newest && !parents.contains(*digest);
        let leaves = self.overlays.iter().filter(is_leaf);
        if let Some((_, oldest)) = leaves.map(|(digest, executed)| (executed.block.header.view, *digest)).min() {
            self.overlays.remove(&oldest);
        }
    }

    /// Makes a block above `parent`, executed, with roots and time filled in. `now` is clamped into the hour above the
    /// parent's time.
    pub fn build(
        &mut self,
        parent: &Digest,
        view: View,
        proposer: ReplicaId,
        batches: Vec<Arc<Batch>>,
        now: u64,
    ) -> Result<Block, ExecuteError> {
        let (below, state) = self.parent(parent)?;
        let payload: Vec<_> = batches.iter().map(|batch| batch.digest()).collect();
        let header = Header {
            chain: below.chain,
            epoch: Epoch(0),
            height: below.height.next(),
            view,
            parent: *parent,
            proposer,
            payload_root: Block::payload_root(&payload),
            state_root: Digest::ZERO,
            timestamp: now.clamp(below.timestamp, below.timestamp.saturating_add(HOUR)),
        };
        let payload = BoundedVec::new(payload).map_err(|_| ExecuteError::WrongBatches)?;
        let mut executed = run(&self.application, state, Block { header, payload }, batches);
        executed.block.header.state_root = executed.state_root();
        let block = executed.block.clone();
        if !block.is_well_formed() {
            return Err(ExecuteError::WrongBatches);
        }
        let digest = block.digest();
        self.overlays.insert(digest, executed);
        self.trim(&digest);
        Ok(block)
    }

    /// Executes a block above its executed parent and checks that it is what it claims to be. Doing it twice is harmless.
    pub fn execute(&mut self, block: &Block, batches: Vec<Arc<Batch>>) -> Result<(), ExecuteError> {
        self.execute_final(block, batches)?;
        self.trim(&block.digest());
        Ok(())
    }

    /// [`Ledger::execute`] for a block that is proven final: nothing goes for it.
    pub(crate) fn execute_final(&mut self, block: &Block, batches: Vec<Arc<Batch>>) -> Result<(), ExecuteError> {
        let digest = block.digest();
        if self.is_executed(&digest) {
            return Ok(());
        }
        let (parent, state) = self.parent(&block.header.parent)?;
        check(&block.header, parent)?;
        let named = batches.iter().map(|batch| batch.digest());
        if !block.is_well_formed() || !named.eq(block.payload.iter().copied()) {
            return Err(ExecuteError::WrongBatches);
        }
        let executed = run(&self.application, state, block.clone(), batches);
        let (claimed, computed) = (block.header.state_root, executed.state_root());
        if claimed != computed {
            return Err(ExecuteError::WrongStateRoot { claimed, computed });
        }
        self.overlays.insert(digest, executed);
        Ok(())
    }
}

fn check(header: &Header, parent: &Header) -> Result<(), ExecuteError> {
    if header.chain != parent.chain || header.epoch != parent.epoch || header.height != parent.height.next() {
        return Err(ExecuteError::WrongPlace);
    }
    let latest = parent.timestamp.saturating_add(HOUR);
    if !(parent.timestamp..=latest).contains(&header.timestamp) {
        return Err(ExecuteError::BadTimestamp { time: header.timestamp, parent: parent.timestamp });
    }
    Ok(())
}
