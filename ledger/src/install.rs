//! Giving a snapshot to others, and beginning anew from one.

use crate::{
    Chunk, Disk, Index, Ledger, LedgerError, Manifest, Prefix, State, checkpoints::Checkpoint, execute::Executed,
    store::Base,
};
use quorate_types::{Batch, Block, Digest, Header, Height};
use std::sync::Arc;

/// What became of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Installed {
    /// The ledger stands at it now.
    Done,
    /// The ledger has come further by itself; nothing happened.
    Overtaken,
}

impl<D: Disk, I: Index> Ledger<D, I> {
    /// The newest snapshot that others may fetch, if it is above `above`.
    pub fn manifest(&self, above: Height) -> Result<Option<Manifest>, LedgerError> {
        let Some(newest) = self.checkpoints.newest().filter(|newest| newest.header.height > above) else {
            return Ok(None);
        };
        newest.asked(self.head.height);
        if newest.below.get().is_none() {
            let _by_another = newest.below.set(self.headers_below(newest)?);
        }
        Ok(newest.manifest())
    }

    fn headers_below(&self, checkpoint: &Checkpoint) -> Result<Vec<Header>, LedgerError> {
        let mut headers = Vec::new();
        for height in (1..checkpoint.header.height.0).rev().take(self.memory).map(Height) {
            let Some(header) = self.header(height)? else { break };
            headers.push(header);
        }
        Ok(headers)
    }

    /// A piece of the state of the snapshot at `height`; `None` if that is not here (any more), or no subtree begins there.
    pub fn chunk(&self, height: Height, from: &Prefix) -> Option<Chunk> {
        let checkpoint = self.checkpoints.at(height)?;
        checkpoint.asked(self.head.height);
        checkpoint.state.chunk(from)
    }

    /// Begins anew from a snapshot whose commit proof the caller has checked: from now on its block is the head, and the blocks
    /// up to it are not held. Durable when it returns; a crash before leaves the ledger as it was.
    pub fn install(&mut self, manifest: Manifest, state: State) -> Result<Installed, LedgerError> {
        let height = manifest.header.height;
        if height <= self.head.height {
            return Ok(Installed::Overtaken);
        }
        let bad = |why: String| LedgerError::BadSnapshot { height, why };
        manifest.check(&self.genesis.header).map_err(|error| bad(error.to_string()))?;
        if state.root() != manifest.app_root {
            return Err(bad(format!("its state has the root {}", state.root())));
        }
        self.store.rebase(&manifest, &state)?;
        self.begin_at(manifest, state)?;
        self.sync()?;
        Ok(Installed::Done)
    }

    fn begin_at(&mut self, manifest: Manifest, state: State) -> Result<(), LedgerError> {
        let (height, proof) = (manifest.header.height, manifest.proof.to_vec());
        self.head = manifest.header.clone();
        self.head_digest = manifest.header.digest();
        self.head_outcomes = manifest.outcomes_root;
        self.base = Some(Base { segment: self.store.first(), manifest });
        self.state = state;
        self.state.take_changes();
        self.history = None;
        self.pass(height);
        self.checkpoints.clear();
        self.offer(proof);
        self.index.clear()?;
        self.index_base()
    }

    /// The head has jumped to `height`. Commits may be on their way here of blocks that were executed before: those up to the head
    /// are committed by it, and those above stand on it.
    fn pass(&mut self, height: Height) {
        let is_passed = |(_, executed): &(&Digest, &Executed)| executed.block.header.height <= height;
        self.passed = self.overlays.iter().filter(is_passed).map(|(digest, _)| *digest).collect();
        self.prune();
    }

    /// Executes final blocks that block sync brought without a proof for the last of them: they wait for those above. The first
    /// stands above the head, or above a block that waits already.
    pub fn hold_synced(&mut self, blocks: Vec<(Block, Vec<Batch>)>) -> Result<(), LedgerError> {
        for (block, batches) in blocks {
            let height = block.header.height;
            let batches = batches.into_iter().map(Arc::new).collect();
            self.execute_final(&block, batches).map_err(|source| LedgerError::Diverged { height, source })?;
        }
        Ok(())
    }
}
