//! From values of a polynomial at some places to its value at zero.

use super::field::Scalar;
use quorate_types::ReplicaId;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

/// The Lagrange coefficients at zero for the places `indices`, with one inversion for all of them. None if an index is zero,
/// where the secret itself is, or there twice, which would divide by zero.
pub(crate) fn coefficients(indices: &[u16]) -> Option<Vec<Scalar>> {
    let distinct: BTreeSet<_> = indices.iter().collect();
    if indices.contains(&0) || distinct.len() != indices.len() {
        return None;
    }
    let places: Vec<Scalar> = indices.iter().map(|&index| Scalar::from(index)).collect();
    let product = places.iter().fold(Scalar::from(1), |product, &place| product.mul(place));
    // lambda_i = prod_{j != i} x_j / (x_j - x_i) = prod_j x_j / (x_i * prod_{j != i} (x_j - x_i))
    let denominators = places.iter().enumerate().map(|(i, &place)| {
        let others = places.iter().enumerate().filter(|(j, _)| *j != i);
        others.fold(place, |product, (_, &other)| product.mul(other.sub(place)))
    });
    Some(invert_all(&denominators.collect::<Vec<_>>()).into_iter().map(|inverse| inverse.mul(product)).collect())
}

/// Montgomery's trick: the inverses of values that are not zero, for one inversion and three multiplications each.
fn invert_all(values: &[Scalar]) -> Vec<Scalar> {
    let mut before = Vec::with_capacity(values.len());
    let mut product = Scalar::from(1);
    for &value in values {
        before.push(product);
        product = product.mul(value);
    }
    let mut inverse = product.inverse();
    let mut inverses = vec![Scalar::default(); values.len()];
    for (index, &value) in values.iter().enumerate().rev() {
        inverses[index] = inverse.mul(before[index]);
        inverse = inverse.mul(value);
    }
    inverses
}

/// How many sets of signers are remembered: the same quorum recurs, view after view.
const REMEMBERED: usize = 64;

type Remembered = (BTreeMap<Vec<ReplicaId>, Arc<[Scalar]>>, VecDeque<Vec<ReplicaId>>);

/// Coefficients by set of signers. When full, the oldest set is forgotten.
#[derive(Debug, Default)]
pub(crate) struct Cache(Mutex<Remembered>);

impl Cache {
    /// The coefficients for these distinct replicas, in their order.
    pub(crate) fn coefficients(&self, signers: &[ReplicaId]) -> Option<Arc<[Scalar]>> {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, order) = &mut *guard;
        if let Some(coefficients) = known.get(signers) {
            return Some(coefficients.clone());
        }
        let indices: Vec<u16> = signers.iter().map(|&signer| super::share_index(signer)).collect();
        let coefficients: Arc<[Scalar]> = coefficients(&indices)?.into();
        known.insert(signers.to_vec(), coefficients.clone());
        order.push_back(signers.to_vec());
        if order.len() > REMEMBERED {
            order.pop_front().map(|oldest| known.remove(&oldest));
        }
        Some(coefficients)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_at_zero_comes_out() {
        let value = |x: u16| Scalar::from(7 + 3 * x + 2 * x * x);
        for places in [[1, 2, 3], [5, 1, 9], [30, 20, 10]] {
            let lambda = coefficients(&places).expect("distinct and not zero");
            let terms = places.iter().zip(lambda).map(|(&place, factor)| value(place).mul(factor));
            assert_eq!(terms.fold(Scalar::default(), Scalar::add), Scalar::from(7), "{places:?}");
        }
    }

    #[test]
    fn zero_and_doubled_places_are_refused() {
        assert!(coefficients(&[0, 1]).is_none());
        assert!(coefficients(&[3, 1, 3]).is_none());
    }

    #[test]
    fn the_cache_is_bounded_and_gives_what_was_computed() {
        let cache = Cache::default();
        for first in 0..200 {
            let signers = [ReplicaId(first), ReplicaId(500)];
            let expected = coefficients(&[first + 1, 501]).expect("distinct");
            assert_eq!(cache.coefficients(&signers).as_deref(), Some(&expected[..]));
            assert_eq!(cache.coefficients(&signers).as_deref(), Some(&expected[..]));
        }
        let guard = cache.0.lock().expect("nobody panicked");
        assert_eq!((guard.0.len(), guard.1.len()), (REMEMBERED, REMEMBERED));
    }
}
