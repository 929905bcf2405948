//! Shamir's shares of a secret, and Feldman's commitments, with which everybody checks a share without knowing the secret.
//!
//! A dealer has one polynomial of degree `t - 1`. In a joint ceremony each participant deals one; whoever qualifies counts, and
//! the sums of shares and of commitments are those of the sum of the polynomials, which nobody ever knew.

use super::{
    SecretScalar,
    field::Scalar,
    group::{Group, PointError},
    lagrange,
    point::Point,
    variant::Variant,
};
use borsh::{BorshDeserialize, BorshSerialize, io};
use quorate_types::{BoundedVec, codec::invalid, limits};
use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::Zeroizing;

/// A secret polynomial, wiped when dropped. Its value at zero is the secret shared.
pub struct Polynomial(Vec<SecretScalar>);

impl Polynomial {
    /// The polynomial of `threshold` coefficients that follows from a secret seed. The same seed gives the same polynomial, so
    /// whoever must not deal twice keeps the seed, and `ceremony` keeps ceremonies apart.
    pub fn derive(seed: &[u8; 32], ceremony: &[u8], threshold: usize) -> Self {
        let coefficient = |k: usize| SecretScalar::derive(seed, &[ceremony, &(k as u64).to_le_bytes()].concat());
        Self((0..threshold).map(coefficient).collect())
    }

    /// The share at `index`, which is not zero: there the secret is.
    pub fn share(&self, index: u16) -> Option<Share> {
        if index == 0 {
            return None;
        }
        let x = Scalar::from(index);
        let value = self.0.iter().rev().fold(Scalar::default(), |value, c| value.mul(x).add(c.expose()));
        Some(Share { index, value: SecretScalar::new(value) })
    }

    /// Proof that we know the secret that is shared, good in this context only. See [`Commitments::is_proven`].
    pub fn prove<V: Variant>(&self, context: &[u8]) -> Point<V::Signature> {
        let message = possession(context, self.commitments::<V>().group_key());
        let proof = self.0.first().and_then(|secret| V::sign(secret, &message, V::POSSESSION_TAG));
        proof.expect("a polynomial has a first coefficient, and KeyGen never gives zero")
    }

    /// The public side of each coefficient.
    pub fn commitments<V: Variant>(&self) -> Commitments<V> {
        let points = self.0.iter().map(|coefficient| V::public(coefficient).expect("KeyGen never gives zero"));
        Commitments(BoundedVec::new(points.collect()).expect("a threshold is at most the size of a committee"))
    }
}

/// One participant's share of a secret, wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Share {
    index: u16,
    value: SecretScalar,
}

impl Share {
    /// The share of `index` with this value, greatest byte first. Index zero and what is not below r are refused.
    pub fn from_bytes(index: u16, value: &[u8; 32]) -> Option<Self> {
        if index == 0 {
            return None;
        }
        Some(Self { index, value: SecretScalar::new(Scalar::from_bytes(value)?) })
    }

    /// Where the polynomial was evaluated: a member's number plus one.
    pub fn index(&self) -> u16 {
        self.index
    }

    /// The value, greatest byte first.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        self.value.expose().to_bytes()
    }

    /// The share of the sum of the polynomials. None without shares, or if they are of different indices.
    pub fn sum<'a>(shares: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        let mut shares = shares.into_iter();
        let mut sum = shares.next()?.clone();
        for share in shares {
            if share.index != sum.index {
                return None;
            }
            sum.value = SecretScalar::new(sum.value.expose().add(share.value.expose()));
        }
        Some(sum)
    }

    /// Signs bytes under a tag: a partial signature. A share of zero, which no honest dealing gives, signs nothing.
    pub fn sign<V: Variant>(&self, message: &[u8], tag: &[u8]) -> Option<Point<V::Signature>> {
        V::sign(&self.value, message, tag)
    }

    pub(crate) fn public<V: Variant>(&self) -> Option<Point<V::Public>> {
        V::public(&self.value)
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "share {}", self.index)
    }
}

