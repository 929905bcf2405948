//! The two groups of BLS12-381, one trait.
//!
//! An element is always in the prime-order subgroup: the constructors check it, and sums and multiples stay there. It may be
//! the identity, which sums can give; what somebody *sent* is a [`Point`](super::Point), which may not.
//!
//! The other file with `unsafe`, all of it calls of blst.
#![allow(unsafe_code)]

use super::field::Scalar;
use blst::{BLST_ERROR, MultiPoint};
use std::{
    fmt::Debug,
    hash::{Hash, Hasher},
};

/// Why bytes are not a point that we accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PointError {
    /// Too short or too long, the uncompressed form, flags that contradict each other, a coordinate that is not below p.
    #[error("not the compressed encoding of a point")]
    Encoding,
    /// No such x on the curve.
    #[error("not a point of the curve")]
    NotOnCurve,
    /// On the curve, outside the subgroup in which the scheme is sound.
    #[error("a point outside the prime-order subgroup")]
    NotInGroup,
    /// The identity: as a key it verifies what nobody signed.
    #[error("the identity")]
    Identity,
}

/// A group of BLS12-381. Elements are kept in affine form.
pub trait Group: Copy + Debug + Eq + Hash + Send + Sync + 'static {
    /// Length of the compressed encoding.
    const BYTES: usize;
    /// The compressed encoding.
    type Bytes: AsRef<[u8]> + AsMut<[u8]> + Copy + Send + Sync;

    /// A buffer for the encoding.
    fn buffer() -> Self::Bytes;
    /// The generator that the standard names.
    fn generator() -> Self;
    /// Reads the compressed encoding: canonical, on the curve, in the subgroup. The identity passes.
    fn decode(bytes: &[u8]) -> Result<Self, PointError>;
    /// The compressed encoding.
    fn encode(&self) -> Self::Bytes;
    /// Both coordinates.
    fn encode_uncompressed(&self) -> Vec<u8>;
    /// Whether it is the identity.
    fn is_identity(&self) -> bool;
    /// The sum of elements; of none, the identity.
    fn sum<'a>(elements: impl IntoIterator<Item = &'a Self>) -> Self;
    /// Hash to curve (RFC 9380), the suite with a random oracle.
    fn hash_to_curve(message: &[u8], tag: &[u8]) -> Self;
    /// Encode to curve (RFC 9380), the non-uniform suite. No signature uses it; the standard's vectors do.
    fn encode_to_curve(message: &[u8], tag: &[u8]) -> Self;
    /// The sum of each element times its factor. What has no partner is left out.
    fn combine(elements: &[Self], factors: &[Scalar]) -> Self;
    /// The value at `x` of the polynomial with these coefficients, lowest first (Horner).
    fn evaluate(coefficients: &[Self], x: u16) -> Self;
}

/// From this many points on, Pippenger's method beats one multiplication each (measured for 3 to 100).
const PIPPENGER_FROM: usize = 32;

const SCALAR_BITS: usize = 255;

