//! SHA-256 digests, each taken in a domain.

use crate::codec::encode;
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha2::{Digest as _, Sha256};
use std::{fmt, str::FromStr};

/// A SHA-256 digest. Printed and parsed as 64 hexadecimal characters.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct Digest(pub [u8; 32]);

/// What a digest is of. Two values of different domains never share a preimage, because the tag and its
/// length come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Domain(pub &'static str);

impl Domain {
    /// A block header: the block's name.
    pub const BLOCK: Self = Self("quorate/block/v1");
    /// A whole signed transaction: the transaction's name.
    pub const TRANSACTION: Self = Self("quorate/transaction/v1");
    /// What a transaction's author signs.
    pub const TRANSACTION_BODY: Self = Self("quorate/transaction-body/v1");
    /// What a replica signs.
    pub const STATEMENT: Self = Self("quorate/statement/v1");
    /// A genesis document: the chain's identity.
    pub const GENESIS: Self = Self("quorate/genesis/v2");
    /// The state root in a header: application root and outcomes root.
    pub const STATE: Self = Self("quorate/state/v1");
    /// A signature of the symbolic scheme.
    pub const SYMBOLIC: Self = Self("quorate/symbolic/v1");
    /// Two runs of the simulator are the same when their traces have the same digest.
    pub const TRACE: Self = Self("quorate/trace/v1");
}

impl Digest {
    /// The parent of the genesis block. No known value hashes to it.
    pub const ZERO: Self = Self([0; 32]);

    /// Digest of the canonical encoding of `value` in `domain`.
    pub fn of(domain: Domain, value: &impl BorshSerialize) -> Self {
        Self::of_bytes(domain, &encode(value))
    }

    /// Digest of raw bytes in `domain`: `SHA-256(len(tag) as u8 || tag || bytes)`.
    pub fn of_bytes(domain: Domain, bytes: &[u8]) -> Self {
        let tag = domain.0.as_bytes();
        let length = u8::try_from(tag.len()).expect("domain tags are short constants");
        let mut hasher = Sha256::new();
        hasher.update([length]);
        hasher.update(tag);
        hasher.update(bytes);
        Self(hasher.finalize().into())
    }

    /// The first eight hexadecimal characters, for logs and tables.
    pub fn short(&self) -> String {
        hex::encode(&self.0[..4])
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.short())
    }
}

/// Text that is not 64 hexadecimal characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a digest is 64 hexadecimal characters")]
pub struct NotADigest;

impl FromStr for Digest {
    type Err = NotADigest;
    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| NotADigest)?;
        Ok(Self(bytes))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <String as Deserialize>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bytes_in_two_domains_have_different_digests() {
        let in_block = Digest::of_bytes(Domain::BLOCK, b"x");
        assert_ne!(in_block, Digest::of_bytes(Domain::TRANSACTION, b"x"));
        assert_eq!(in_block, Digest::of_bytes(Domain::BLOCK, b"x"));
    }

    #[test]
    fn text_round_trips_and_short_text_is_refused() {
        let digest = Digest::of_bytes(Domain::BLOCK, b"x");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        assert_eq!("abcd".parse::<Digest>(), Err(NotADigest));
    }
}
