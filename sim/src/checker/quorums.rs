//! Certificates rest on quorums, counted here and not by the code that is under test: of `n` replicas with `f = (n - 1) / 3`
//! faulty, `n - f` different ones, so that any two share one that is not.

use super::{Rule, Violation};
use quorate_types::ReplicaId;
use std::collections::BTreeSet;

/// Whether these are enough.
pub(crate) fn check(replicas: usize, signers: &[ReplicaId], what: impl Fn() -> String) -> Result<(), Violation> {
    let different: BTreeSet<_> = signers.iter().filter(|signer| signer.index() < replicas).collect();
    let quorum = replicas - (replicas - 1) / 3;
    if different.len() >= quorum && different.len() == signers.len() {
        return Ok(());
    }
    let what = format!("{} rests on {signers:?} where a quorum is {quorum} of {replicas}", what());
    Err(Violation::new(Rule::Quorum, what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_than_a_quorum_or_one_twice_or_a_stranger_is_noticed() {
        let of = |replicas, signers: &[u16]| {
            let signers: Vec<_> = signers.iter().copied().map(ReplicaId).collect();
            check(replicas, &signers, || "a certificate".to_owned()).is_ok()
        };
        assert!(of(4, &[0, 2, 3]) && of(5, &[0, 1, 2, 4]) && of(1, &[0]) && of(7, &[0, 1, 2, 3, 4]));
        assert!(!of(4, &[0, 2]) && !of(5, &[0, 1, 2]) && !of(6, &[0, 1, 2, 3]), "n - f, not 2f + 1");
        assert!(!of(4, &[0, 2, 2]) && !of(4, &[0, 2, 3, 3]) && !of(4, &[0, 2, 4]));
    }
}