/// Feldman's commitments to a polynomial: how many there are is the threshold, the first is the group's public key, and each
/// member's public share follows from them. This is all that a genesis says about a threshold key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, Serialize, Deserialize)]
#[serde(bound = "", try_from = "Vec<Point<V::Public>>", into = "Vec<Point<V::Public>>")]
pub struct Commitments<V: Variant>(#[borsh(bound(serialize = ""))] BoundedVec<Point<V::Public>, { limits::REPLICAS }>);

impl<V: Variant> Commitments<V> {
    /// The commitments in the order of the coefficients, lowest first. None are none, and too many are refused.
    pub fn new(points: Vec<Point<V::Public>>) -> Option<Self> {
        if points.is_empty() { None } else { BoundedVec::new(points).ok().map(Self) }
    }

    /// How many shares make a signature.
    pub fn threshold(&self) -> usize {
        self.0.len()
    }

    /// The commitments, lowest coefficient first.
    pub fn points(&self) -> &[Point<V::Public>] {
        &self.0
    }

    /// The group's public key.
    ///
    /// # Panics
    /// Never: no constructor gives an empty list.
    pub fn group_key(&self) -> &Point<V::Public> {
        self.0.first().expect("commitments are not empty")
    }

    /// The public half of the share at `index`. None at zero, and where the polynomial is zero.
    pub fn public_share(&self, index: u16) -> Option<Point<V::Public>> {
        if index == 0 {
            return None;
        }
        let elements: Vec<_> = self.0.iter().map(|point| *point.element()).collect();
        Point::new(V::Public::evaluate(&elements, index)).ok()
    }

    /// Whether this is the share that was committed to.
    pub fn is_share(&self, share: &Share) -> bool {
        share.public::<V>().is_some_and(|public| self.public_share(share.index) == Some(public))
    }

    /// Whether whoever made this proof, in this context, knew the secret. Otherwise a dealer could choose its commitments as a function
    /// of the others', so that their sum is a key that it knows alone (a *rogue key*).
    pub fn is_proven(&self, context: &[u8], proof: &Point<V::Signature>) -> bool {
        V::verify(self.group_key(), &possession(context, self.group_key()), V::POSSESSION_TAG, proof)
    }

    /// The commitments to the sum of the polynomials. None without any, if their thresholds differ, or if a sum is the identity.
    pub fn sum<'a>(all: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        let all: Vec<_> = all.into_iter().collect();
        let threshold = all.first()?.threshold();
        if all.iter().any(|commitments| commitments.threshold() != threshold) {
            return None;
        }
        let column = |k: usize| V::Public::sum(all.iter().map(|commitments| commitments.0[k].element()));
        let points: Result<Vec<_>, PointError> = (0..threshold).map(|k| Point::new(column(k))).collect();
        Self::new(points.ok()?)
    }
}

/// What a proof of possession signs.
fn possession<G: Group>(context: &[u8], key: &Point<G>) -> Vec<u8> {
    [context, key.to_bytes().as_ref()].concat()
}

/// As in text, none are none.
impl<V: Variant> BorshDeserialize for Commitments<V> {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let points = BoundedVec::<_, { limits::REPLICAS }>::deserialize_reader(reader)?;
        Self::new(points.into_inner()).ok_or_else(|| invalid("no commitments"))
    }
}

impl<V: Variant> TryFrom<Vec<Point<V::Public>>> for Commitments<V> {
    type Error = &'static str;

    fn try_from(points: Vec<Point<V::Public>>) -> Result<Self, &'static str> {
        Self::new(points).ok_or("no commitments, or more than a committee may have members")
    }
}

impl<V: Variant> From<Commitments<V>> for Vec<Point<V::Public>> {
    fn from(commitments: Commitments<V>) -> Self {
        commitments.0.into_inner()
    }
}

/// Why partial signatures do not combine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CombineError {
    /// Not `1 <= t <= n`.
    #[error("a threshold of {threshold} of {n}")]
    Threshold {
        /// t.
        threshold: usize,
        /// n.
        n: usize,
    },
    /// Zero or above n.
    #[error("no share has index {0}")]
    Index(u16),
    /// The same share twice.
    #[error("two partial signatures under one index")]
    Duplicate,
    /// Fewer than the threshold.
    #[error("{have} partial signatures where {need} are needed")]
    TooFew {
        /// How many there are.
        have: usize,
        /// The threshold.
        need: usize,
    },
    /// They sum to the identity, which signs nothing.
    #[error("the partial signatures sum to the identity")]
    Identity,
}

/// Refuses what is no threshold, and an index that no share of `n` has.
pub fn check_index(threshold: usize, n: usize, index: u16) -> Result<(), CombineError> {
    if threshold == 0 || threshold > n || n > limits::REPLICAS {
        return Err(CombineError::Threshold { threshold, n });
    }
    if index == 0 || usize::from(index) > n { Err(CombineError::Index(index)) } else { Ok(()) }
}

/// The group's signature from the first `threshold` of the partial signatures. Not verified: that is one check of the result.
pub fn combine<V: Variant>(
    threshold: usize,
    n: usize,
    partials: &[(u16, Point<V::Signature>)],
) -> Result<Point<V::Signature>, CombineError> {
    let indices: Vec<u16> = partials.iter().map(|(index, _)| *index).collect();
    check_index(threshold, n, 1)?;
    indices.iter().try_for_each(|&index| check_index(threshold, n, index))?;
    if partials.len() < threshold {
        return Err(CombineError::TooFew { have: partials.len(), need: threshold });
    }
    // All indices, not only those used: a doubled one is somebody's mistake or lie wherever it stands.
    let mut sorted = indices.clone();
    sorted.sort_unstable();
    if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(CombineError::Duplicate);
    }
    let coefficients = lagrange::coefficients(&indices[..threshold]).ok_or(CombineError::Duplicate)?;
    interpolate::<V>(partials[..threshold].iter().map(|(_, partial)| partial), &coefficients)
        .ok_or(CombineError::Identity)
}

