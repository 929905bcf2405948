//! The one place that finds a protocol and a scheme by the names in a genesis.
//!
//! Everything above `consensus` is written for any [`Protocol`]. What has to be done for the one that a genesis names is a
//! [`ForProtocol`]: starting a node, checking commit proofs. A new protocol or scheme is one more arm here.

use quorate_consensus::{Protocol, hotstuff::HotStuff, pbft::Pbft};
use quorate_crypto::{Ed25519List, Scheme, VoteSecret};
use quorate_ledger::{Genesis, SchemeKind};

/// A vote scheme whose public material is in a genesis, and whose secrets are in a validator's key files.
pub trait GenesisScheme: Scheme {
    /// The scheme of the genesis' committee.
    fn of(genesis: &Genesis) -> Result<Self, UnusableGenesis>;
    /// A validator's secret, of the keys that its home holds.
    fn secret(vote: &VoteSecret) -> Self::Secret;
}

/// A genesis that makes no committee.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the genesis is not usable: {0}")]
pub struct UnusableGenesis(String);

impl GenesisScheme for Ed25519List {
    fn of(genesis: &Genesis) -> Result<Self, UnusableGenesis> {
        let committee = genesis.committee().map_err(|error| UnusableGenesis(error.to_string()))?;
        Ok(Self::new(committee))
    }

    fn secret(vote: &VoteSecret) -> VoteSecret {
        vote.clone()
    }
}

/// Something to do for whichever protocol it is.
pub trait ForProtocol {
    /// What comes of it.
    type Out;
    /// Does it for `P`, under `scheme`.
    fn run<P: Protocol<Scheme: GenesisScheme>>(self, scheme: P::Scheme) -> Self::Out;
}

/// Does it for the protocol and scheme that `genesis` names.
pub fn for_protocol_of<F: ForProtocol>(genesis: &Genesis, what: F) -> Result<F::Out, UnusableGenesis> {
    match genesis.scheme {
        SchemeKind::Ed25519 => under::<Ed25519List, F>(genesis, what),
    }
}

fn under<S: GenesisScheme, F: ForProtocol>(genesis: &Genesis, what: F) -> Result<F::Out, UnusableGenesis> {
    let scheme = S::of(genesis)?;
    Ok(match genesis.protocol {
        quorate_ledger::Protocol::Hotstuff => what.run::<HotStuff<S>>(scheme),
        quorate_ledger::Protocol::Pbft => what.run::<Pbft<S>>(scheme),
    })
}
