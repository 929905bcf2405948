//! The heights of the present view that are in flight.

use super::{
    certificate::PreparedCertificate,
    message::PrePrepare,
    statement::{Commit, Prepare},
};
use crate::tally::Poll;
use quorate_crypto::Scheme;
use quorate_types::{Digest, Height, ReplicaId};
use std::collections::{BTreeMap, BTreeSet};

/// One height of the view. Votes may come before the block.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Entry<S: Scheme> {
    /// The first one that came for this height.
    pub(super) pre_prepare: Option<PrePrepare<S>>,
    /// The block that this replica votes for, or that a quorum has prepared.
    pub(super) accepted: Option<Digest>,
    pub(super) prepares: Poll<Prepare, S>,
    pub(super) commits: Poll<Commit, S>,
    pub(super) prepared: Option<PreparedCertificate<S>>,
    pub(super) has_sent_prepare: bool,
    pub(super) has_sent_commit: bool,
    /// Who voted for another block and was shown our pre-prepare.
    pub(super) challenged: BTreeSet<ReplicaId>,
}

impl<S: Scheme> Default for Entry<S> {
    fn default() -> Self {
        Self {
            pre_prepare: None,
            accepted: None,
            prepares: Poll::default(),
            commits: Poll::default(),
            prepared: None,
            has_sent_prepare: false,
            has_sent_commit: false,
            challenged: BTreeSet::new(),
        }
    }
}

/// By height. Entries are made for heights inside the watermarks only, so there are at most as many as the window is wide.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Log<S: Scheme>(BTreeMap<Height, Entry<S>>);

impl<S: Scheme> Default for Log<S> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<S: Scheme> Log<S> {
    pub(super) fn get(&self, height: Height) -> Option<&Entry<S>> {
        self.0.get(&height)
    }

    pub(super) fn get_mut(&mut self, height: Height) -> Option<&mut Entry<S>> {
        self.0.get_mut(&height)
    }

    pub(super) fn entry(&mut self, height: Height) -> &mut Entry<S> {
        self.0.entry(height).or_default()
    }

    pub(super) fn accepted(&self, height: Height) -> Option<Digest> {
        self.get(height).and_then(|entry| entry.accepted)
    }

    /// Heights with an accepted block, ascending.
    pub(super) fn all_accepted(&self) -> impl DoubleEndedIterator<Item = (Height, Digest)> + '_ {
        self.0.iter().filter_map(|(height, entry)| Some((*height, entry.accepted?)))
    }

    pub(super) fn heights(&self) -> Vec<Height> {
        self.0.keys().copied().collect()
    }

    pub(super) fn forget_up_to(&mut self, height: Height) {
        self.0 = self.0.split_off(&height.next());
    }
}
