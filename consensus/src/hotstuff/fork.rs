//! More than f replicas lie: noticing it, and naming them (Sheng et al., *BFT Protocol Forensics*, CCS 2021).
//!
//! Let `B` be committed here, of view `b`, by the certificate of its grandchild, of view `b + 2`. Whoever honest signed that had
//! locked `B`'s certificate. On a certified branch beside `B` take the lowest block `X` above view `b`: its justify is of view `b`
//! or below, which no lock on `B` allows. So if `X` is of a later view than the grandchild, whoever signed both certificates broke
//! its lock; and if `X` is of the view of the child or grandchild, whoever signed both voted twice. Two quorums share more than
//! f members. Where certificates do not tell who signed, nobody can be named.

use super::{HotStuff, JustifiedBlock, QuorumCertificate, Stepped};
use crate::{Action, Evidence};
use quorate_crypto::Scheme;
use quorate_types::{Header, ReplicaId, View, encode};
use std::collections::BTreeSet;

/// The kind of evidence that a fork gives.
const FORK: &str = "hotstuff/fork";

impl<S: Scheme> HotStuff<S> {
    /// Whether a certified block contradicts what is committed here. Above the view of a committed block a quorum certifies
    /// nothing that does not stand on it, unless more than f of its members lie.
    pub(super) fn is_fork(&self, certified: &Header) -> bool {
        let root = self.tree.root();
        certified.height == root.height.next()
            && certified.parent != self.tree.root_digest()
            && certified.view > root.view
    }

    /// Stops over a branch that `top` certifies. `branch` goes downwards from the block that it certifies.
    pub(super) fn halt_over_fork(
        &mut self,
        top: &QuorumCertificate<S>,
        branch: &[JustifiedBlock<S>],
        step: &mut Stepped<S>,
    ) {
        let root = self.tree.root();
        let certificates = std::iter::once(top).chain(branch.iter().map(|above| &above.justify));
        let is_lowest =
            |block: &JustifiedBlock<S>| block.block.header.view > root.view && block.justify.view() <= root.view;
        let lowest = certificates.zip(branch).find(|(_, block)| is_lowest(block));
        let culprits = lowest.map(|(qc, block)| (self.signers_of_both(qc), encode(&(qc, block)))).unwrap_or_default();
        let why = format!(
            "block {} is certified in {}, but the branch that it stands on is not that of our committed block {}",
            top.block(),
            top.view(),
            self.tree.root_digest()
        );
        self.accuse(top.view(), &culprits.0, &culprits.1, step);
        self.halt(format!("{why}: more than f replicas lie{}", named(&culprits.0)), step);
    }

    /// Who signed a certificate of the committed block's descendants and `other`.
    fn signers_of_both(&self, other: &QuorumCertificate<S>) -> BTreeSet<ReplicaId> {
        let Some(proof) = &self.root_proof else { return BTreeSet::new() };
        let grandchild = self.tree.get(&proof.qc.block());
        let ours = match grandchild {
            Some(node) if other.view() == proof.child.view => &node.held.justify,
            None if other.view() == proof.child.view => return BTreeSet::new(),
            _ => &proof.qc,
        };
        self.signers(ours).intersection(&self.signers(other)).copied().collect()
    }

    fn signers(&self, qc: &QuorumCertificate<S>) -> BTreeSet<ReplicaId> {
        let signers = qc.proof.as_ref().and_then(|proof| self.safety.scheme().signers(proof));
        signers.unwrap_or_default().into_iter().collect()
    }

    fn accuse(&self, view: View, culprits: &BTreeSet<ReplicaId>, second: &[u8], step: &mut Stepped<S>) {
        for accused in culprits {
            let (kind, first) = (FORK.to_owned(), encode(&(self.tree.root(), &self.root_proof)));
            let evidence = Evidence { accused: *accused, view, kind, first, second: second.to_vec() };
            step.act(Action::Accuse(Box::new(evidence)));
        }
    }
}

fn named(culprits: &BTreeSet<ReplicaId>) -> String {
    if culprits.is_empty() {
        return String::new();
    }
    let names: Vec<_> = culprits.iter().map(ToString::to_string).collect();
    format!("; both branches are signed by {}", names.join(", "))
}
