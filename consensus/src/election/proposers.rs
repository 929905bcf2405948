//! In which view each replica last proposed a block of this chain.

use quorate_types::{Header, Height, ReplicaId, View};
use std::collections::BTreeMap;

/// For each replica the view of its last block on one chain, as far back as blocks are known.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Proposers {
    last: BTreeMap<ReplicaId, View>,
    head: Height,
    /// All blocks from here to the head are known ...
    lowest: Height,
    /// ... which is all of this view and later ones.
    since: View,
}

/// How recently a replica proposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proposed {
    /// Last in this view. Genesis counts as everybody's.
    In(View),
    /// Not in this view and not since.
    Before(View),
}

impl Proposers {
    /// Of the chain up to `head`. `recent` are the headers of its last blocks, newest first; they are believed as far as they
    /// prove themselves by their links.
    pub(crate) fn up_to(head: &Header, recent: &[Header]) -> Self {
        let (last, height) = (BTreeMap::new(), head.height);
        let mut proposers = Self { last, head: height, lowest: height, since: head.view };
        proposers.look_at(head);
        let mut parent = head.parent;
        for header in recent.iter().skip_while(|header| header.height >= height) {
            if header.digest() != parent {
                break;
            }
            proposers.look_at(header);
            parent = header.parent;
        }
        proposers
    }

    /// The block below the lowest known, or the head.
    fn look_at(&mut self, header: &Header) {
        if header.height > Height::GENESIS {
            self.last.entry(header.proposer).or_insert(header.view);
        }
        self.lowest = header.height;
        self.since = if header.height <= Height::GENESIS.next() { View::GENESIS } else { header.view };
    }

    /// The chain grows by `header`.
    pub(crate) fn add(&mut self, header: &Header) {
        self.last.insert(header.proposer, header.view);
        self.head = header.height;
    }

    /// The chain has grown to `head`; `recent` as in [`Self::up_to`].
    pub(crate) fn advance(&mut self, head: &Header, recent: &[Header]) {
        let mut grown = Self::up_to(head, recent);
        if grown.lowest <= self.head.next() {
            for (replica, view) in &self.last {
                grown.last.entry(*replica).or_insert(*view);
            }
            (grown.lowest, grown.since) = (self.lowest, self.since);
        }
        *self = grown;
    }

    pub(super) fn last(&self, replica: ReplicaId) -> Proposed {
        match self.last.get(&replica) {
            Some(view) => Proposed::In(*view),
            None if self.since == View::GENESIS => Proposed::In(View::GENESIS),
            None => Proposed::Before(self.since),
        }
    }
}
