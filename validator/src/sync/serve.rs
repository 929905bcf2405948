//! What a ledger gives to those who are behind. Every answer is bounded, whatever is asked.

use super::{Blocks, ENOUGH_BYTES, MAX_BLOCKS, SyncReply, SyncRequest, WholeBlock};
use quorate_ledger::{Disk, Finality, Index, Ledger, LedgerError};
use quorate_types::{Batch, BoundedVec, Height, codec::encoded_len};

/// What this ledger can give.
pub fn answer<D: Disk, I: Index>(ledger: &Ledger<D, I>, request: SyncRequest) -> Result<SyncReply, LedgerError> {
    match request {
        SyncRequest::Blocks { above } => Ok(SyncReply::Blocks(blocks(ledger, above)?)),
        SyncRequest::Manifest { above } => Ok(SyncReply::Manifest(ledger.manifest(above)?.map(Box::new))),
        SyncRequest::Chunk { height, from } => Ok(SyncReply::Chunk(ledger.chunk(height, &from))),
    }
}

fn blocks<D: Disk, I: Index>(ledger: &Ledger<D, I>, above: Height) -> Result<Blocks, LedgerError> {
    let (mut blocks, mut proven, mut bytes) = (Vec::new(), None, 0);
    let mut height = above.next();
    while height <= ledger.head().height && blocks.len() < MAX_BLOCKS && bytes < ENOUGH_BYTES {
        let Some(stored) = ledger.block(height)? else { break };
        bytes += stored.batches.iter().map(|batch| encoded_len(&**batch)).sum::<usize>();
        let batches = stored.batches.iter().map(|batch| Batch::clone(batch)).collect();
        let Ok(batches) = BoundedVec::new(batches) else { break };
        blocks.push(WholeBlock { block: stored.block, batches });
        if let Some(proof) = stored.proof {
            proven = Some((blocks.len(), proof));
        }
        height = height.next();
    }
    let finality = match proven {
        Some((count, proof)) => {
            blocks.truncate(count);
            Some(Finality { descendants: Vec::new(), proof })
        }
        // One proof has committed more blocks than fit: their headers take less room.
        None => blocks.last().map(|last| ledger.finality(last.block.header.height)).transpose()?.flatten(),
    };
    let Some(Finality { descendants, proof }) = finality else { return Ok(Blocks::default()) };
    let (Ok(above), Ok(proof)) = (BoundedVec::new(descendants), BoundedVec::new(proof)) else {
        return Ok(Blocks::default());
    };
    Ok(Blocks { blocks: BoundedVec::new(blocks).expect("stopped at the limit"), above, proof })
}
