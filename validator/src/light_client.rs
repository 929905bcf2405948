//! What a client needs to believe a block, and nothing more: the genesis file.

use quorate_consensus::hotstuff::{CommitProof, Keys};
use quorate_crypto::Ed25519List;
use quorate_ledger::{Genesis, Protocol, SchemeKind};
use quorate_types::{Header, decode};

/// Why a header is not proven final.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotFinal {
    /// The genesis does not make a committee.
    #[error("the genesis is not usable: {0}")]
    Genesis(String),
    /// A block at height 0 that is not the genesis block.
    #[error("the block at height 0 is not this genesis' block")]
    NotGenesis,
    /// The bytes are no proof.
    #[error("the commit proof does not decode: {0}")]
    Undecodable(#[from] quorate_types::DecodeError),
    /// The proof does not prove it.
    #[error("the commit proof does not verify: {0}")]
    Refused(#[from] quorate_consensus::Rejection),
}

/// Checks that the committee of `genesis` made the block `header` final. Needs no state and no network.
pub fn verify_commit(genesis: &Genesis, header: &Header, proof: &[u8]) -> Result<(), NotFinal> {
    let first = genesis.block().header;
    if header.height == first.height {
        return if *header == first { Ok(()) } else { Err(NotFinal::NotGenesis) };
    }
    let committee = genesis.committee().map_err(|error| NotFinal::Genesis(error.to_string()))?;
    match (genesis.protocol, genesis.scheme) {
        (Protocol::Hotstuff, SchemeKind::Ed25519) => {
            let keys = Keys::new(Ed25519List::new(committee), &first);
            let proof: CommitProof<Ed25519List> = decode(proof)?;
            Ok(proof.verify(header, &keys)?)
        }
    }
}
