//! Blocks: what replicas vote on and ledgers keep.

use crate::{BoundedVec, ChainId, Digest, Domain, Epoch, Height, ReplicaId, View, limits, merkle};
use borsh::{BorshDeserialize, BorshSerialize};
use serde::Serialize;

/// Batch digests in the order in which their transactions run. No digest stands twice.
pub type Payload = BoundedVec<Digest, { limits::BLOCK_BATCHES }>;

/// What a block's digest covers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize, Serialize)]
pub struct Header {
    /// The chain it belongs to.
    pub chain: ChainId,
    /// The committee's reign.
    pub epoch: Epoch,
    /// One more than its parent's.
    pub height: Height,
    /// The view in which it was first proposed.
    pub view: View,
    /// Digest of the block below; [`Digest::ZERO`] for genesis.
    pub parent: Digest,
    /// Who proposed it first.
    pub proposer: ReplicaId,
    /// RFC 6962 root over the batch digests.
    pub payload_root: Digest,
    /// The state after executing this block on its parent's state.
    pub state_root: Digest,
    /// Milliseconds since the Unix epoch on the proposer's clock, within an hour above the parent's. For
    /// people, never for safety.
    pub timestamp: u64,
}

/// A header and the list of batches it commits to. It holds no certificate: its name does not depend on which
/// quorum certified its parent.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Block {
    /// What the digest covers.
    pub header: Header,
    /// The batches to execute.
    pub payload: Payload,
}

impl Header {
    /// The block's name.
    pub fn digest(&self) -> Digest {
        Digest::of(Domain::BLOCK, self)
    }
}

impl Block {
    /// The block's name: its header's digest, to which the payload is bound by its root.
    pub fn digest(&self) -> Digest {
        self.header.digest()
    }

    /// The root over a list of batch digests.
    pub fn payload_root(payload: &[Digest]) -> Digest {
        merkle::root(&Self::leaves(payload))
    }

    /// Whether the payload is the one that the header names, and names each batch once.
    pub fn is_well_formed(&self) -> bool {
        let mut sorted: Vec<_> = self.payload.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        sorted.len() == self.payload.len() && Self::payload_root(&self.payload) == self.header.payload_root
    }

    /// Proof that the batch at `index` stands in this block.
    pub fn prove(&self, index: usize) -> Option<merkle::Path> {
        merkle::prove(&Self::leaves(&self.payload), index)
    }

    fn leaves(payload: &[Digest]) -> Vec<Digest> {
        payload.iter().map(|batch| merkle::leaf_hash(&batch.0)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{decode, encode};

    fn block(payload: Vec<Digest>) -> Block {
        Block {
            header: Header {
                chain: ChainId(Digest::ZERO),
                epoch: Epoch(0),
                height: Height(1),
                view: View(1),
                parent: Digest::ZERO,
                proposer: ReplicaId(1),
                payload_root: Block::payload_root(&payload),
                state_root: Digest::ZERO,
                timestamp: 5,
            },
            payload: BoundedVec::new(payload).expect("short"),
        }
    }

    #[test]
    fn a_block_is_bound_to_its_payload() {
        let mut block = block(vec![Digest([1; 32]), Digest([2; 32])]);
        assert!(block.is_well_formed());
        block.payload = BoundedVec::new(vec![Digest([2; 32]), Digest([1; 32])]).expect("short");
        assert!(!block.is_well_formed());
    }

    #[test]
    fn a_batch_named_twice_is_malformed() {
        assert!(!block(vec![Digest([1; 32]); 2]).is_well_formed());
    }

    #[test]
    fn every_header_field_changes_the_digest() {
        let base = block(vec![]).header;
        let changes: [fn(&mut Header); 9] = [
            |h| h.chain = ChainId(Digest([9; 32])),
            |h| h.epoch = Epoch(1),
            |h| h.height = Height(2),
            |h| h.view = View(2),
            |h| h.parent = Digest([9; 32]),
            |h| h.proposer = ReplicaId(2),
            |h| h.payload_root = Digest([9; 32]),
            |h| h.state_root = Digest([9; 32]),
            |h| h.timestamp = 6,
        ];
        for change in changes {
            let mut header = base.clone();
            change(&mut header);
            assert_ne!(header.digest(), base.digest());
        }
    }

    #[test]
    fn blocks_survive_the_wire() {
        let block = block(vec![Digest([1; 32])]);
        assert_eq!(decode::<Block>(&encode(&block)), Ok(block));
    }
}
