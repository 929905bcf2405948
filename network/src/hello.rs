//! What both sides of a stream say first, and what they check.
//!
//! The side that opens the stream speaks first, the other answers with its own hello *even when it is about to refuse*:
//! so both learn both values. With lazily negotiated streams (V1Lazy) opening one succeeds before the peer has agreed to
//! anything; only the answer shows that it is there and speaks our protocol.
//!
//! The version is read before the rest, so that a later version may change everything after it.

use borsh::{BorshDeserialize, BorshSerialize};
use quorate_types::{Digest, ReplicaId, decode, encode};
use std::{io, time::Duration};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Longer is no hello. Chain names are short.
const MAX_HELLO: usize = 512;

/// Who we are and which ledger we extend.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Hello {
    /// The wire protocol; see [`VERSION`](crate::VERSION).
    pub version: u16,
    /// The chain's name, for people.
    pub chain: String,
    /// What the chain really is.
    pub genesis: Digest,
    /// The speaker's index. Believed only if its connection proved that replica's identity key.
    pub replica: ReplicaId,
}

/// The first thing on which two replicas disagree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// They cannot understand each other.
    #[error("we speak protocol version {ours}, the peer {theirs}; run the same release on both")]
    Version {
        /// Ours.
        ours: u16,
        /// The peer's.
        theirs: u16,
    },
    /// Different networks.
    #[error("we are on chain {ours:?}, the peer on {theirs:?}; check the address and both genesis files")]
    Chain {
        /// Ours.
        ours: String,
        /// The peer's.
        theirs: String,
    },
    /// Same name, different ledger.
    #[error(
        "our genesis digest is {ours}, the peer's is {theirs}: it started from another genesis file, of another protocol or \
         committee perhaps, under the same name; compare what `quorate genesis show` says of both files"
    )]
    Genesis {
        /// Ours.
        ours: Digest,
        /// The peer's.
        theirs: Digest,
    },
    /// It has that replica's key but not its index.
    #[error("the peer holds the identity key of {configured} in our genesis but calls itself {claimed}")]
    Replica {
        /// Whose key the connection proved.
        configured: ReplicaId,
        /// What the peer says.
        claimed: ReplicaId,
    },
}

/// Why a stream never got past its hello.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HandshakeError {
    #[error("{0}")]
    Mismatch(#[from] Mismatch),
    #[error("the peer's hello is malformed: {0}")]
    Malformed(String),
    #[error("no hello within {0:?}")]
    Timeout(Duration),
    #[error("the stream broke during the hello: {0}")]
    Io(#[from] io::Error),
}

impl Hello {
    /// Judges the hello of a peer whose connection proved to be `peer`'s.
    pub(crate) fn check(&self, theirs: &[u8], peer: ReplicaId) -> Result<(), HandshakeError> {
        let Some((version, _)) = theirs.split_first_chunk::<2>() else {
            return Err(HandshakeError::Malformed(format!("{} bytes", theirs.len())));
        };
        let version = u16::from_le_bytes(*version);
        if version != self.version {
            return Err(Mismatch::Version { ours: self.version, theirs: version }.into());
        }
        let theirs: Self = decode(theirs).map_err(|error| HandshakeError::Malformed(error.to_string()))?;
        if theirs.chain != self.chain {
            return Err(Mismatch::Chain { ours: self.chain.clone(), theirs: theirs.chain }.into());
        }
        if theirs.genesis != self.genesis {
            return Err(Mismatch::Genesis { ours: self.genesis, theirs: theirs.genesis }.into());
        }
        if theirs.replica != peer {
            return Err(Mismatch::Replica { configured: peer, claimed: theirs.replica }.into());
        }
        Ok(())
    }

    /// Whether this hello fits into its frame.
    pub(crate) fn fits(&self) -> bool {
        encode(self).len() <= MAX_HELLO
    }
}

/// Our side opened the stream: speak, then listen.
pub(crate) async fn greet<S>(stream: &mut S, ours: &Hello, peer: ReplicaId) -> Result<(), HandshakeError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    write(stream, ours).await?;
    let theirs = read(stream).await?;
    ours.check(&theirs, peer)
}

