//! Messages of views that have not begun here: others may be faster, and a vote that is thrown away comes again only after a
//! retransmission.

use super::Message;
use quorate_crypto::Scheme;
use quorate_types::{ReplicaId, View};
use std::collections::{BTreeMap, VecDeque};

/// Kept of each sender; when more come, its own oldest goes.
const PER_SENDER: usize = 64;

/// By sender, in order of arrival.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Early<S: Scheme>(BTreeMap<ReplicaId, VecDeque<(View, Message<S>)>>);

impl<S: Scheme> Default for Early<S> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<S: Scheme> Early<S> {
    pub(super) fn keep(&mut self, from: ReplicaId, view: View, message: Message<S>) {
        let kept = self.0.entry(from).or_default();
        kept.push_back((view, message));
        if kept.len() > PER_SENDER {
            kept.pop_front();
        }
    }

    /// Takes out the messages of `view`; those of earlier views go.
    pub(super) fn take(&mut self, view: View) -> Vec<(ReplicaId, Message<S>)> {
        let mut taken = Vec::new();
        for (from, kept) in &mut self.0 {
            for (of, message) in std::mem::take(kept) {
                match of.cmp(&view) {
                    std::cmp::Ordering::Less => {}
                    std::cmp::Ordering::Equal => taken.push((*from, message)),
                    std::cmp::Ordering::Greater => kept.push_back((of, message)),
                }
            }
        }
        self.0.retain(|_, kept| !kept.is_empty());
        taken
    }

    /// How many replicas are ahead, as far as they say so.
    pub(super) fn senders(&self) -> usize {
        self.0.len()
    }
}
