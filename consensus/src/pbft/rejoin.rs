//! Coming back without a journal (hole C1 in ARCHITECTURE.md).
//!
//! A replica that lost its disk has forgotten its promises, so it signs nothing at all. It asks the others for the certificates
//! of their views; `W` is the greatest view proven in the answers of a quorum of others: by a NEW-VIEW, a commit certificate, or
//! f+1 VIEW-CHANGEs to that view or beyond. Somebody honest was in view `w` only if a quorum had moved to `w-1` or beyond; one of
//! those is among the answers, and can prove the view below its own, so whatever was signed before is of a view up to `W + 2`.
//! The replica speaks again, in views above that,
//! when it holds the commit certificate of a block from such a view and a stable checkpoint not below that block: a height
//! above everything it signed would not be enough, since a VIEW-CHANGE is a promise too. A view lasts until a view change, so
//! in an undisturbed net this takes long; the net has one replica less to lose until then. With `f = 0` it never comes back by itself.

use super::{Certificates, Pbft, Stepped};
use quorate_crypto::Scheme;
use quorate_types::{Height, ReplicaId, View};
use std::collections::BTreeMap;

/// Views beyond the horizon that must be committed in before it speaks.
const MARGIN: u64 = 2;

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Rejoin {
    answers: BTreeMap<ReplicaId, View>,
    horizon: Option<View>,
    /// The first commit seen from far enough beyond the horizon.
    anchor: Option<Height>,
}

impl<S: Scheme> Pbft<S> {
    /// Notes the greatest view that an answer proves.
    pub(super) fn on_rejoin_answer(&mut self, from: ReplicaId, certificates: &Certificates<S>) {
        let quorum = self.committee().quorum();
        let mut views: Vec<_> = certificates.changes.iter().map(|change| change.view).collect();
        views.sort_unstable_by(|a, b| b.cmp(a));
        let moved = views.get(self.committee().max_faulty()).copied();
        let Some(rejoin) = self.rejoin.as_mut().filter(|_| certificates.is_whole) else { return };
        let begun = certificates.new_view.as_ref().map(|new_view| new_view.view);
        let committed = certificates.committed.as_ref().map(|committed| committed.statement.0.view);
        let proven = begun.max(committed).max(moved).unwrap_or_default();
        let greatest = rejoin.answers.entry(from).or_insert(proven);
        *greatest = proven.max(*greatest);
        if rejoin.horizon.is_none() && rejoin.answers.len() >= quorum {
            rejoin.horizon = rejoin.answers.values().max().copied();
        }
    }

    /// Is what is committed and stable far enough to speak again?
    pub(super) fn speak_if_safe(&mut self, step: &mut Stepped<S>) {
        let (root, low) = (self.root(), self.low.checkpoint.height);
        let committed = self.committed.as_ref().map(|committed| committed.statement.0);
        let Some(rejoin) = &mut self.rejoin else { return };
        let Some(horizon) = rejoin.horizon else { return };
        let beyond = View(horizon.0.saturating_add(MARGIN));
        if let Some(ballot) = committed
            && rejoin.anchor.is_none()
            && ballot.view > beyond
            && ballot.height <= root
        {
            rejoin.anchor = Some(ballot.height);
        }
        if rejoin.anchor.is_some_and(|anchor| low >= anchor) {
            self.rejoin = None;
            self.safety.speak_above(beyond, step);
        }
    }
}
