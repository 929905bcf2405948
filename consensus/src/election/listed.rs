//! Leaders as a list names them, view by view: for searches that choose who leads when. Builds of the binary's consensus do not
//! have it unless they contain the simulator, and no genesis can ask for it.

use super::round_robin;
use quorate_crypto::Committee;
use quorate_types::{ReplicaId, View};

/// Views that a list can name leaders for.
pub const LISTED_VIEWS: usize = 32;

/// The leaders of the first views. After them, round robin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Leaders {
    leaders: [ReplicaId; LISTED_VIEWS],
    listed: usize,
}

impl Leaders {
    /// The leaders of views 1, 2 and so on. `None` if there are more than [`LISTED_VIEWS`].
    pub fn of_first_views(listed: &[ReplicaId]) -> Option<Self> {
        let mut leaders = [ReplicaId(0); LISTED_VIEWS];
        leaders.get_mut(..listed.len())?.copy_from_slice(listed);
        Some(Self { leaders, listed: listed.len() })
    }

    pub(super) fn leader(&self, committee: &Committee, view: View) -> ReplicaId {
        let index = view.0.checked_sub(1).and_then(|index| usize::try_from(index).ok());
        let listed = index.and_then(|index| self.leaders[..self.listed].get(index));
        listed.copied().unwrap_or_else(|| round_robin(committee, view))
    }
}
