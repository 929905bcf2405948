//! What a message is for, and what it carries that somebody has to check: for those who count what a decision costs.

use crate::Verify;
use quorate_types::{ReplicaId, View};

/// What a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// A leader proposes a block.
    Propose,
    /// The first vote on it, or the only one.
    Vote,
    /// PBFT's second vote.
    Commit,
    /// Leaving a view, and beginning the next.
    ViewChange,
    /// Agreeing on what may be forgotten.
    Checkpoint,
    /// Catching up: certificates and blocks, and asking for them.
    Fetch,
    /// Batches of transactions, offers of them, and asking for them.
    Dissemination,
    /// Proof of others' faults.
    Evidence,
}

impl Phase {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Propose,
        Self::Vote,
        Self::Commit,
        Self::ViewChange,
        Self::Checkpoint,
        Self::Fetch,
        Self::Dissemination,
        Self::Evidence,
    ];

    /// In snake case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Propose => "propose",
            Self::Vote => "vote",
            Self::Commit => "commit",
            Self::ViewChange => "view_change",
            Self::Checkpoint => "checkpoint",
            Self::Fetch => "fetch",
            Self::Dissemination => "dissemination",
            Self::Evidence => "evidence",
        }
    }

    /// Whether it is part of agreeing on an order: everything but dissemination.
    pub fn is_ordering(self) -> bool {
        self != Self::Dissemination
    }
}

/// What a message costs, beside its length.
pub trait Cost: Verify {
    /// What it is for.
    fn phase(&self) -> Phase;

    /// The view whose decision it serves, if one's: of a timeout the view that is left, of a VIEW-CHANGE the one that begins.
    fn of_view(&self) -> Option<View>;

    /// Who leads that view, if the message, which `from` sends, tells.
    fn leader(&self, from: ReplicaId) -> Option<ReplicaId>;

    /// Signatures that it carries, partial, single or in place of many: its *authenticators* (Yin et al. 2019, section 2).
    fn authenticators(&self, keys: &Self::Keys) -> usize;
}