/// The peer opened the stream: listen, then speak whatever it said. `approved` runs between the two when the hello is
/// right, so that the peer cannot act on our answer before we are ready for it.
pub(crate) async fn answer<S>(
    stream: &mut S,
    ours: &Hello,
    peer: ReplicaId,
    approved: impl FnOnce(),
) -> Result<(), HandshakeError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let theirs = read(stream).await?;
    let verdict = ours.check(&theirs, peer);
    if verdict.is_ok() {
        approved();
    }
    write(stream, ours).await?;
    verdict
}

async fn write<S: AsyncWrite + Unpin>(stream: &mut S, hello: &Hello) -> Result<(), HandshakeError> {
    let body = encode(hello);
    let length = u32::try_from(body.len()).expect("our own hello was checked to fit at start");
    let mut frame = length.to_be_bytes().to_vec();
    frame.extend_from_slice(&body);
    stream.write_all(&frame).await?;
    stream.flush().await?;
    Ok(())
}

async fn read<S: AsyncRead + Unpin>(stream: &mut S) -> Result<Vec<u8>, HandshakeError> {
    let length = stream.read_u32().await? as usize;
    if length > MAX_HELLO {
        return Err(HandshakeError::Malformed(format!("{length} bytes where at most {MAX_HELLO} are allowed")));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello(replica: u16) -> Hello {
        Hello { version: 1, chain: "oslo".into(), genesis: Digest([7; 32]), replica: ReplicaId(replica) }
    }

    fn mismatch(theirs: &Hello) -> Option<Mismatch> {
        match hello(0).check(&encode(theirs), ReplicaId(1)) {
            Ok(()) => None,
            Err(HandshakeError::Mismatch(mismatch)) => Some(mismatch),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn each_field_is_compared_and_both_values_are_told() {
        assert_eq!(mismatch(&hello(1)), None);
        assert_eq!(mismatch(&Hello { version: 2, ..hello(1) }), Some(Mismatch::Version { ours: 1, theirs: 2 }));
        let chain = Mismatch::Chain { ours: "oslo".into(), theirs: "rome".into() };
        assert_eq!(mismatch(&Hello { chain: "rome".into(), ..hello(1) }), Some(chain));
        let genesis = Mismatch::Genesis { ours: Digest([7; 32]), theirs: Digest([8; 32]) };
        assert_eq!(mismatch(&Hello { genesis: Digest([8; 32]), ..hello(1) }), Some(genesis.clone()));
        assert!(genesis.to_string().contains(&"07".repeat(32)) && genesis.to_string().contains(&"08".repeat(32)));
        let replica = Mismatch::Replica { configured: ReplicaId(1), claimed: ReplicaId(2) };
        assert_eq!(mismatch(&hello(2)), Some(replica));
    }

    #[test]
    fn a_later_version_may_look_different_after_its_first_two_bytes() {
        let later = [9, 0, 1, 2, 3];
        assert!(matches!(
            hello(0).check(&later, ReplicaId(1)),
            Err(HandshakeError::Mismatch(Mismatch::Version { theirs: 9, .. }))
        ));
    }

    #[test]
    fn garbage_is_malformed() {
        for garbage in [vec![], vec![1], vec![1, 0], vec![1, 0, 255, 255, 255, 255], {
            let mut long = encode(&hello(1));
            long.push(0);
            long
        }] {
            assert!(matches!(hello(0).check(&garbage, ReplicaId(1)), Err(HandshakeError::Malformed(_))), "{garbage:?}");
        }
    }

    #[tokio::test]
    async fn both_sides_learn_of_a_foreign_genesis() {
        let (mut left, mut right) = tokio::io::duplex(1024);
        let (ours, theirs) = (hello(0), Hello { genesis: Digest([8; 32]), ..hello(1) });
        let mut approved = false;
        let (opened, answered) = tokio::join!(
            greet(&mut left, &ours, ReplicaId(1)),
            answer(&mut right, &theirs, ReplicaId(0), || approved = true)
        );
        assert!(matches!(opened, Err(HandshakeError::Mismatch(Mismatch::Genesis { .. }))));
        assert!(matches!(answered, Err(HandshakeError::Mismatch(Mismatch::Genesis { .. }))));
        assert!(!approved);
    }

    #[tokio::test]
    async fn a_hello_of_four_gigabytes_is_refused_at_its_length() {
        let (mut left, mut right) = tokio::io::duplex(1024);
        left.write_all(&u32::MAX.to_be_bytes()).await.unwrap();
        let refused = answer(&mut right, &hello(0), ReplicaId(1), || ()).await;
        assert!(matches!(refused, Err(HandshakeError::Malformed(_))));
    }
}
