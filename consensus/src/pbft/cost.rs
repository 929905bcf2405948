//! What each message is for, and the signatures in it.

use super::{Message, NewView, StableCheckpoint, ViewChange};
use crate::{
    Keys,
    cost::{Cost, Phase},
};
use quorate_crypto::Scheme;
use quorate_types::{ReplicaId, View};

fn in_vote<S: Scheme>(scheme: &S) -> usize {
    usize::try_from(scheme.price().sign.made).unwrap_or(usize::MAX)
}

/// The primary's signature, and its PREPARE.
fn in_pre_prepare<S: Scheme>(scheme: &S) -> usize {
    1 + in_vote(scheme)
}

fn in_checkpoint<S: Scheme>(stable: &StableCheckpoint<S>, scheme: &S) -> usize {
    stable.proof.as_ref().map_or(0, |proof| scheme.authenticators(proof))
}

fn in_change<S: Scheme>(change: &ViewChange<S>, scheme: &S) -> usize {
    let prepared = change.prepared.as_ref().map_or(0, |prepared| scheme.authenticators(&prepared.proof));
    1 + in_checkpoint(&change.checkpoint, scheme) + prepared
}

fn in_new_view<S: Scheme>(new_view: &NewView<S>, scheme: &S) -> usize {
    let changes: usize = new_view.view_changes.iter().map(|change| in_change(change, scheme)).sum();
    1 + changes + new_view.tip.as_ref().map_or(0, |_| in_pre_prepare(scheme))
}

impl<S: Scheme> Cost for Message<S> {
    fn phase(&self) -> Phase {
        match self {
            Self::PrePrepare(_) => Phase::Propose,
            Self::Prepare(_) => Phase::Vote,
            Self::Commit(_) => Phase::Commit,
            Self::Checkpoint(_) => Phase::Checkpoint,
            Self::ViewChange(_) | Self::NewView(_) => Phase::ViewChange,
            Self::AskCertificates(_) | Self::Certificates(_) | Self::AskBlock(_) | Self::Blocks { .. } => Phase::Fetch,
        }
    }

    fn of_view(&self) -> Option<View> {
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

    fn leader(&self, from: ReplicaId) -> Option<ReplicaId> {
        match self {
            // Forwarded too it is its primary's. One of an earlier view's block only ever comes in a NEW-VIEW, or after it.
            Self::PrePrepare(pre_prepare) => {
                let header = &pre_prepare.block.header;
                (header.view == pre_prepare.view).then_some(header.proposer)
            }
            Self::NewView(_) => Some(from),
            Self::Prepare(_)
            | Self::Commit(_)
            | Self::Checkpoint(_)
            | Self::ViewChange(_)
            | Self::AskCertificates(_)
            | Self::Certificates(_)
            | Self::AskBlock(_)
            | Self::Blocks { .. } => None,
        }
    }

    fn authenticators(&self, keys: &Keys<S>) -> usize {
        let scheme = &keys.scheme;
        match self {
            Self::PrePrepare(_) => in_pre_prepare(scheme),
            Self::Prepare(_) | Self::Commit(_) | Self::Checkpoint(_) => in_vote(scheme),
            Self::ViewChange(change) => in_change(change, scheme),
            Self::NewView(new_view) => in_new_view(new_view, scheme),
            Self::Certificates(known) => {
                let new_view = known.new_view.as_ref().map_or(0, |new_view| in_new_view(new_view, scheme));
                let committed = known.committed.as_ref().map_or(0, |commit| scheme.authenticators(&commit.proof));
                let stable = known.checkpoint.as_ref().map_or(0, |stable| in_checkpoint(stable, scheme));
                let changes: usize = known.changes.iter().map(|change| in_change(change, scheme)).sum();
                new_view + committed + stable + changes
            }
            Self::AskCertificates(_) | Self::AskBlock(_) | Self::Blocks { .. } => 0,
        }
    }
}
