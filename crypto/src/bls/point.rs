//! A point that somebody sent: canonical, on the curve, in the subgroup, not the identity. There is no other way to get one.

use super::group::{Group, PointError};
use borsh::{BorshDeserialize, BorshSerialize, io};
use quorate_types::codec::invalid;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::fmt;

/// A checked element of a group, never the identity. Public keys, signatures, commitments; hexadecimal as text, the compressed
/// encoding on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Point<G>(G);

impl<G: Group> Point<G> {
    /// Refuses the identity.
    pub fn new(element: G) -> Result<Self, PointError> {
        if element.is_identity() { Err(PointError::Identity) } else { Ok(Self(element)) }
    }

    /// Reads the compressed encoding.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PointError> {
        Self::new(G::decode(bytes)?)
    }

    /// The compressed encoding.
    pub fn to_bytes(&self) -> G::Bytes {
        self.0.encode()
    }

    /// The element.
    pub fn element(&self) -> &G {
        &self.0
    }
}

impl<G: Group> BorshSerialize for Point<G> {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        writer.write_all(self.to_bytes().as_ref())
    }
}

impl<G: Group> BorshDeserialize for Point<G> {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let mut bytes = G::buffer();
        reader.read_exact(bytes.as_mut())?;
        Self::from_bytes(bytes.as_ref()).map_err(|error| invalid(error.to_string()))
    }
}

impl<G: Group> Serialize for Point<G> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, G: Group> Deserialize<'de> for Point<G> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <String as Deserialize>::deserialize(deserializer)?;
        let bytes = hex::decode(text).map_err(D::Error::custom)?;
        Self::from_bytes(&bytes).map_err(D::Error::custom)
    }
}

impl<G: Group> fmt::Display for Point<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.to_bytes()))
    }
}

impl<G: Group> fmt::Debug for Point<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.to_bytes().as_ref()[..4]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bls::{G1, G2};
    use quorate_types::{decode, encode};

    fn round_trip<G: Group>() {
        let point = Point::new(G::generator()).expect("a generator is not the identity");
        assert_eq!(decode(&encode(&point)), Ok(point));
        let text = serde_json::to_string(&point).expect("text");
        assert_eq!(serde_json::from_str::<Point<G>>(&text).expect("the same"), point);
    }

    #[test]
    fn bytes_and_text_round_trip() {
        round_trip::<G1>();
        round_trip::<G2>();
    }

    #[test]
    fn the_identity_and_wrong_flags_are_refused() {
        let mut identity = [0; 48];
        identity[0] = 0xc0;
        assert_eq!(Point::<G1>::from_bytes(&identity), Err(PointError::Identity));
        for flags in [0x00, 0x20, 0x40, 0x60, 0xe0] {
            let mut bytes = G1::generator().encode();
            bytes[0] = bytes[0] & 0x1f | flags;
            assert!(Point::<G1>::from_bytes(&bytes).is_err(), "flags {flags:02x}");
        }
        assert!(decode::<Point<G1>>(&identity).is_err());
    }
}
