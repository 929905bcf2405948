//! Batches that wait to be proposed.

use quorate_types::Digest;
use std::collections::BTreeMap;

/// Batches in order of arrival.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Ready {
    order: BTreeMap<u64, Digest>,
    place: BTreeMap<Digest, u64>,
    next: u64,
}

impl Ready {
    /// False if it is there already.
    pub(crate) fn add(&mut self, batch: Digest) -> bool {
        if self.place.contains_key(&batch) {
            return false;
        }
        self.order.insert(self.next, batch);
        self.place.insert(batch, self.next);
        self.next += 1;
        true
    }

    pub(crate) fn remove(&mut self, batch: &Digest) {
        if let Some(place) = self.place.remove(batch) {
            self.order.remove(&place);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Digest> {
        self.order.values()
    }
}
