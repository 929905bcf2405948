//! Integers modulo r, the order of both groups: shares, coefficients, secret keys.
//!
//! One of two files with `unsafe` in the workspace, all of it calls of blst. Every function here takes and gives whole values;
//! no pointer leaves it.
#![allow(unsafe_code)]

use blst::{
    blst_fr, blst_fr_add, blst_fr_eucl_inverse, blst_fr_from_scalar, blst_fr_from_uint64, blst_fr_mul, blst_fr_sub,
    blst_keygen, blst_scalar, blst_scalar_fr_check, blst_scalar_from_bendian, blst_scalar_from_fr,
};
use zeroize::{Zeroize, Zeroizing};

/// An integer modulo r. Copies freely and forgets nothing: for what is public, such as Lagrange coefficients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scalar(blst_fr);

/// A scalar that is wiped when dropped.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretScalar(Scalar);

impl From<u16> for Scalar {
    fn from(small: u16) -> Self {
        let limbs = [u64::from(small), 0, 0, 0];
        let mut out = blst_fr::default();
        // SAFETY: blst reads four limbs and writes one blst_fr; both are live for the call.
        unsafe { blst_fr_from_uint64(&mut out, limbs.as_ptr()) };
        Self(out)
    }
}

impl Scalar {
    /// The one encoding of a scalar: 32 bytes, greatest first, below r.
    pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        let mut scalar = blst_scalar::default();
        let mut out = blst_fr::default();
        // SAFETY: 32 bytes are read, as blst expects; a scalar that is not below r is never turned into a blst_fr.
        unsafe {
            blst_scalar_from_bendian(&mut scalar, bytes.as_ptr());
            if !blst_scalar_fr_check(&scalar) {
                return None;
            }
            blst_fr_from_scalar(&mut out, &scalar);
        }
        Some(Self(out))
    }

    /// 32 bytes, least first, as blst's multiplications take them.
    pub(crate) fn to_little_endian(self) -> Zeroizing<[u8; 32]> {
        let mut scalar = blst_scalar::default();
        // SAFETY: reads one blst_fr, writes one blst_scalar, which wipes itself when dropped.
        unsafe { blst_scalar_from_fr(&mut scalar, &self.0) };
        Zeroizing::new(scalar.b)
    }

    /// 32 bytes, greatest first.
    pub(crate) fn to_bytes(self) -> Zeroizing<[u8; 32]> {
        let mut bytes = self.to_little_endian();
        bytes.reverse();
        bytes
    }

    pub(crate) fn add(self, other: Self) -> Self {
        let mut out = blst_fr::default();
        // SAFETY: reads two values, writes one; none of them overlap.
        unsafe { blst_fr_add(&mut out, &self.0, &other.0) };
        Self(out)
    }

    pub(crate) fn sub(self, other: Self) -> Self {
        let mut out = blst_fr::default();
        // SAFETY: as for `add`.
        unsafe { blst_fr_sub(&mut out, &self.0, &other.0) };
        Self(out)
    }

    pub(crate) fn mul(self, other: Self) -> Self {
        let mut out = blst_fr::default();
        // SAFETY: as for `add`.
        unsafe { blst_fr_mul(&mut out, &self.0, &other.0) };
        Self(out)
    }

    /// One over it. Zero has no inverse; blst gives zero. Not in constant time: for public values.
    pub(crate) fn inverse(self) -> Self {
        let mut out = blst_fr::default();
        // SAFETY: reads one value, writes one.
        unsafe { blst_fr_eucl_inverse(&mut out, &self.0) };
        Self(out)
    }
}

impl SecretScalar {
    pub(crate) fn new(scalar: Scalar) -> Self {
        Self(scalar)
    }

    /// The KeyGen of the IETF draft: HKDF of the seed, never zero. Other `info`, unrelated scalar.
    pub(crate) fn derive(seed: &[u8; 32], info: &[u8]) -> Self {
        let mut scalar = blst_scalar::default();
        let mut out = blst_fr::default();
        // SAFETY: lengths are those of the slices, and at least the 32 bytes of seed that KeyGen asks for.
        unsafe {
            blst_keygen(&mut scalar, seed.as_ptr(), seed.len(), info.as_ptr(), info.len());
            blst_fr_from_scalar(&mut out, &scalar);
        }
        Self(Scalar(out))
    }

    /// The value, for arithmetic whose result is wrapped again.
    pub(crate) fn expose(&self) -> Scalar {
        self.0
    }
}

impl Drop for SecretScalar {
    fn drop(&mut self) {
        self.0.0.l.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_is_that_of_a_field() {
        let (a, b) = (Scalar::from(1000), Scalar::from(77));
        assert_eq!(a.add(b).sub(b), a);
        assert_eq!(a.mul(b), Scalar::from(1000).mul(Scalar::from(70)).add(Scalar::from(7000)));
        assert_eq!(a.mul(a.inverse()), Scalar::from(1));
        assert_eq!(Scalar::default().inverse(), Scalar::default(), "no panic and no division");
    }

    #[test]
    fn a_scalar_has_one_encoding() {
        let r = "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001";
        let mut bytes: [u8; 32] = hex::decode(r).expect("hexadecimal").try_into().expect("32 bytes");
        assert_eq!(Scalar::from_bytes(&bytes), None, "r itself");
        assert_eq!(Scalar::from_bytes(&[0xff; 32]), None);
        bytes[31] = 0;
        let greatest = Scalar::from_bytes(&bytes).expect("r - 1");
        assert_eq!(greatest.add(Scalar::from(1)), Scalar::default());
        assert_eq!(*greatest.to_bytes(), bytes);
    }

    #[test]
    fn derived_scalars_differ_by_seed_and_info() {
        let derive = |seed, info: &[u8]| *SecretScalar::derive(&[seed; 32], info).expose().to_bytes();
        assert_eq!(derive(1, b"a"), derive(1, b"a"));
        assert_ne!(derive(1, b"a"), derive(1, b"b"));
        assert_ne!(derive(1, b"a"), derive(2, b"a"));
    }
}
