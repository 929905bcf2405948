//! Who leads which view, as far as this replica can tell. Elections are functions of the certificate that opens a view; see
//! [`Election`](crate::Election).

use super::{HotStuff, Proposal, QuorumCertificate};
use crate::election::{Ancestry, round_robin};
use quorate_crypto::Scheme;
use quorate_types::{Digest, ReplicaId, View};

impl<S: Scheme> HotStuff<S> {
    /// The leader of `view`, if a certificate opens it that is, or carries, the one of `tip`. `None`: the tip is not held, or
    /// too little of the chain below it.
    pub(super) fn leader(&self, view: View, tip: &Digest) -> Option<ReplicaId> {
        self.election.leader(self.committee(), view, || self.ancestry(tip))
    }

    pub(super) fn ancestry(&self, tip: &Digest) -> Option<Ancestry> {
        let mut proposers = self.proposers.clone();
        for digest in self.tree.path(tip)? {
            proposers.add(self.tree.header(&digest)?);
        }
        Some(Ancestry::new(self.tree.header(tip)?, proposers))
    }

    /// The leader of the present view.
    pub(super) fn leader_now(&self) -> Option<ReplicaId> {
        self.leader(self.view, &self.opening().block())
    }

    pub(super) fn leads(&self) -> bool {
        self.leader_now() == Some(self.safety.id())
    }

    /// The certificate that opened the present view: of the view before, or else what the timeout certificate carries. One of
    /// the view before that comes later takes the other's place.
    pub(super) fn opening(&self) -> &QuorumCertificate<S> {
        match &self.entry {
            Some(entry) if self.high_qc.view().next() < self.view => &entry.high_qc,
            _ => &self.high_qc,
        }
    }

    /// Who leads the proposal's view by the certificates that it brings.
    pub(super) fn leader_by(&self, proposal: &Proposal<S>) -> Option<ReplicaId> {
        let (view, justify) = (proposal.justified.block.header.view, &proposal.justified.justify);
        match &proposal.entry {
            Some(entry) if justify.view().next() < view => self.leader(view, &entry.high_qc.block()),
            _ => self.leader(view, &justify.block()),
        }
    }

    /// Who proposed what `qc` certifies, or anybody, if that is not known: a guess at who holds it.
    pub(super) fn holder(&self, qc: &QuorumCertificate<S>) -> ReplicaId {
        let proposer = self.tree.get(&qc.block()).map(|node| node.held.block.header.proposer);
        proposer.unwrap_or_else(|| round_robin(self.committee(), qc.view()))
    }
}