macro_rules! group {
    (
        $(#[$doc:meta])* $name:ident, $bytes:literal, $affine:ident, $projective:ident,
        $generator:ident, $in_group:ident, $is_identity:ident, $uncompress:ident, $compress:ident, $serialize:ident,
        $from_affine:ident, $to_affine:ident, $add:ident, $add_affine:ident, $double:ident, $mult:ident, $hash:ident,
        $encode:ident
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name(pub(super) blst::$affine);

        impl $name {
            fn from_projective(point: &blst::$projective) -> Self {
                let mut out = blst::$affine::default();
                // SAFETY: reads one point, writes one.
                unsafe { blst::$to_affine(&mut out, point) };
                Self(out)
            }

            fn projective(&self) -> blst::$projective {
                let mut out = blst::$projective::default();
                // SAFETY: reads one point, writes one.
                unsafe { blst::$from_affine(&mut out, &self.0) };
                out
            }

            fn add(left: &blst::$projective, right: &blst::$projective) -> blst::$projective {
                let mut out = blst::$projective::default();
                // SAFETY: reads two points, writes a third; equal and opposite points are handled by this variant.
                unsafe { blst::$add(&mut out, left, right) };
                out
            }

            fn hash_with(
                hash: unsafe extern "C" fn(
                    *mut blst::$projective, *const u8, usize, *const u8, usize, *const u8, usize,
                ),
                message: &[u8],
                tag: &[u8],
            ) -> Self {
                let mut out = blst::$projective::default();
                // SAFETY: lengths are those of the slices; no augmentation is read when its length is 0.
                unsafe {
                    hash(
                        &mut out, message.as_ptr(), message.len(), tag.as_ptr(), tag.len(), std::ptr::null(), 0,
                    );
                }
                Self::from_projective(&out)
            }
        }

        impl Group for $name {
            const BYTES: usize = $bytes;
            type Bytes = [u8; $bytes];

            fn buffer() -> Self::Bytes {
                [0; $bytes]
            }

            fn generator() -> Self {
                // SAFETY: blst gives a pointer to a constant.
                Self::from_projective(unsafe { &*blst::$generator() })
            }

            fn decode(bytes: &[u8]) -> Result<Self, PointError> {
                // blst's own `from_bytes` would take the uncompressed form too, and one key would have two encodings.
                if bytes.len() != $bytes {
                    return Err(PointError::Encoding);
                }
                let mut out = blst::$affine::default();
                // SAFETY: exactly $bytes bytes are read, one point is written.
                match unsafe { blst::$uncompress(&mut out, bytes.as_ptr()) } {
                    BLST_ERROR::BLST_SUCCESS => {}
                    BLST_ERROR::BLST_POINT_NOT_ON_CURVE => return Err(PointError::NotOnCurve),
                    BLST_ERROR::BLST_POINT_NOT_IN_GROUP => return Err(PointError::NotInGroup),
                    _ => return Err(PointError::Encoding),
                }
                // SAFETY: reads one point.
                if !unsafe { blst::$in_group(&out) } {
                    return Err(PointError::NotInGroup);
                }
                Ok(Self(out))
            }

            fn encode(&self) -> Self::Bytes {
                let mut out = [0; $bytes];
                // SAFETY: reads one point, writes $bytes bytes.
                unsafe { blst::$compress(out.as_mut_ptr(), &self.0) };
                out
            }

            fn encode_uncompressed(&self) -> Vec<u8> {
                let mut out = vec![0; 2 * $bytes];
                // SAFETY: reads one point, writes twice the bytes of the compressed form.
                unsafe { blst::$serialize(out.as_mut_ptr(), &self.0) };
                out
            }

            fn is_identity(&self) -> bool {
                // SAFETY: reads one point.
                unsafe { blst::$is_identity(&self.0) }
            }

            fn sum<'a>(elements: impl IntoIterator<Item = &'a Self>) -> Self {
                let mut sum = blst::$projective::default();
                for element in elements {
                    let before = sum;
                    // SAFETY: reads two points, writes a third; equal and opposite points are handled by this variant.
                    unsafe { blst::$add_affine(&mut sum, &before, &element.0) };
                }
                Self::from_projective(&sum)
            }

            fn hash_to_curve(message: &[u8], tag: &[u8]) -> Self {
                Self::hash_with(blst::$hash, message, tag)
            }

            fn encode_to_curve(message: &[u8], tag: &[u8]) -> Self {
                Self::hash_with(blst::$encode, message, tag)
            }

            fn combine(elements: &[Self], factors: &[Scalar]) -> Self {
                if elements.len() >= PIPPENGER_FROM && elements.len() == factors.len() {
                    let points: Vec<_> = elements.iter().map(|element| element.0).collect();
                    let bytes: Vec<u8> = factors.iter().flat_map(|factor| *factor.to_little_endian()).collect();
                    return Self::from_projective(&points[..].mult(&bytes, SCALAR_BITS));
                }
                let mut sum = blst::$projective::default();
                for (element, factor) in elements.iter().zip(factors) {
                    let mut term = blst::$projective::default();
                    let factor = factor.to_little_endian();
                    // SAFETY: 255 bits of the 32 bytes are read, one point is read, one written.
                    unsafe { blst::$mult(&mut term, &element.projective(), factor.as_ptr(), SCALAR_BITS) };
                    sum = Self::add(&sum, &term);
                }
                Self::from_projective(&sum)
            }

            fn evaluate(coefficients: &[Self], x: u16) -> Self {
                let mut value = blst::$projective::default();
                for coefficient in coefficients.iter().rev() {
                    // value * x by double-and-add: x has at most 16 bits, a general multiplication would do 255.
                    let mut product = blst::$projective::default();
                    for bit in (0..u16::BITS - x.leading_zeros()).rev() {
                        let before = product;
                        // SAFETY: reads one point, writes another.
                        unsafe { blst::$double(&mut product, &before) };
                        if x >> bit & 1 == 1 {
                            product = Self::add(&product, &value);
                        }
                    }
                    value = Self::add(&product, &coefficient.projective());
                }
                Self::from_projective(&value)
            }
        }

        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                Group::encode(self).hash(state);
            }
        }
    };
}

