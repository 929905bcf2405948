//! The simulator under real signatures.
//!
//! A crate of its own for the compiler's sake: each protocol under each scheme is a simulator of its own, and who works on the protocols
//! runs the symbolic ones many times for each time that he runs these.

use quorate_crypto::{
    Ed25519List,
    bls::{BlsMulti, BlsThreshold, MinPk, MinSig},
};
use quorate_ledger::SchemeKind;
use quorate_sim::campaign::{Runner, run_under};

/// Runs plans with a scheme's real signatures.
pub fn runner(scheme: SchemeKind) -> Runner {
    match scheme {
        SchemeKind::Ed25519 => run_under::<Ed25519List>,
        SchemeKind::BlsMulti => run_under::<BlsMulti<MinSig>>,
        SchemeKind::BlsMultiMinPk => run_under::<BlsMulti<MinPk>>,
        SchemeKind::BlsThreshold => run_under::<BlsThreshold<MinSig>>,
        SchemeKind::BlsThresholdMinPk => run_under::<BlsThreshold<MinPk>>,
    }
}
