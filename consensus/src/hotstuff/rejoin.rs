//! Coming back without a journal (hole C1 in ARCHITECTURE.md).
//!
//! A replica that lost its disk has forgotten its promises, so it signs nothing at all: no vote, timeout or proposal. It asks
//! the others for the certificates of their views; *certificates*, not claims, or one liar could mute it for ever. `W` is the
//! greatest view so proven in the answers of a quorum of others; only answers to that question count, or a message that was on its
//! way to the replica's earlier life could stand for its sender. Whatever it once promised was for a view of at most about
//! `W`, so it speaks again when it holds a commit proof of a block from a view above `W + 2`. With `f = 0` it never comes
//! back by itself.

use super::{Certificates, HotStuff, Stepped};
use quorate_crypto::Scheme;
use quorate_types::{ReplicaId, View};
use std::collections::BTreeMap;

/// Views beyond the horizon that must be committed before it speaks.
const MARGIN: u64 = 2;

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Rejoin {
    answers: BTreeMap<ReplicaId, View>,
    horizon: Option<View>,
}

impl Rejoin {
    /// Whether fewer than a quorum of others have answered.
    pub(super) fn lacks_answers(&self) -> bool {
        self.horizon.is_none()
    }
}

impl<S: Scheme> HotStuff<S> {
    /// Notes the greatest view that an answer proves.
    pub(super) fn on_rejoin_answer(&mut self, from: ReplicaId, certificates: &Certificates<S>, step: &mut Stepped<S>) {
        let quorum = self.committee().quorum();
        let Some(rejoin) = self.rejoin.as_mut().filter(|_| certificates.is_whole) else { return };
        let entered = certificates.entry.as_ref().map(|entry| entry.view);
        let proven = certificates.high_qc.view().max(entered.unwrap_or_default()).next();
        let greatest = rejoin.answers.entry(from).or_insert(proven);
        *greatest = proven.max(*greatest);
        if rejoin.horizon.is_none() && rejoin.answers.len() >= quorum {
            rejoin.horizon = rejoin.answers.values().max().copied();
        }
        self.on_root_moved(step);
    }

    /// A commit, here or by block sync: is it far enough to speak again?
    pub(super) fn on_root_moved(&mut self, step: &mut Stepped<S>) {
        let Some(horizon) = self.rejoin.as_ref().and_then(|rejoin| rejoin.horizon) else { return };
        if self.tree.root().view.0 > horizon.0.saturating_add(MARGIN) {
            self.rejoin = None;
            self.safety.speak_above(self.view, step);
        }
    }
}