group!(
    /// G1: 48 bytes, cheap.
    G1, 48, blst_p1_affine, blst_p1, blst_p1_generator, blst_p1_affine_in_g1, blst_p1_affine_is_inf, blst_p1_uncompress,
    blst_p1_affine_compress, blst_p1_affine_serialize, blst_p1_from_affine, blst_p1_to_affine, blst_p1_add_or_double,
    blst_p1_add_or_double_affine, blst_p1_double, blst_p1_mult, blst_hash_to_g1, blst_encode_to_g1
);
group!(
    /// G2: 96 bytes, two to three times the work of G1.
    G2, 96, blst_p2_affine, blst_p2, blst_p2_generator, blst_p2_affine_in_g2, blst_p2_affine_is_inf, blst_p2_uncompress,
    blst_p2_affine_compress, blst_p2_affine_serialize, blst_p2_from_affine, blst_p2_to_affine, blst_p2_add_or_double,
    blst_p2_add_or_double_affine, blst_p2_double, blst_p2_mult, blst_hash_to_g2, blst_encode_to_g2
);

#[cfg(test)]
mod tests {
    use super::*;

    fn both_ways_of_combining_agree<G: Group>() {
        let elements: Vec<G> = (0..40u16).map(|i| G::combine(&[G::generator()], &[Scalar::from(i + 1)])).collect();
        let factors: Vec<Scalar> = (0..40u16).map(|i| Scalar::from(3 * i + 5).inverse()).collect();
        let parts = [G::combine(&elements[..20], &factors[..20]), G::combine(&elements[20..], &factors[20..])];
        assert_eq!(G::combine(&elements, &factors), G::sum(&parts));
    }

    #[test]
    fn pippenger_and_single_multiplications_agree() {
        both_ways_of_combining_agree::<G1>();
        both_ways_of_combining_agree::<G2>();
    }

    #[test]
    fn horner_evaluates_the_polynomial() {
        let coefficients: Vec<G1> =
            [7u16, 0, 3].iter().map(|&c| G1::combine(&[G1::generator()], &[Scalar::from(c)])).collect();
        for x in [0u16, 1, 2, 5, 100] {
            let expected = G1::combine(&[G1::generator()], &[Scalar::from(7 + 3 * x * x)]);
            assert_eq!(G1::evaluate(&coefficients, x), expected, "at {x}");
        }
    }

    #[test]
    fn a_point_and_its_negative_sum_to_the_identity() {
        let minus_one = Scalar::default().sub(Scalar::from(1));
        let negative = G2::combine(&[G2::generator()], &[minus_one]);
        let sum = G2::sum(&[G2::generator(), negative]);
        assert!(sum.is_identity());
        assert_eq!(G2::decode(&sum.encode()), Ok(sum), "an encoding, if one that no key may have");
    }

    #[test]
    fn the_uncompressed_form_is_refused() {
        assert_eq!(G1::decode(&G1::generator().encode_uncompressed()), Err(PointError::Encoding));
        assert_eq!(G1::decode(&G1::generator().encode_uncompressed()[..48]), Err(PointError::Encoding));
        assert_eq!(G2::decode(&[]), Err(PointError::Encoding));
    }
}
