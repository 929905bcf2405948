//! What HotStuff replicas sign. Each is a kind of its own, so that no signature of one can pass for another.

use crate::{Promised, Slot};
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_crypto::Statement;
use quorate_types::{Digest, Header, Height, View};

/// In `view`, this block, which stands at `height`. What a vote says and a quorum certificate proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct Ballot {
    /// The block's view.
    pub view: View,
    /// The block's height.
    pub height: Height,
    /// The block's digest.
    pub block: Digest,
}

impl Ballot {
    /// The ballot for a block.
    pub fn of(header: &Header) -> Self {
        Self { view: header.view, height: header.height, block: header.digest() }
    }
}

/// In `view`, this replica leads and proposes this block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct ProposalStatement(pub Ballot);

/// This replica has left `view`, and the greatest quorum certificate it knows is of view `high_qc`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct TimeoutStatement {
    /// The view left.
    pub view: View,
    /// View of the greatest certificate known.
    pub high_qc: View,
}

impl Statement for Ballot {
    const KIND: &'static str = "hotstuff/vote";
}

impl Promised for Ballot {
    const SLOT: Slot = Slot::Vote;
    fn view(&self) -> View {
        self.view
    }
}

impl Statement for ProposalStatement {
    const KIND: &'static str = "hotstuff/proposal";
}

impl Promised for ProposalStatement {
    const SLOT: Slot = Slot::Proposal;
    fn view(&self) -> View {
        self.0.view
    }
}

impl Statement for TimeoutStatement {
    const KIND: &'static str = "hotstuff/timeout";
}

impl Promised for TimeoutStatement {
    const SLOT: Slot = Slot::Timeout;
    fn view(&self) -> View {
        self.view
    }
    fn closes_below(&self) -> Option<View> {
        Some(self.view.next())
    }
}
