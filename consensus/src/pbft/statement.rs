//! What PBFT replicas sign. Each is a kind of its own, so that no signature of one can pass for another: a PREPARE replayed as a
//! COMMIT proves nothing.

use crate::{Promised, Slot};
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_crypto::Statement;
use quorate_types::{Digest, Header, Height, View};

/// In `view`, this block at `height`. The view is the one that is voted in; the block's header names the one in which it was
/// first proposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct Ballot {
    /// The view of the vote.
    pub view: View,
    /// The block's height: PBFT's sequence number.
    pub height: Height,
    /// The block's digest.
    pub block: Digest,
}

impl Ballot {
    /// The ballot for a block in `view`.
    pub fn of(view: View, header: &Header) -> Self {
        Self { view, height: header.height, block: header.digest() }
    }
}

/// The primary of the view proposes this block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct PrePrepareStatement(pub Ballot);

/// This replica accepted this block for its height in this view. A quorum of them is a *prepared certificate*.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Prepare(pub Ballot);

/// This replica holds the prepared certificate. A quorum of them makes the block final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Commit(pub Ballot);

/// This replica committed this block, and its state is the header's. A quorum of them is a *stable checkpoint*.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct Checkpoint {
    /// The block's height.
    pub height: Height,
    /// The block's digest.
    pub block: Digest,
    /// The state after it.
    pub state_root: Digest,
}

impl Checkpoint {
    /// The checkpoint at a block.
    pub fn of(header: &Header) -> Self {
        Self { height: header.height, block: header.digest(), state_root: header.state_root }
    }
}

/// This replica has left all views below `view`; these are its stable checkpoint and its highest prepared certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct ViewChangeStatement {
    /// The view it moves to.
    pub view: View,
    /// Its stable checkpoint.
    pub checkpoint: Checkpoint,
    /// Its highest prepared certificate, if it ever had one.
    pub prepared: Option<Ballot>,
}

/// The primary begins `view` from these VIEW-CHANGEs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct NewViewStatement {
    /// The view that begins.
    pub view: View,
    /// Digest of the VIEW-CHANGE statements and their senders, in order.
    pub view_changes: Digest,
    /// The only block that is proposed again, if there is one.
    pub tip: Option<Digest>,
}

/// Implements [`Statement`] and [`Promised`] for a statement with one slot for each height of a view.
macro_rules! at_height {
    ($statement:ty, $kind:literal, $slot:expr) => {
        impl Statement for $statement {
            const KIND: &'static str = $kind;
        }

        impl Promised for $statement {
            const SLOT: Slot = $slot;
            fn view(&self) -> View {
                self.0.view
            }
            fn height(&self) -> Option<Height> {
                Some(self.0.height)
            }
        }
    };
}

at_height!(PrePrepareStatement, "pbft/pre-prepare", Slot::PrePrepare);
at_height!(Prepare, "pbft/prepare", Slot::Prepare);
at_height!(Commit, "pbft/commit", Slot::Commit);

impl Statement for Checkpoint {
    const KIND: &'static str = "pbft/checkpoint";
}

impl Promised for Checkpoint {
    const SLOT: Slot = Slot::Checkpoint;
    fn view(&self) -> View {
        View::GENESIS
    }
    fn height(&self) -> Option<Height> {
        Some(self.height)
    }
}

impl Statement for ViewChangeStatement {
    const KIND: &'static str = "pbft/view-change";
}

impl Promised for ViewChangeStatement {
    const SLOT: Slot = Slot::ViewChange;
    fn view(&self) -> View {
        self.view
    }
    fn closes_below(&self) -> Option<View> {
        Some(self.view)
    }
}

impl Statement for NewViewStatement {
    const KIND: &'static str = "pbft/new-view";
}

impl Promised for NewViewStatement {
    const SLOT: Slot = Slot::NewView;
    fn view(&self) -> View {
        self.view
    }
}
