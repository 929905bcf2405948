//! The last proposal that a replica would not vote for, and which rule forbade it: the first thing that people ask about.

use quorate_consensus::Ignored;
use quorate_types::{Digest, Header, Height, ReplicaId, View};

/// A proposal, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Which block.
    pub block: Digest,
    /// Of which view.
    pub view: View,
    /// For which height.
    pub height: Height,
    /// Whose.
    pub proposer: ReplicaId,
}

impl Proposal {
    pub(crate) fn of(header: &Header) -> Self {
        Self { block: header.digest(), view: header.view, height: header.height, proposer: header.proposer }
    }
}

/// A proposal that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Of what.
    pub proposal: Proposal,
    /// By what rule.
    pub why: Ignored,
    /// How many were refused before: whoever looks from time to time sees that there is a new one.
    pub before: u64,
}

/// What was refused last, and what is being executed: what comes of that may be a refusal, too.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    last: Option<Refusal>,
    executing: Option<Proposal>,
}

impl Refusals {
    pub(crate) fn last(&self) -> Option<&Refusal> {
        self.last.as_ref()
    }

    pub(crate) fn executing(&mut self, header: &Header) {
        self.executing = Some(Proposal::of(header));
    }

    /// What became of a message. Only of proposals, and of those that have to wait only in the end.
    pub(crate) fn note(&mut self, proposal: Option<Proposal>, reason: Option<Ignored>) {
        if let (Some(proposal), Some(why)) = (proposal, reason)
            && is_refusal(why)
        {
            let before = self.last.map_or(0, |last| last.before + 1);
            self.last = Some(Refusal { proposal, why, before });
        }
    }

    /// A block is executed: what did the replica make of it?
    pub(crate) fn executed(&mut self, block: Digest, reason: Option<Ignored>) {
        let proposal = self.executing.filter(|executing| executing.block == block);
        self.note(
            proposal,
            reason.filter(|why| matches!(why, Ignored::Invalid | Ignored::Unsafe | Ignored::Refused(_))),
        );
    }
}

fn is_refusal(why: Ignored) -> bool {
    match why {
        Ignored::Duplicate | Ignored::MissingAncestor | Ignored::NotExecuted => false,
        Ignored::StaleView
        | Ignored::FutureView
        | Ignored::OutsideWindow
        | Ignored::NotFromLeader
        | Ignored::Equivocation
        | Ignored::Invalid
        | Ignored::Unsafe
        | Ignored::Unjustified
        | Ignored::Unasked
        | Ignored::Refused(_)
        | Ignored::StaleTimer => true,
    }
}
