//! Who leads a view: pure functions of the view (and, for elections to come, of the certified chain below it).

use quorate_crypto::Committee;
use quorate_types::{ReplicaId, View};
use std::{fmt::Debug, hash::Hash};

/// A rule by which every replica finds the same leader for a view.
pub trait Election: Clone + Debug + Eq + Hash + Send + 'static {
    /// The leader of `view`.
    fn leader(&self, committee: &Committee, view: View) -> ReplicaId;
}

/// Replica `v mod n` leads view `v`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct RoundRobin;

impl Election for RoundRobin {
    fn leader(&self, committee: &Committee, view: View) -> ReplicaId {
        let size = u64::try_from(committee.size()).expect("a committee is small");
        ReplicaId(u16::try_from(view.0 % size).expect("below the committee's size"))
    }
}
