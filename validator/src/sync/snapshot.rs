//! A snapshot on its way here: its manifest is certified, its state comes in chunks.

use super::{SyncError, SyncRequest};
use crate::{LedgerReply, ledger_work::Committed};
use quorate_ledger::{Chunk, Disk, Fetch, Index, Installed, Ledger, LedgerError, Manifest};
use quorate_types::{Header, Height, ReplicaId};

/// A snapshot of which the manifest has been believed.
#[derive(Debug)]
pub(super) struct Transfer {
    manifest: Manifest,
    fetch: Fetch,
    /// Who offered it.
    pub(super) from: ReplicaId,
}

impl Transfer {
    /// Believes a manifest because of its commit proof.
    pub(super) fn begin(
        (manifest, from): (Manifest, ReplicaId),
        above: Height,
        genesis: &Header,
        check: super::Check<'_>,
    ) -> Result<Self, SyncError> {
        let height = manifest.header.height;
        if height <= above {
            return Err(SyncError::Stale { height, above });
        }
        manifest.check(genesis)?;
        check(&manifest.header, &manifest.proof)?;
        Ok(Self { fetch: Fetch::new(manifest.app_root), manifest, from })
    }

    /// What to ask for next; `None`: it is all here.
    pub(super) fn next(&self) -> Option<SyncRequest> {
        self.fetch.next().map(|from| SyncRequest::Chunk { height: self.manifest.header.height, from })
    }

    pub(super) fn take(&mut self, chunk: &Chunk) -> Result<(), SyncError> {
        Ok(self.fetch.take(chunk)?)
    }

    /// Makes it the ledger's beginning. `None`: the ledger was faster.
    pub(super) fn install<D: Disk, I: Index>(
        self,
        ledger: &mut Ledger<D, I>,
    ) -> Result<Option<LedgerReply>, LedgerError> {
        let Manifest { header: head, proof, below, .. } = self.manifest.clone();
        let Some(state) = self.fetch.finish() else { return Ok(None) };
        match ledger.install(self.manifest, state)? {
            Installed::Overtaken => Ok(None),
            Installed::Done => {
                let committed = Committed { head: head.height, ..Committed::default() };
                let (proof, recent) = (proof.into_inner(), below.into_inner());
                Ok(Some(LedgerReply::Synced { head, proof, committed, recent }))
            }
        }
    }
}
