//! What HotStuff replicas say to each other, and everything about it that can be checked without a replica's state.

use super::{
    certificate::{QuorumCertificate, TimeoutCertificate},
    statement::{Ballot, ProposalStatement, TimeoutStatement},
};
use crate::{Keys, Kind, Rejection, Verify};
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_crypto::Scheme;
use quorate_types::{Block, BoundedVec, Digest, Header, ReplicaId, View};

/// Blocks in one answer to a fetch.
pub const FETCH_LIMIT: usize = 8;

/// How many views after its own a vote or timeout is still worth sending: late votes count.
const LATE_VIEWS: u64 = 8;

/// One replica's vote: HotStuff's `vote` message.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Vote<S: Scheme> {
    /// What is voted for.
    pub ballot: Ballot,
    /// Who votes.
    pub voter: ReplicaId,
    /// Combines with others into a quorum certificate.
    pub signature: S::Signature,
}

/// A block and the certificate of its parent.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct JustifiedBlock<S: Scheme> {
    /// The block.
    pub block: Block,
    /// Certifies exactly `block.parent`.
    #[borsh(bound(serialize = "", deserialize = ""))]
    pub justify: QuorumCertificate<S>,
}

/// A leader's block for its view: HotStuff's `generic` message.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Proposal<S: Scheme> {
    /// The block and its parent's certificate.
    #[borsh(bound(serialize = "", deserialize = ""))]
    pub justified: JustifiedBlock<S>,
    /// The timeout certificate of the view before, where `justify` is not of that view.
    #[borsh(bound(serialize = "", deserialize = ""))]
    pub entry: Option<TimeoutCertificate<S>>,
    /// The proposer's signature over [`ProposalStatement`].
    pub attestation: S::Attestation,
}

/// A replica leaves a view without a certificate. It carries the vote, so that everybody can form the quorum certificate
/// that the next leader, perhaps crashed, took with it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Timeout<S: Scheme> {
    /// The view left.
    pub view: View,
    /// The greatest certificate known when it was signed.
    #[borsh(bound(serialize = "", deserialize = ""))]
    pub high_qc: QuorumCertificate<S>,
    /// The vote cast in that view, if one was.
    #[borsh(bound(serialize = "", deserialize = ""))]
    pub vote: Option<Vote<S>>,
    /// Who leaves.
    pub replica: ReplicaId,
    /// Over [`TimeoutStatement`].
    pub attestation: S::Attestation,
}

/// The certificates that move a slower replica forward (DiemBFT: sync info).
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Certificates<S: Scheme> {
    /// The greatest quorum certificate known.
    #[borsh(bound(serialize = "", deserialize = ""))]
    pub high_qc: QuorumCertificate<S>,
    /// The timeout certificate by which the sender entered its view, if it came by one.
    #[borsh(bound(serialize = "", deserialize = ""))]
    pub entry: Option<TimeoutCertificate<S>>,
    /// Whether it answers one that lost its journal and asked for everything. Any other message of this kind may have been on its way
    /// to its receiver's earlier life, from before that signed its last.
    pub is_whole: bool,
}

