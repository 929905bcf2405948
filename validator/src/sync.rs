//! Block sync: committed blocks from others, believed because of their commit proof and nothing else.
//!
//! A reply is a range of blocks directly above the asker's head, ending in one whose commit proof is beside it; the header
//! chain proves those below. A wrong, empty or endless reply costs its sender the asker's trust for this round, and the next
//! peer is asked.

use crate::{LedgerReply, NotFinal, ledger_work::Committed, verify_commit};
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_ledger::{Disk, Genesis, Index, Ledger, LedgerError};
use quorate_types::{Batch, Block, BoundedVec, Header, Height, limits};

/// Blocks in one reply.
pub const MAX_BLOCKS: usize = 256;
/// Encoded bytes after which a reply takes no further block.
pub const ENOUGH_BYTES: usize = 4 * 1024 * 1024;

/// Asks for blocks above `above`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SyncRequest {
    /// The asker's head.
    pub above: Height,
}

/// A block and the bodies of its batches.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct WholeBlock {
    /// The block.
    pub block: Block,
    /// In its order.
    pub batches: BoundedVec<Batch, { limits::BLOCK_BATCHES }>,
}

/// Consecutive blocks; the last one's commit proof.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SyncReply {
    /// Directly above the asker's head, ascending. Empty: nothing to give.
    pub blocks: BoundedVec<WholeBlock, MAX_BLOCKS>,
    /// Proves the last one.
    pub proof: BoundedVec<u8, { 1024 * 1024 }>,
}

/// Why a reply was not taken.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The peer has nothing above our head.
    #[error("the peer has nothing above our head")]
    Nothing,
    /// The blocks do not extend our head, or not each other.
    #[error("the block at {height} does not extend the one below it")]
    Unlinked {
        /// Where.
        height: Height,
    },
    /// A block's payload or batches are not those it names.
    #[error("the block at {height} does not have the batches that it names")]
    WrongBody {
        /// Where.
        height: Height,
    },
    /// The last block is not proven final.
    #[error(transparent)]
    NotFinal(#[from] NotFinal),
    /// Our own ledger failed, or the blocks do not execute to what they claim.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// What this ledger can give to one who stands at `request.above`.
pub fn answer<D: Disk, I: Index>(ledger: &Ledger<D, I>, request: SyncRequest) -> Result<SyncReply, LedgerError> {
    let (mut blocks, mut anchored, mut proof, mut bytes) = (Vec::new(), 0, Vec::new(), 0);
    let mut height = request.above.next();
    while height <= ledger.head().height && blocks.len() < MAX_BLOCKS && (bytes < ENOUGH_BYTES || anchored == 0) {
        let Some(stored) = ledger.block(height)? else { break };
        bytes += stored.batches.iter().map(|batch| quorate_types::codec::encoded_len(&**batch)).sum::<usize>();
        let batches = stored.batches.iter().map(|batch| Batch::clone(batch)).collect();
        let Ok(batches) = BoundedVec::new(batches) else { break };
        blocks.push(WholeBlock { block: stored.block, batches });
        if let Some(stored_proof) = stored.proof {
            anchored = blocks.len();
            proof = stored_proof;
        }
        height = height.next();
    }
    blocks.truncate(anchored);
    let blocks = BoundedVec::new(blocks).expect("stopped at the limit");
    Ok(SyncReply { blocks, proof: BoundedVec::new(proof).unwrap_or_default() })
}

/// Checks a reply against the committee and takes its blocks into the ledger, durably.
pub fn accept<D: Disk, I: Index>(
    ledger: &mut Ledger<D, I>,
    genesis: &Genesis,
    reply: SyncReply,
) -> Result<LedgerReply, SyncError> {
    let check = |header: &Header, proof: &[u8]| verify_commit(genesis, header, proof);
    accept_with(ledger, reply, check)
}

/// [`accept`] with another way of checking commit proofs, for schemes that no genesis names (simulation).
pub fn accept_with<D: Disk, I: Index>(
    ledger: &mut Ledger<D, I>,
    reply: SyncReply,
    check: impl Fn(&Header, &[u8]) -> Result<(), NotFinal>,
) -> Result<LedgerReply, SyncError> {
    let known = ledger.head().height;
    // While the reply was on its way, the ledger may have gone on by itself.
    let blocks: Vec<_> =
        reply.blocks.into_inner().into_iter().filter(|whole| whole.block.header.height > known).collect();
    let Some(last) = blocks.last() else { return Err(SyncError::Nothing) };
    check_links(ledger.head(), &blocks)?;
    check(&last.block.header, &reply.proof)?;
    let head = last.block.header.clone();
    let proof = reply.proof.into_inner();
    let bodies = blocks.into_iter().map(|whole| (whole.block, whole.batches.into_inner())).collect();
    let committed = ledger.append_synced(bodies, proof.clone())?;
    ledger.sync()?;
    Ok(LedgerReply::Synced { head, proof, committed: Committed::of(committed, ledger) })
}

fn check_links(head: &Header, blocks: &[WholeBlock]) -> Result<(), SyncError> {
    let (mut parent, mut height) = (head.digest(), head.height);
    for whole in blocks {
        let header = &whole.block.header;
        if header.parent != parent || header.height != height.next() {
            return Err(SyncError::Unlinked { height: header.height });
        }
        let named = whole.batches.iter().map(Batch::digest);
        if !whole.block.is_well_formed() || !named.eq(whole.block.payload.iter().copied()) {
            return Err(SyncError::WrongBody { height: header.height });
        }
        (parent, height) = (header.digest(), header.height);
    }
    Ok(())
}