/// The sum of each partial signature times its coefficient.
pub(crate) fn interpolate<'a, V: Variant>(
    partials: impl Iterator<Item = &'a Point<V::Signature>>,
    coefficients: &[Scalar],
) -> Option<Point<V::Signature>> {
    let elements: Vec<_> = partials.map(|partial| *partial.element()).collect();
    Point::new(V::Signature::combine(&elements, coefficients)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bls::{MinPk, MinSig};

    fn dealt(seed: u8, threshold: usize) -> Polynomial {
        Polynomial::derive(&[seed; 32], b"test", threshold)
    }

    fn any_threshold_of_shares_sign<V: Variant>() {
        let polynomial = dealt(1, 3);
        let commitments = polynomial.commitments::<V>();
        let partial =
            |index| (index, polynomial.share(index).expect("not zero").sign::<V>(b"m", b"tag").expect("signs"));
        let signatures: Vec<_> = [[1, 2, 3], [5, 2, 4], [3, 5, 1]]
            .iter()
            .map(|set| combine::<V>(3, 5, &set.map(partial)).expect("three of five"))
            .collect();
        assert!(V::verify(commitments.group_key(), b"m", b"tag", &signatures[0]));
        assert!(signatures.iter().all(|signature| *signature == signatures[0]));
        let two = combine::<V>(3, 5, &[partial(1), partial(2)]);
        assert_eq!(two, Err(CombineError::TooFew { have: 2, need: 3 }));
        let lied_about = combine::<V>(2, 5, &[partial(1), partial(2)]).expect("combines");
        assert!(!V::verify(commitments.group_key(), b"m", b"tag", &lied_about), "two are not three");
    }

    #[test]
    fn any_threshold_of_shares_give_the_one_signature() {
        any_threshold_of_shares_sign::<MinSig>();
        any_threshold_of_shares_sign::<MinPk>();
    }

    #[test]
    fn a_share_is_checked_against_the_commitments() {
        let (polynomial, other) = (dealt(1, 3), dealt(2, 3));
        let commitments = polynomial.commitments::<MinSig>();
        let share = polynomial.share(4).expect("not zero");
        assert!(commitments.is_share(&share));
        assert!(!commitments.is_share(&other.share(4).expect("not zero")));
        let moved = Share::from_bytes(3, &share.to_bytes()).expect("a scalar");
        assert!(!commitments.is_share(&moved), "under another index");
        assert!(polynomial.share(0).is_none());
        assert!(Share::from_bytes(0, &[1; 32]).is_none());
    }

    #[test]
    fn a_proof_is_of_one_secret_in_one_context() {
        let (one, other) = (dealt(1, 3), dealt(2, 3));
        let commitments = one.commitments::<MinSig>();
        assert!(commitments.is_proven(b"here", &one.prove::<MinSig>(b"here")));
        assert!(!commitments.is_proven(b"there", &one.prove::<MinSig>(b"here")));
        assert!(!commitments.is_proven(b"here", &other.prove::<MinSig>(b"here")));
    }

    #[test]
    fn sums_of_dealings_are_a_dealing() {
        let dealers = [dealt(1, 3), dealt(2, 3), dealt(3, 3)];
        let commitments: Vec<_> = dealers.iter().map(Polynomial::commitments::<MinSig>).collect();
        let sum = Commitments::sum(&commitments).expect("equal thresholds");
        for index in 1..=5 {
            let shares: Vec<_> = dealers.iter().map(|dealer| dealer.share(index).expect("not zero")).collect();
            assert!(sum.is_share(&Share::sum(&shares).expect("one index")));
        }
        assert_eq!(Commitments::sum([&commitments[0], &dealt(4, 2).commitments()]), None);
        let mixed = [dealers[0].share(1).expect("not zero"), dealers[1].share(2).expect("not zero")];
        assert_eq!(Share::sum(&mixed), None);
    }

    #[test]
    fn indices_outside_the_dealing_and_doubled_ones_are_refused() {
        let polynomial = dealt(1, 2);
        let partial =
            |index: u16| polynomial.share(1).and_then(|share| share.sign::<MinSig>(b"m", b"t")).map(|p| (index, p));
        let of = |indices: &[u16]| {
            let partials: Vec<_> = indices.iter().map(|&index| partial(index).expect("signs")).collect();
            combine::<MinSig>(2, 4, &partials)
        };
        assert_eq!(of(&[0, 1]), Err(CombineError::Index(0)));
        assert_eq!(of(&[1, 5]), Err(CombineError::Index(5)));
        assert_eq!(of(&[2, 2]), Err(CombineError::Duplicate));
        assert_eq!(of(&[1, 2, 1]), Err(CombineError::Duplicate));
        assert_eq!(of(&[1]), Err(CombineError::TooFew { have: 1, need: 2 }));
        assert_eq!(combine::<MinSig>(0, 4, &[]), Err(CombineError::Threshold { threshold: 0, n: 4 }));
        assert_eq!(combine::<MinSig>(5, 4, &[]), Err(CombineError::Threshold { threshold: 5, n: 4 }));
    }
}
