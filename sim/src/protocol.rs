//! The protocols that a simulation can run.

use crate::SimScheme;
use quorate_consensus::{Protocol, hotstuff::HotStuff, pbft::Pbft};

/// A protocol under a scheme of which the simulator knows every secret.
pub trait SimProtocol: Protocol<Scheme: SimScheme> {
    /// Its name in a genesis.
    const KIND: quorate_ledger::Protocol;
}

impl<S: SimScheme> SimProtocol for HotStuff<S> {
    const KIND: quorate_ledger::Protocol = quorate_ledger::Protocol::Hotstuff;
}

impl<S: SimScheme> SimProtocol for Pbft<S> {
    const KIND: quorate_ledger::Protocol = quorate_ledger::Protocol::Pbft;
}
