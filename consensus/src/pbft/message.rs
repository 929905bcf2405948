//! What PBFT replicas say to each other, and everything about it that can be checked without a replica's state.
//!
//! | message | what is checked here |
//! |---|---|
//! | PRE-PREPARE | attested by the primary of its view, whoever brings it; the block is well formed; the primary's own PREPARE |
//! | PREPARE, COMMIT, CHECKPOINT | signed by its sender |
//! | VIEW-CHANGE | attested by its replica; both certificates valid; the certificate's view is lower than the view it moves to |
//! | NEW-VIEW | attested by the primary of the view, whoever brings it; a quorum of distinct valid VIEW-CHANGEs *for that view* |
//!
//! What follows from the VIEW-CHANGEs (base and tip) every receiver recomputes in `rules`.

use super::{
    certificate::{CommitCertificate, PreparedCertificate, StableCheckpoint, check_ballot, verify_once},
    statement::{Ballot, Checkpoint, Commit, NewViewStatement, PrePrepareStatement, Prepare, ViewChangeStatement},
};
use crate::{Keys, Kind, Promised, Rejection, Verify, election::round_robin};
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_crypto::{CryptoError, Scheme};
use quorate_types::{Block, BoundedVec, Digest, Domain, Header, Height, ReplicaId, View, limits};
use std::collections::BTreeSet;

/// Blocks in one answer to a fetch.
pub const FETCH_LIMIT: usize = 8;

/// One replica's vote.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Vote<T: Promised, S: Scheme> {
    /// What is voted for.
    pub statement: T,
    /// Who votes.
    pub voter: ReplicaId,
    /// Combines with others into a certificate.
    pub signature: S::Signature,
}

/// A primary's block for a height of its view, with its own PREPARE.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct PrePrepare<S: Scheme> {
    /// In which view.
    pub view: View,
    /// The block; in a NEW-VIEW, one of an earlier view under its old digest.
    pub block: Block,
    /// The primary's signature over [`PrePrepareStatement`].
    pub attestation: S::Attestation,
    /// The primary's vote over [`Prepare`].
    pub prepare: S::Signature,
}

/// A replica leaves all views below `view`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct ViewChange<S: Scheme> {
    /// The view it moves to.
    pub view: View,
    /// Its stable checkpoint.
    #[borsh(bound(serialize = "", deserialize = ""))]
    pub checkpoint: StableCheckpoint<S>,
    /// Its highest prepared certificate: greatest view, then height.
    #[borsh(bound(serialize = "", deserialize = ""))]
    pub prepared: Option<PreparedCertificate<S>>,
    /// Who leaves.
    pub replica: ReplicaId,
    /// Over [`ViewChangeStatement`].
    pub attestation: S::Attestation,
}

/// A primary begins its view.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct NewView<S: Scheme> {
    /// The view that begins.
    pub view: View,
    /// A quorum for this view, in ascending order of replicas, none twice.
    #[borsh(bound(serialize = "", deserialize = ""))]
    pub view_changes: BoundedVec<ViewChange<S>, { limits::REPLICAS }>,
    /// The tip, proposed again; `None` if nothing above the base was prepared.
    #[borsh(bound(serialize = "", deserialize = ""))]
    pub tip: Option<PrePrepare<S>>,
    /// The primary's signature over [`NewViewStatement`].
    pub attestation: S::Attestation,
}

/// Where the asker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Standing {
    /// The view that it has begun or entered; genesis': it wants to know everything.
    pub view: View,
    /// The height of its last committed block.
    pub committed: Height,
    /// That block: whoever has another one there tells, though nobody is ahead.
    pub block: Digest,
    /// Its stable checkpoint.
    pub low: Height,
}

/// What moves a slower replica forward, as far as it is news.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Certificates<S: Scheme> {
    /// How the sender's view began.
    #[borsh(bound(serialize = "", deserialize = ""))]
    pub new_view: Option<NewView<S>>,
    /// The sender's last commit certificate.
    #[borsh(bound(serialize = "", deserialize = ""))]
    pub committed: Option<CommitCertificate<S>>,
    /// The sender's stable checkpoint.
    #[borsh(bound(serialize = "", deserialize = ""))]
    pub checkpoint: Option<StableCheckpoint<S>>,
    /// Whether it answers one that lost its journal and asked for everything. Any other message of this kind may leave out what its
    /// receiver knew, before it lost it.
    pub is_whole: bool,
    /// For one that lost its journal: VIEW-CHANGEs that show where others have gone, in ascending order of replicas.
    #[borsh(bound(serialize = "", deserialize = ""))]
    pub changes: BoundedVec<ViewChange<S>, { limits::REPLICAS }>,
}

