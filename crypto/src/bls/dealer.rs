//! One dealer, who is trusted to forget: for test nets. Everybody else runs the ceremony.

use super::{
    polynomial::{Commitments, Polynomial, Share},
    variant::Variant,
};
use quorate_types::limits;
use zeroize::Zeroizing;

/// What a dealer gives: to each member its share, to all the commitments.
#[derive(Debug)]
pub struct Dealing<V: Variant> {
    /// For the genesis.
    pub commitments: Commitments<V>,
    /// In the members' order, each for its member's eyes only.
    pub shares: Vec<Share>,
}

/// Deals a new key from the operating system's random source. Seed and polynomial are wiped before this returns; that nobody
/// looked meanwhile, members have to take on trust.
///
/// # Panics
/// If not `1 <= threshold <= n`, if `n` is more than a committee may have, or if the operating system has no randomness.
pub fn deal<V: Variant>(n: usize, threshold: usize) -> Dealing<V> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(seed.as_mut_slice()).expect("the operating system gives randomness");
    deal_from(&seed, n, threshold)
}

/// Deals the key of a seed, always the same: for simulations and tests.
///
/// # Panics
/// If not `1 <= threshold <= n`, or if `n` is more than a committee may have.
pub fn deal_from<V: Variant>(seed: &[u8; 32], n: usize, threshold: usize) -> Dealing<V> {
    assert!((1..=n).contains(&threshold) && n <= limits::REPLICAS, "no threshold: {threshold} of {n}");
    let polynomial = polynomial(seed, threshold);
    let share = |index| polynomial.share(index).expect("indices begin with one");
    let last = u16::try_from(n).expect("at most 1024 members");
    Dealing { commitments: polynomial.commitments(), shares: (1..=last).map(share).collect() }
}

/// The dealer's polynomial. Shares alone cost no group operation.
pub(crate) fn polynomial(seed: &[u8; 32], threshold: usize) -> Polynomial {
    Polynomial::derive(seed, b"quorate/dealer/v1", threshold)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bls::{MinPk, MinSig};

    #[test]
    fn each_share_is_committed_to() {
        let dealing = deal::<MinSig>(7, 5);
        assert_eq!((dealing.commitments.threshold(), dealing.shares.len()), (5, 7));
        assert!(dealing.shares.iter().all(|share| dealing.commitments.is_share(share)));
        assert!(!deal::<MinSig>(7, 5).commitments.is_share(&dealing.shares[0]), "another dealing");
    }

    #[test]
    fn a_seed_deals_the_same_key_again() {
        let (one, two) = (deal_from::<MinPk>(&[1; 32], 4, 3), deal_from::<MinPk>(&[1; 32], 4, 3));
        assert_eq!(one.commitments, two.commitments);
        assert_eq!(one.shares, two.shares);
    }
}
