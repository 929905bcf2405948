//! Blocks that a peer sent: checked against the committee, then into the ledger, durably.

use super::{Blocks, Broken, SyncError, WholeBlock};
use crate::{LedgerReply, ledger_work::Committed};
use quorate_ledger::{Disk, Index, Ledger};
use quorate_types::{Batch, Header};

/// What became of blocks that were taken.
pub(super) enum Taken {
    /// They are committed.
    Committed(LedgerReply),
    /// They are final and executed, and wait for those above, the first of which has a proof of its own. This is the last one.
    Held(Header),
}

/// Takes blocks that stand above the ledger's head, or above `held`, the last of those that wait.
pub(super) fn take<D: Disk, I: Index>(
    ledger: &mut Ledger<D, I>,
    held: Option<&Header>,
    reply: Blocks,
    check: super::Check<'_>,
) -> Result<Taken, SyncError> {
    let tip = top(ledger, held).clone();
    // While the reply was on its way, the ledger may have gone on by itself.
    let blocks: Vec<_> =
        reply.blocks.into_inner().into_iter().filter(|whole| whole.block.header.height > tip.height).collect();
    let Some(last) = blocks.last() else { return Err(SyncError::Nothing) };
    let last = last.block.header.clone();
    check_bodies(&blocks)?;
    let mut proven = &last;
    for header in &reply.above {
        check_link(proven, header)?;
        proven = header;
    }
    check(proven, &reply.proof)?;
    check_foot(&tip, &blocks)?;
    let bodies = blocks.into_iter().map(|whole| (whole.block, whole.batches.into_inner())).collect();
    if !reply.above.is_empty() {
        ledger.hold_synced(bodies)?;
        return Ok(Taken::Held(last));
    }
    let proof = reply.proof.into_inner();
    let committed = ledger.append_synced(bodies, proof.clone())?;
    ledger.sync_blocks()?;
    let recent = committed.iter().rev().map(|new| new.block.header.clone()).collect();
    Ok(Taken::Committed(LedgerReply::Synced { head: last, proof, committed: Committed::of(committed, ledger), recent }))
}

/// What the next block must stand on.
pub(super) fn top<'a, D: Disk, I: Index>(ledger: &'a Ledger<D, I>, held: Option<&'a Header>) -> &'a Header {
    let head = ledger.head();
    held.filter(|held| held.height > head.height && ledger.is_executed(&held.digest())).unwrap_or(head)
}

fn check_link(below: &Header, header: &Header) -> Result<(), SyncError> {
    if header.parent != below.digest() || header.height != below.height.next() {
        return Err(SyncError::Unlinked { height: header.height });
    }
    Ok(())
}

/// Each stands on the one before it, and has the batches that it names.
fn check_bodies(blocks: &[WholeBlock]) -> Result<(), SyncError> {
    for (index, whole) in blocks.iter().enumerate() {
        let header = &whole.block.header;
        if let Some(below) = index.checked_sub(1).and_then(|below| blocks.get(below)) {
            check_link(&below.block.header, header)?;
        }
        let named = whole.batches.iter().map(Batch::digest);
        if !whole.block.is_well_formed() || !named.eq(whole.block.payload.iter().copied()) {
            return Err(SyncError::WrongBody { height: header.height });
        }
    }
    Ok(())
}

/// They stand on our tip. They are proven final, and so is what they stand on: were that another block, there would be two.
fn check_foot(tip: &Header, blocks: &[WholeBlock]) -> Result<(), SyncError> {
    let Some(WholeBlock { block, .. }) = blocks.first() else { return Err(SyncError::Nothing) };
    let (ours, theirs) = (tip.digest(), block.header.parent);
    if block.header.height == tip.height.next() && theirs != ours {
        return Err(Broken::Fork { height: tip.height, ours, theirs }.into());
    }
    check_link(tip, &block.header)
}
