//! What cryptography takes of this machine's CPU: counted operations times what one of each takes here.
//!
//! Measured once for each scheme and committee size, with real signatures, whichever a row was counted with.

use crate::{bls_multi, bls_threshold, cpu::rough_micros, ed25519};
use quorate_crypto::{
    Operations, Scheme,
    bls::{MinPk, MinSig},
};
use quorate_ledger::SchemeKind;
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// Microseconds that each operation takes.
#[derive(Clone, Copy, Debug)]
struct Prices {
    sign: f64,
    attest: f64,
    admit: f64,
    verify: f64,
    check_attestation: f64,
    combine: f64,
    check_proof: f64,
}

/// Microseconds that `operations` take under a scheme in a committee of `n`. `None` in a debug build, which measures nothing.
pub(super) fn micros(scheme: SchemeKind, n: usize, operations: &Operations) -> Option<f64> {
    static KNOWN: Mutex<BTreeMap<(SchemeKind, usize), Prices>> = Mutex::new(BTreeMap::new());
    if cfg!(debug_assertions) {
        return None;
    }
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let prices = *known.entry((scheme, n)).or_insert_with(|| Prices::of(scheme, n));
    Some(prices.total(operations))
}

impl Prices {
    fn of(scheme: SchemeKind, n: usize) -> Self {
        match scheme {
            SchemeKind::Ed25519 => Self::measured(&ed25519(n)),
            SchemeKind::BlsMulti => Self::measured(&bls_multi::<MinSig>(n)),
            SchemeKind::BlsMultiMinPk => Self::measured(&bls_multi::<MinPk>(n)),
            SchemeKind::BlsThreshold => Self::measured(&bls_threshold::<MinSig>(n)),
            SchemeKind::BlsThresholdMinPk => Self::measured(&bls_threshold::<MinPk>(n)),
        }
    }

    /// What stands alone is signed with ed25519 under every scheme.
    fn measured<S: Scheme>(case: &crate::Case<S>) -> Self {
        let alone = ed25519(4);
        Self {
            sign: rough_micros(|| case.sign()),
            attest: rough_micros(|| alone.sign()),
            admit: rough_micros(|| case.admit()),
            verify: rough_micros(|| case.verify()),
            check_attestation: rough_micros(|| alone.admit()),
            combine: rough_micros(|| case.combine()),
            check_proof: rough_micros(|| case.verify_certificate()),
        }
    }

    fn total(&self, operations: &Operations) -> f64 {
        let each = [
            (operations.signs, self.sign),
            (operations.attests, self.attest),
            (operations.admits, self.admit),
            (operations.verifies, self.verify),
            (operations.attestation_checks, self.check_attestation),
            (operations.combines, self.combine),
            (operations.proof_checks, self.check_proof),
        ];
        each.into_iter().map(|(times, micros)| times as f64 * micros).sum()
    }
}