/// Everything that goes between replicas of this protocol.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub enum Message<S: Scheme> {
    /// From the primary to all; forwarded where two of them are suspected.
    PrePrepare(#[borsh(bound(serialize = "", deserialize = ""))] Box<PrePrepare<S>>),
    /// From every backup to all.
    Prepare(#[borsh(bound(serialize = "", deserialize = ""))] Vote<Prepare, S>),
    /// From every replica to all.
    Commit(#[borsh(bound(serialize = "", deserialize = ""))] Vote<Commit, S>),
    /// From every replica to all, every so many heights.
    Checkpoint(#[borsh(bound(serialize = "", deserialize = ""))] Vote<Checkpoint, S>),
    /// To all, until the view begins.
    ViewChange(#[borsh(bound(serialize = "", deserialize = ""))] Box<ViewChange<S>>),
    /// From the primary to all, and from anybody to the slower.
    NewView(#[borsh(bound(serialize = "", deserialize = ""))] Box<NewView<S>>),
    /// From a replica without progress.
    AskCertificates(Standing),
    /// The answer.
    Certificates(#[borsh(bound(serialize = "", deserialize = ""))] Box<Certificates<S>>),
    /// Asks for an uncommitted block and those below it.
    AskBlock(Digest),
    /// The answer: the block asked for first, then its ancestors. Empty: not held, perhaps committed long ago.
    Blocks {
        /// Which block was asked for.
        wanted: Digest,
        /// Downwards.
        blocks: BoundedVec<Block, FETCH_LIMIT>,
    },
}

impl<T: Promised, S: Scheme> Vote<T, S> {
    fn verify(&self, from: ReplicaId, keys: &Keys<S>) -> Result<(), Rejection> {
        if self.voter != from {
            return Err(Rejection::Malformed("a vote sent by another than its voter"));
        }
        Ok(keys.scheme.admit(from, &self.statement, &self.signature)?)
    }
}

impl<S: Scheme> PrePrepare<S> {
    /// What it proposes.
    pub fn ballot(&self) -> Ballot {
        Ballot::of(self.view, &self.block.header)
    }

    fn verify(&self, keys: &Keys<S>) -> Result<(), Rejection> {
        let ballot = self.ballot();
        check_ballot(&ballot, keys)?;
        if self.block.header.view > self.view || self.block.header.view <= keys.genesis.view {
            return Err(Rejection::Malformed("a block of a view later than the one that it is proposed in"));
        }
        if !self.block.is_well_formed() {
            return Err(Rejection::Malformed("a block whose payload is not the one in its header"));
        }
        if self.block.header.proposer != round_robin(keys.committee(), self.block.header.view) {
            return Err(Rejection::Malformed("a block whose proposer is not the primary of its view"));
        }
        let primary = round_robin(keys.committee(), self.view);
        keys.scheme.verify_attestation(primary, &PrePrepareStatement(ballot), &self.attestation)?;
        Ok(keys.scheme.admit(primary, &Prepare(ballot), &self.prepare)?)
    }
}

impl<S: Scheme> ViewChange<S> {
    /// What its sender signs.
    pub fn statement(&self) -> ViewChangeStatement {
        ViewChangeStatement {
            view: self.view,
            checkpoint: self.checkpoint.checkpoint,
            prepared: self.prepared.as_ref().map(|prepared| prepared.statement.0),
        }
    }

    fn verify(&self, keys: &Keys<S>) -> Result<(), Rejection> {
        keys.scheme.verify_attestation(self.replica, &self.statement(), &self.attestation)?;
        self.checkpoint.verify(keys)?;
        let Some(prepared) = &self.prepared else { return Ok(()) };
        let ballot = prepared.statement.0;
        check_ballot(&ballot, keys)?;
        if ballot.view >= self.view {
            return Err(Rejection::Malformed("a view-change whose certificate is not of an earlier view"));
        }
        verify_once(prepared, keys)
    }
}

impl<S: Scheme> NewView<S> {
    /// What the primary signs.
    pub fn statement(&self) -> NewViewStatement {
        Self::statement_of(self.view, &self.view_changes, self.tip.as_ref().map(|tip| tip.block.digest()))
    }

    /// The statement of a NEW-VIEW made of these.
    pub fn statement_of(view: View, view_changes: &[ViewChange<S>], tip: Option<Digest>) -> NewViewStatement {
        let said: Vec<_> = view_changes.iter().map(|change| (change.replica, change.statement())).collect();
        NewViewStatement { view, view_changes: Digest::of(Domain::STATEMENT, &said), tip }
    }

    /// Who begins the view.
    pub fn primary(&self, keys: &Keys<S>) -> ReplicaId {
        round_robin(keys.committee(), self.view)
    }

    fn verify(&self, keys: &Keys<S>) -> Result<(), Rejection> {
        let senders: BTreeSet<_> = self.view_changes.iter().map(|change| change.replica).collect();
        if senders.len() != self.view_changes.len() || !self.view_changes.is_sorted_by_key(|change| change.replica) {
            return Err(Rejection::Malformed("a new-view with view-changes out of order or of one replica twice"));
        }
        let need = keys.committee().quorum();
        if senders.len() < need {
            return Err(CryptoError::TooFewSigners { have: senders.len(), need }.into());
        }
        if self.view_changes.iter().any(|change| change.view != self.view) {
            return Err(Rejection::Malformed("a new-view with a view-change for another view"));
        }
        keys.scheme.verify_attestation(self.primary(keys), &self.statement(), &self.attestation)?;
        self.view_changes.iter().try_for_each(|change| change.verify(keys))?;
        match &self.tip {
            Some(tip) if tip.view != self.view => {
                Err(Rejection::Malformed("a new-view that proposes its tip in another view"))
            }
            Some(tip) => tip.verify(keys),
            None => Ok(()),
        }
    }

    /// Checks it once: it comes from everybody who is asked.
    fn verify_once(&self, keys: &Keys<S>) -> Result<(), Rejection> {
        let name = Digest::of(Domain::STATEMENT, &("pbft/whole-new-view", self));
        keys.seen.check_once(name, || self.verify(keys))
    }
}

impl<S: Scheme> Certificates<S> {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.new_view.is_none() && self.committed.is_none() && self.checkpoint.is_none() && self.changes.is_empty()
    }

    fn verify(&self, keys: &Keys<S>) -> Result<(), Rejection> {
        if !self.changes.windows(2).all(|pair| pair[0].replica < pair[1].replica) {
            return Err(Rejection::Malformed("view-changes out of order or of one replica twice"));
        }
        self.changes.iter().try_for_each(|change| change.verify(keys))?;
        self.new_view.as_ref().map_or(Ok(()), |new_view| new_view.verify_once(keys))?;
        self.checkpoint.as_ref().map_or(Ok(()), |checkpoint| checkpoint.verify(keys))?;
        let Some(committed) = &self.committed else { return Ok(()) };
        check_ballot(&committed.statement.0, keys)?;
        verify_once(committed, keys)
    }
}

impl<S: Scheme> Verify for Message<S> {
    type Keys = Keys<S>;
    fn verify(&self, from: ReplicaId, keys: &Keys<S>) -> Result<(), Rejection> {
        match self {
            Self::PrePrepare(pre_prepare) => pre_prepare.verify(keys),
            Self::Prepare(vote) => {
                check_ballot(&vote.statement.0, keys)?;
                vote.verify(from, keys)
            }
            Self::Commit(vote) => {
                check_ballot(&vote.statement.0, keys)?;
                vote.verify(from, keys)
            }
            Self::Checkpoint(vote) => vote.verify(from, keys),
            Self::ViewChange(change) if change.replica != from => {
                Err(Rejection::Malformed("a view-change sent by another than its signer"))
            }
            Self::ViewChange(change) => change.verify(keys),
            Self::NewView(new_view) => new_view.verify_once(keys),
            Self::Certificates(certificates) => certificates.verify(keys),
            Self::AskCertificates(_) | Self::AskBlock(_) => Ok(()),
            Self::Blocks { blocks, .. } if blocks.iter().all(Block::is_well_formed) => Ok(()),
            Self::Blocks { .. } => Err(Rejection::Malformed("a block whose payload is not the one in its header")),
        }
    }
}

impl<S: Scheme> Kind for Message<S> {
    fn kind(&self) -> &'static str {
        match self {
            Self::PrePrepare(_) => "pre_prepare",
            Self::Prepare(_) => "prepare",
            Self::Commit(_) => "commit",
            Self::Checkpoint(_) => "checkpoint",
            Self::ViewChange(_) => "view_change",
            Self::NewView(_) => "new_view",
            Self::AskCertificates(_) => "ask_certificates",
            Self::Certificates(_) => "certificates",
            Self::AskBlock(_) => "ask_block",
            Self::Blocks { .. } => "blocks",
        }
    }

    fn is_large(&self) -> bool {
        match self {
            Self::PrePrepare(_)
            | Self::ViewChange(_)
            | Self::NewView(_)
            | Self::Certificates(_)
            | Self::Blocks { .. } => true,
            Self::Prepare(_) | Self::Commit(_) | Self::Checkpoint(_) | Self::AskCertificates(_) | Self::AskBlock(_) => {
                false
            }
        }
    }

    fn proposes(&self) -> Option<&Header> {
        match self {
            Self::PrePrepare(pre_prepare) => Some(&pre_prepare.block.header),
            _ => None,
        }
    }

    fn stale_after(&self) -> Option<View> {
        match self {
            Self::PrePrepare(pre_prepare) => Some(pre_prepare.view),
            Self::Prepare(vote) => Some(vote.statement.0.view),
            Self::Commit(vote) => Some(vote.statement.0.view),
            Self::ViewChange(change) => Some(change.view),
            Self::NewView(new_view) => Some(new_view.view),
            Self::Checkpoint(_)
            | Self::AskCertificates(_)
            | Self::Certificates(_)
            | Self::AskBlock(_)
            | Self::Blocks { .. } => None,
        }
    }
}
