//! The protocols that a simulation can run.

use crate::{Door, SimScheme};
use quorate_consensus::{Protocol, hotstuff::HotStuff, pbft::Pbft};
use quorate_crypto::Symbolic;

/// A protocol under a scheme of which the simulator knows every secret.
pub trait SimProtocol: Protocol<Scheme: SimScheme> {
    /// Its name in a genesis.
    const KIND: quorate_ledger::Protocol;

    /// What stands between its machine and the links, if it may be an attacker's.
    fn door(&self) -> Option<Box<dyn Door>> {
        None
    }
}

/// HotStuff under the scheme that costs least.
pub type SymbolicHotStuff = HotStuff<Symbolic>;
/// PBFT under the scheme that costs least.
pub type SymbolicPbft = Pbft<Symbolic>;

/// Makes a test of each of these functions for each protocol: `fn claim<P: SimProtocol>()` becomes `hotstuff::claim` and
/// `pbft::claim`. For claims that do not depend on how replicas agree.
#[macro_export]
macro_rules! for_each_protocol {
    ($($claim:ident),* $(,)?) => {
        mod hotstuff {
            $(#[test] fn $claim() { super::$claim::<$crate::SymbolicHotStuff>(); })*
        }
        mod pbft {
            $(#[test] fn $claim() { super::$claim::<$crate::SymbolicPbft>(); })*
        }
    };
}

impl<S: SimScheme> SimProtocol for HotStuff<S> {
    const KIND: quorate_ledger::Protocol = quorate_ledger::Protocol::Hotstuff;
}

impl<S: SimScheme> SimProtocol for Pbft<S> {
    const KIND: quorate_ledger::Protocol = quorate_ledger::Protocol::Pbft;
}
