//! What a client needs to believe a block, and nothing more: the genesis file.

use crate::{ForProtocol, GenesisScheme, UnusableGenesis, for_protocol_of};
use quorate_consensus::{Keys, Protocol, Rejection};
use quorate_ledger::Genesis;
use quorate_types::Header;
use std::{fmt, sync::Arc};

/// Why a header is not proven final.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotFinal {
    /// A block at height 0 that is not the genesis block.
    #[error("the block at height 0 is not this genesis' block")]
    NotGenesis,
    /// The proof does not prove it.
    #[error("the commit proof does not verify: {0}")]
    Refused(#[from] Rejection),
}

type Verify = dyn Fn(&Header, &[u8]) -> Result<(), Rejection> + Send + Sync;

/// Checks commit proofs against one genesis. Its keys, with their proofs of possession, are checked when this is made and not again
/// for each proof. Needs no state and no network.
#[derive(Clone)]
pub struct Finality {
    first: Header,
    verify: Arc<Verify>,
}

impl Finality {
    /// For the chain of `genesis`.
    pub fn new(genesis: &Genesis) -> Result<Self, UnusableGenesis> {
        for_protocol_of(genesis, Of(genesis.block().header))
    }

    /// By keys that were made before.
    pub fn of<P: Protocol>(keys: Keys<P::Scheme>) -> Self {
        let first = keys.genesis.clone();
        Self { first, verify: Arc::new(move |header, proof| P::verify_commit(header, proof, &keys)) }
    }

    /// Checks that the committee made the block `header` final.
    pub fn check(&self, header: &Header, proof: &[u8]) -> Result<(), NotFinal> {
        if header.height == self.first.height {
            return if *header == self.first { Ok(()) } else { Err(NotFinal::NotGenesis) };
        }
        Ok((self.verify)(header, proof)?)
    }
}

impl fmt::Debug for Finality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "finality on {}", self.first.chain)
    }
}

struct Of(Header);

impl ForProtocol for Of {
    type Out = Finality;

    fn run<P: Protocol<Scheme: GenesisScheme>>(self, scheme: P::Scheme) -> Finality {
        Finality::of::<P>(Keys::new(scheme, &self.0))
    }
}
