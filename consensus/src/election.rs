//! Who leads a view: pure functions of the view (and, for elections to come, of the certified chain below it).

use quorate_crypto::Committee;
use quorate_types::{ReplicaId, View};

/// A rule by which every replica finds the same leader for a view.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Election {
    /// Replica `v mod n` leads view `v`.
    #[default]
    RoundRobin,
}

impl Election {
    /// The leader of `view`.
    pub fn leader(&self, committee: &Committee, view: View) -> ReplicaId {
        match self {
            Self::RoundRobin => round_robin(committee, view),
        }
    }
}

/// Replica `v mod n`.
pub(crate) fn round_robin(committee: &Committee, view: View) -> ReplicaId {
    let size = u64::try_from(committee.size()).expect("a committee is small");
    ReplicaId(u16::try_from(view.0 % size).expect("below the committee's size"))
}
