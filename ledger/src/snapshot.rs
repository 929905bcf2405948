//! What a ledger can begin from in place of genesis: a final block, and the state after it.
//!
//! A [`Manifest`] names the block and its two roots, and brings the block's commit proof; the state comes in chunks
//! ([`Fetch`](crate::Fetch)), each checked against the root. The commit proof is opaque here, as everywhere in the ledger:
//! whoever fetches a snapshot has it checked first.

use crate::state_root;
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_types::{BoundedVec, Digest, Header};

/// Headers below a snapshot's block: as many as who leads may depend on, in views.
pub(crate) const MAX_BELOW: usize = 1024;
/// Bytes of a commit proof.
pub(crate) const MAX_PROOF: usize = 1024 * 1024;

/// A snapshot, but for the state itself.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Manifest {
    /// The last block that is part of it.
    pub header: Header,
    /// That block's own commit proof.
    pub proof: BoundedVec<u8, MAX_PROOF>,
    /// Root of the application's state after it.
    pub app_root: Digest,
    /// Root over what its transactions did.
    pub outcomes_root: Digest,
    /// Headers of the blocks below, newest first, where the election depends on them.
    pub below: BoundedVec<Header, MAX_BELOW>,
}

/// Why a manifest describes no snapshot of this chain. Its commit proof is another matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Its block is of another chain or epoch, or is genesis.
    #[error("its block is not one of this chain above genesis")]
    WrongChain,
    /// Its roots are not those of its block.
    #[error("its two roots do not make the state root of its block")]
    WrongRoots,
    /// The headers below are no chain that ends in its block.
    #[error("the headers below its block are not the blocks that it stands on")]
    Unlinked,
}

impl Manifest {
    /// Checks everything but the commit proof and the state. `genesis` is the chain's first header.
    pub fn check(&self, genesis: &Header) -> Result<(), ManifestError> {
        let header = &self.header;
        if (header.chain, header.epoch) != (genesis.chain, genesis.epoch) || header.height <= genesis.height {
            return Err(ManifestError::WrongChain);
        }
        if header.state_root != state_root(&self.app_root, &self.outcomes_root) {
            return Err(ManifestError::WrongRoots);
        }
        let (mut parent, mut height) = (header.parent, header.height);
        for below in &self.below {
            if below.digest() != parent || below.height.next() != height || below.chain != genesis.chain {
                return Err(ManifestError::Unlinked);
            }
            (parent, height) = (below.parent, below.height);
        }
        Ok(())
    }
}