/// Everything that goes between replicas of this protocol.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub enum Message<S: Scheme> {
    /// From the leader to all.
    Proposal(#[borsh(bound(serialize = "", deserialize = ""))] Box<Proposal<S>>),
    /// To the next leader; to all when its sender leaves the view by a timeout certificate.
    Vote(#[borsh(bound(serialize = "", deserialize = ""))] Vote<S>),
    /// To all.
    Timeout(#[borsh(bound(serialize = "", deserialize = ""))] Box<Timeout<S>>),
    /// To a leader, to a slower replica, or to whoever asks.
    Certificates(#[borsh(bound(serialize = "", deserialize = ""))] Box<Certificates<S>>),
    /// Asks for the certificates of the receiver's view, if it knows one of at least this view.
    AskCertificates(View),
    /// Asks for an uncommitted block and those below it.
    AskBlock(Digest),
    /// The answer: the block asked for first, then its ancestors. Empty: not held, perhaps committed long ago.
    Blocks {
        /// Which block was asked for.
        wanted: Digest,
        /// Downwards.
        #[borsh(bound(serialize = "", deserialize = ""))]
        blocks: BoundedVec<JustifiedBlock<S>, FETCH_LIMIT>,
    },
}

impl<S: Scheme> Verify for Vote<S> {
    type Keys = Keys<S>;
    fn verify(&self, from: ReplicaId, keys: &Keys<S>) -> Result<(), Rejection> {
        if self.voter != from {
            return Err(Rejection::Malformed("a vote sent by another than its voter"));
        }
        if self.ballot.view <= keys.genesis.view {
            return Err(Rejection::Malformed("a vote in the genesis view"));
        }
        Ok(keys.scheme.admit(from, &self.ballot, &self.signature)?)
    }
}

impl<S: Scheme> JustifiedBlock<S> {
    /// Shape and justify: everything but the proposer's signature.
    fn verify(&self, keys: &Keys<S>) -> Result<(), Rejection> {
        let header = &self.block.header;
        let parent = &self.justify.ballot;
        if header.chain != keys.committee().chain() || header.epoch != keys.committee().epoch() {
            return Err(Rejection::Malformed("a block of another chain or epoch"));
        }
        if header.parent != parent.block || header.height != parent.height.next() || header.height == parent.height {
            return Err(Rejection::Malformed("a block whose justify does not certify its parent"));
        }
        if header.view <= parent.view {
            return Err(Rejection::Malformed("a block not above its parent's view"));
        }
        if !self.block.is_well_formed() {
            return Err(Rejection::Malformed("a block whose payload is not the one its header names"));
        }
        self.justify.verify(keys)
    }
}

impl<S: Scheme> Verify for Proposal<S> {
    type Keys = Keys<S>;
    fn verify(&self, from: ReplicaId, keys: &Keys<S>) -> Result<(), Rejection> {
        let header = &self.justified.block.header;
        if header.proposer != from {
            return Err(Rejection::Malformed("a proposal sent by another than its proposer"));
        }
        keys.scheme.verify_attestation(from, &ProposalStatement(Ballot::of(header)), &self.attestation)?;
        self.justified.verify(keys)?;
        if let Some(entry) = &self.entry {
            if entry.view.next() != header.view {
                return Err(Rejection::Malformed("a timeout certificate that is not of the view before"));
            }
            entry.verify(keys)?;
        }
        Ok(())
    }
}

impl<S: Scheme> Verify for Timeout<S> {
    type Keys = Keys<S>;
    fn verify(&self, from: ReplicaId, keys: &Keys<S>) -> Result<(), Rejection> {
        if self.replica != from {
            return Err(Rejection::Malformed("a timeout sent by another than its signer"));
        }
        if self.high_qc.view() >= self.view {
            return Err(Rejection::Malformed("a timeout of a view that its own certificate has passed"));
        }
        let statement = TimeoutStatement { view: self.view, high_qc: self.high_qc.view() };
        keys.scheme.verify_attestation(from, &statement, &self.attestation)?;
        self.high_qc.verify(keys)?;
        match &self.vote {
            Some(vote) if vote.ballot.view != self.view => {
                Err(Rejection::Malformed("a timeout that carries a vote of another view"))
            }
            Some(vote) => vote.verify(from, keys),
            None => Ok(()),
        }
    }
}

impl<S: Scheme> Certificates<S> {
    fn verify(&self, keys: &Keys<S>) -> Result<(), Rejection> {
        self.high_qc.verify(keys)?;
        self.entry.as_ref().map_or(Ok(()), |entry| entry.verify(keys))
    }
}

impl<S: Scheme> Verify for Message<S> {
    type Keys = Keys<S>;
    fn verify(&self, from: ReplicaId, keys: &Keys<S>) -> Result<(), Rejection> {
        match self {
            Self::Proposal(proposal) => proposal.verify(from, keys),
            Self::Vote(vote) => vote.verify(from, keys),
            Self::Timeout(timeout) => timeout.verify(from, keys),
            Self::Certificates(certificates) => certificates.verify(keys),
            Self::AskCertificates(_) | Self::AskBlock(_) => Ok(()),
            Self::Blocks { blocks, .. } => blocks.iter().try_for_each(|block| block.verify(keys)),
        }
    }
}

impl<S: Scheme> Kind for Message<S> {
    fn kind(&self) -> &'static str {
        match self {
            Self::Proposal(_) => "proposal",
            Self::Vote(_) => "vote",
            Self::Timeout(_) => "timeout",
            Self::Certificates(_) => "certificates",
            Self::AskCertificates(_) => "ask_certificates",
            Self::AskBlock(_) => "ask_block",
            Self::Blocks { .. } => "blocks",
        }
    }

    fn is_large(&self) -> bool {
        matches!(self, Self::Proposal(_) | Self::Blocks { .. })
    }

    fn proposes(&self) -> Option<&Header> {
        match self {
            Self::Proposal(proposal) => Some(&proposal.justified.block.header),
            _ => None,
        }
    }

    fn stale_after(&self) -> Option<View> {
        let late = |view: View| View(view.0.saturating_add(LATE_VIEWS));
        match self {
            Self::Proposal(proposal) => Some(proposal.justified.block.header.view),
            Self::Vote(vote) => Some(late(vote.ballot.view)),
            Self::Timeout(timeout) => Some(late(timeout.view)),
            Self::Certificates(_) | Self::AskCertificates(_) | Self::AskBlock(_) | Self::Blocks { .. } => None,
        }
    }
}
