//! The one canonical encoding: borsh, with every length bounded before anything is allocated.
//!
//! [`decode`] consumes all bytes or fails, and `decode(b) = x` implies `encode(x) = b`. A bare `Vec` must
//! not stand in a type that a peer can send: [`BoundedVec`] refuses a length over its limit when it has
//! read four bytes. Recursion has no place in these types, so depth is bounded by their shape.

use borsh::{BorshDeserialize, BorshSerialize, io};
use std::ops::Deref;

/// Why bytes are not the canonical encoding of the value asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a canonical {what}: {why}")]
pub struct DecodeError {
    /// The Rust name of the type asked for.
    pub what: &'static str,
    /// borsh's or our own complaint.
    pub why: String,
}

/// The canonical encoding of `value`.
pub fn encode(value: &impl BorshSerialize) -> Vec<u8> {
    borsh::to_vec(value).expect("encoding into memory cannot fail: our collections are far below 2^32")
}

/// Length of the canonical encoding, in bytes.
pub fn encoded_len(value: &impl BorshSerialize) -> usize {
    borsh::object_length(value).expect("measuring an encoding cannot fail")
}

/// Decodes a whole buffer; trailing bytes are an error.
pub fn decode<T: BorshDeserialize>(bytes: &[u8]) -> Result<T, DecodeError> {
    borsh::from_slice(bytes).map_err(|error| DecodeError { what: short_type_name::<T>(), why: error.to_string() })
}

fn short_type_name<T>() -> &'static str {
    let full = std::any::type_name::<T>();
    let outer = full.split('<').next().unwrap_or(full);
    outer.rsplit("::").next().unwrap_or(outer)
}

/// An error for a value that decodes but breaks a rule of its type.
pub fn invalid(why: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.into())
}

/// A list of at most `MAX` items, on the wire and in memory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize)]
pub struct BoundedVec<T, const MAX: usize>(Vec<T>);

/// More items than the list may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{have} items where at most {max} are allowed")]
pub struct TooMany {
    /// Items offered.
    pub have: usize,
    /// Items allowed.
    pub max: usize,
}

impl<T, const MAX: usize> BoundedVec<T, MAX> {
    /// Takes the items if there are few enough of them.
    pub fn new(items: Vec<T>) -> Result<Self, TooMany> {
        if items.len() > MAX {
            return Err(TooMany { have: items.len(), max: MAX });
        }
        Ok(Self(items))
    }

    /// The items, without the bound.
    pub fn into_inner(self) -> Vec<T> {
        self.0
    }
}

impl<T, const MAX: usize> Default for BoundedVec<T, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T, const MAX: usize> Deref for BoundedVec<T, MAX> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<'a, T, const MAX: usize> IntoIterator for &'a BoundedVec<T, MAX> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T: BorshDeserialize, const MAX: usize> BorshDeserialize for BoundedVec<T, MAX> {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let length = u32::deserialize_reader(reader)? as usize;
        if length > MAX {
            return Err(invalid(TooMany { have: length, max: MAX }.to_string()));
        }
        // The first chunk is small, so a forged length costs its sender bytes before it costs us memory.
        let mut items = Vec::with_capacity(length.min(1024 / size_of::<T>().max(1) + 1));
        for _ in 0..length {
            items.push(T::deserialize_reader(reader)?);
        }
        Ok(Self(items))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Small = BoundedVec<u16, 3>;

    #[test]
    fn an_over_long_list_is_refused_at_its_length() {
        let error = decode::<Small>(&4u32.to_le_bytes()).expect_err("four items in a list of three");
        assert!(error.why.contains("4 items where at most 3"), "{error}");
        assert!(decode::<Small>(&u32::MAX.to_le_bytes()).is_err());
        assert_eq!(Small::new(vec![0; 4]), Err(TooMany { have: 4, max: 3 }));
    }

    #[test]
    fn trailing_bytes_are_refused() {
        let mut bytes = encode(&7u64);
        bytes.push(0);
        assert!(decode::<u64>(&bytes).is_err());
    }

    proptest! {
        #[test]
        fn what_decodes_encodes_to_the_same_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..16)) {
            if let Ok(list) = decode::<Small>(&bytes) {
                prop_assert_eq!(encode(&list), bytes);
            }
        }
    }
}
