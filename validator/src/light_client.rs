//! What a client needs to believe a block, and nothing more: the genesis file.

use crate::{ForProtocol, GenesisScheme, UnusableGenesis, for_protocol_of};
use quorate_consensus::{Keys, Protocol, Rejection};
use quorate_ledger::Genesis;
use quorate_types::Header;

/// Why a header is not proven final.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotFinal {
    /// The genesis does not make a committee.
    #[error(transparent)]
    Genesis(#[from] UnusableGenesis),
    /// A block at height 0 that is not the genesis block.
    #[error("the block at height 0 is not this genesis' block")]
    NotGenesis,
    /// The proof does not prove it.
    #[error("the commit proof does not verify: {0}")]
    Refused(#[from] Rejection),
}

struct VerifyCommit<'a> {
    first: &'a Header,
    header: &'a Header,
    proof: &'a [u8],
}

impl ForProtocol for VerifyCommit<'_> {
    type Out = Result<(), Rejection>;

    fn run<P: Protocol<Scheme: GenesisScheme>>(self, scheme: P::Scheme) -> Result<(), Rejection> {
        P::verify_commit(self.header, self.proof, &Keys::new(scheme, self.first))
    }
}

/// Checks that the committee of `genesis` made the block `header` final. Needs no state and no network.
pub fn verify_commit(genesis: &Genesis, header: &Header, proof: &[u8]) -> Result<(), NotFinal> {
    let first = &genesis.block().header;
    if header.height == first.height {
        return if header == first { Ok(()) } else { Err(NotFinal::NotGenesis) };
    }
    Ok(for_protocol_of(genesis, VerifyCommit { first, header, proof })??)
}
