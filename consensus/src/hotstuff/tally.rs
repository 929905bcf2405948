//! Votes into quorum certificates, timeouts into timeout certificates.
//!
//! Votes of views already left still count, within a window: a certificate that forms late is still a certificate
//! (hole H2 in ARCHITECTURE.md). A second identical vote changes nothing; a second different one is not counted, does not
//! displace the first, and the pair is evidence. Of timeouts only each sender's greatest view is kept: whoever moved on to a later view
//! has a certificate for it and hands that out.

use super::{
    certificate::{QuorumCertificate, TimeoutCertificate, TimeoutShare},
    message::{Timeout, Vote},
    statement::Ballot,
};
use crate::tally::{Excluded, Poll, Polled};
use quorate_crypto::{Committee, Scheme};
use quorate_types::{BoundedVec, ReplicaId, View};
use std::collections::BTreeMap;

/// How far from the present view votes are kept, on either side.
pub(super) const WINDOW: u64 = 64;

/// What became of a vote or timeout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Added<M, C> {
    Counted,
    Duplicate,
    OutsideWindow,
    /// Its sender said something else before.
    Equivocation(Box<M>),
    /// With it a quorum is complete. Given once.
    Certified(C),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct VoteTally<S: Scheme> {
    views: BTreeMap<View, Poll<Ballot, S>>,
    pub(super) excluded: Excluded,
}

impl<S: Scheme> VoteTally<S> {
    pub(super) fn new() -> Self {
        Self { views: BTreeMap::new(), excluded: Excluded::default() }
    }

    /// Counts an admitted vote.
    pub(super) fn add(&mut self, vote: Vote<S>, now: View, scheme: &S) -> Added<Vote<S>, QuorumCertificate<S>> {
        let (ballot, voter) = (vote.ballot, vote.voter);
        let view = ballot.view;
        if view.0 > now.0.saturating_add(WINDOW) || view.0.saturating_add(WINDOW) < now.0 {
            return Added::OutsideWindow;
        }
        let poll = self.views.entry(view).or_default();
        match poll.add(voter, ballot, vote.signature, scheme, &mut self.excluded) {
            Polled::Counted | Polled::Excluded => Added::Counted,
            Polled::Duplicate => Added::Duplicate,
            Polled::Equivocation((ballot, signature)) => {
                Added::Equivocation(Box::new(Vote { ballot, voter, signature }))
            }
            Polled::Certified(proof) => Added::Certified(QuorumCertificate { ballot, proof: Some(proof) }),
        }
    }

    /// Who voted for what in `view`.
    pub(super) fn of(&self, view: View) -> impl Iterator<Item = (ReplicaId, &Ballot)> {
        self.views.get(&view).into_iter().flat_map(Poll::said)
    }

    /// Forgets views that fell out of the window.
    pub(super) fn forget(&mut self, now: View) {
        self.views = self.views.split_off(&View(now.0.saturating_sub(WINDOW)));
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct TimeoutTally<S: Scheme> {
    greatest: BTreeMap<ReplicaId, Timeout<S>>,
}

impl<S: Scheme> TimeoutTally<S> {
    pub(super) fn new() -> Self {
        Self { greatest: BTreeMap::new() }
    }

    /// Keeps a verified timeout if it is its sender's greatest.
    pub(super) fn add(
        &mut self,
        timeout: Timeout<S>,
        committee: &Committee,
    ) -> Added<Timeout<S>, TimeoutCertificate<S>> {
        if let Some(earlier) = self.greatest.get(&timeout.replica) {
            if earlier.view > timeout.view {
                return Added::OutsideWindow;
            }
            if earlier.view == timeout.view {
                return if earlier.high_qc.view() == timeout.high_qc.view() {
                    Added::Duplicate
                } else {
                    Added::Equivocation(Box::new(earlier.clone()))
                };
            }
        }
        let view = timeout.view;
        self.greatest.insert(timeout.replica, timeout);
        let of_view = || self.greatest.values().filter(move |timeout| timeout.view == view);
        if of_view().count() < committee.quorum() {
            return Added::Counted;
        }
        let high_qc = of_view().map(|timeout| &timeout.high_qc).max_by_key(|qc| qc.view()).expect("a quorum").clone();
        let share = |timeout: &Timeout<S>| TimeoutShare {
            replica: timeout.replica,
            high_qc: timeout.high_qc.view(),
            attestation: timeout.attestation.clone(),
        };
        let shares = BoundedVec::new(of_view().map(share).collect()).expect("one share a member");
        Added::Certified(TimeoutCertificate { view, high_qc, shares })
    }

    /// Who has given up `view`, and no later one.
    pub(super) fn of(&self, view: View) -> impl Iterator<Item = ReplicaId> {
        self.greatest.iter().filter(move |(_, timeout)| timeout.view == view).map(|(replica, _)| *replica)
    }

    /// The `f+1`-th greatest view among the *others'* timeouts: at least one honest replica has left it.
    pub(super) fn weak_quorum_view(&self, committee: &Committee, me: ReplicaId) -> Option<View> {
        let others = self.greatest.iter().filter(|(replica, _)| **replica != me);
        let mut views: Vec<_> = others.map(|(_, timeout)| timeout.view).collect();
        views.sort_unstable();
        views.iter().rev().nth(committee.max_faulty()).copied()
    }
}
