//! What a PBFT replica writes to its journal. Durable before a signature leaves: the promise, and what it rests on.

use super::{
    certificate::{PreparedCertificate, StableCheckpoint},
    message::{NewView, ViewChange, Vote},
    statement::Checkpoint,
};
use crate::Promise;
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_crypto::Scheme;
use quorate_types::Block;

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub enum Record<S: Scheme> {
    /// Something was signed.
    Promise(Promise),
    /// The body of a block that a vote vouches for. Its batches are in the journal before it.
    Block(Block),
    /// The highest prepared certificate: a COMMIT rests on it, and every VIEW-CHANGE until there is a higher one (hole P4).
    Prepared(#[borsh(bound(serialize = "", deserialize = ""))] PreparedCertificate<S>),
    /// How the view began. At most one for each view, before anything is signed in it (hole P3).
    NewView(#[borsh(bound(serialize = "", deserialize = ""))] Box<NewView<S>>),
    /// The last VIEW-CHANGE: these same bytes are sent until the view begins.
    ViewChange(#[borsh(bound(serialize = "", deserialize = ""))] Box<ViewChange<S>>),
    /// Others' VIEW-CHANGEs that led into a view that has not begun: without them nobody could show one that lost its journal how
    /// far it may have gone itself (hole C1).
    Changes(#[borsh(bound(serialize = "", deserialize = ""))] Vec<ViewChange<S>>),
    /// An own checkpoint vote: sent until it is stable.
    Checkpoint(#[borsh(bound(serialize = "", deserialize = ""))] Vote<Checkpoint, S>),
    /// The greatest stable checkpoint.
    Stable(#[borsh(bound(serialize = "", deserialize = ""))] StableCheckpoint<S>),
    /// The journal before this one is lost, and with it its promises: silent until the others have moved on.
    Silence,
}

impl<S: Scheme> From<Promise> for Record<S> {
    fn from(promise: Promise) -> Self {
        Self::Promise(promise)
    }
}
