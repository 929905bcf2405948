//! A leader stays until its view fails, and for so many views at most.
//!
//! The bound is for those whom a leader that never fails does not serve. Time is cut into terms of [`STABLE_VIEWS`] views, and
//! each begins with the next replica. Whoever made the tip in this term goes on; each view that failed since passes the term
//! on to the next replica. So a crashed replica costs its own term one view, not all of them.

use super::{Ancestry, member};
use quorate_crypto::Committee;
use quorate_types::{ReplicaId, View};

/// Views of one term under [`Election::Stable`](crate::Election::Stable).
pub const STABLE_VIEWS: u64 = 16;

pub(super) fn leader(committee: &Committee, view: View, ancestry: &Ancestry) -> ReplicaId {
    let (term, first) = (view.0 / STABLE_VIEWS, view.0 - view.0 % STABLE_VIEWS);
    let holder = ancestry.incumbent(first).unwrap_or_else(|| member(committee, term));
    member(committee, u64::from(holder.0).saturating_add(ancestry.failed_since(first, view)))
}
