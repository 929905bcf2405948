//! More than f replicas lie: noticing it, and naming them (Sheng et al., *BFT Protocol Forensics*, CCS 2021).
//!
//! Let `B` be committed here, of view `b`, by the certificate of its grandchild, of view `b + 2`. Whoever honest signed
//! that had locked `B`'s certificate, and no other of that view (`rules`). On a certified branch beside `B` take the lowest
//! block `X` above view `b`: its justify is of view `b` or below, which no lock on `B` allows. So if `X` is of a later view
//! than the grandchild, whoever signed both certificates broke its lock; and if `X` is of the view of the child or
//! grandchild, whoever signed both voted twice. Two quorums share more than f members. Where certificates do not tell who
//! signed, nobody can be named.

use super::{Ballot, CommitProof, HotStuff, JustifiedBlock, QuorumCertificate, Stepped};
use crate::{Action, Evidence, Exhibit, Keys, Rejection};
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_crypto::Scheme;
use quorate_types::{Header, ReplicaId};
use std::collections::BTreeSet;

/// The kind of evidence that a fork gives.
pub(super) const KIND: &str = "hotstuff/fork";

/// `B`, and the certificate above it whose signers had locked it, or voted in the view of the other branch.
#[derive(BorshSerialize, BorshDeserialize)]
pub(super) struct Committed<S: Scheme> {
    pub(super) header: Header,
    #[borsh(bound(serialize = "", deserialize = ""))]
    pub(super) proof: CommitProof<S>,
    #[borsh(bound(serialize = "", deserialize = ""))]
    pub(super) signed: QuorumCertificate<S>,
}

/// `X`, and its certificate.
#[derive(BorshSerialize, BorshDeserialize)]
pub(super) struct Beside<S: Scheme> {
    #[borsh(bound(serialize = "", deserialize = ""))]
    pub(super) block: JustifiedBlock<S>,
    #[borsh(bound(serialize = "", deserialize = ""))]
    pub(super) signed: QuorumCertificate<S>,
}

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
        let beside = lowest.map(|(qc, block)| Beside { block: block.clone(), signed: qc.clone() });
        let culprits = beside.map(|beside| self.accuse_signers_of_both(&beside, step)).unwrap_or_default();
        let why = format!(
            "block {} is certified in {}, but the branch that it stands on is not that of our committed block {}",
            top.block(),
            top.view(),
            self.tree.root_digest()
        );
        self.halt(format!("{why}: more than f replicas lie{}", named(&culprits)), step);
    }

    /// Who signed a certificate of the committed block's descendants and the one of the other branch.
    fn accuse_signers_of_both(&self, beside: &Beside<S>, step: &mut Stepped<S>) -> BTreeSet<ReplicaId> {
        let Some(proof) = &self.root_proof else { return BTreeSet::new() };
        let signed = match self.tree.get(&proof.qc.block()) {
            Some(grandchild) if beside.signed.view() == proof.child.view => grandchild.held.justify.clone(),
            None if beside.signed.view() == proof.child.view => return BTreeSet::new(),
            _ => proof.qc.clone(),
        };
        let committed = Committed { header: self.tree.root().clone(), proof: proof.clone(), signed };
        let evidence = accuse(&committed, beside, self.safety.scheme());
        let culprits = evidence.iter().map(|piece| piece.accused).collect();
        for piece in evidence {
            step.act(Action::Accuse(Box::new(piece)));
        }
        culprits
    }
}

/// A piece for each of those who signed both.
pub(super) fn accuse<S: Scheme>(committed: &Committed<S>, beside: &Beside<S>, scheme: &S) -> Vec<Evidence> {
    let piece = |accused| Evidence {
        accused,
        kind: KIND.to_owned(),
        view: beside.signed.view(),
        height: None,
        first: Exhibit::enclosed(committed),
        second: Exhibit::enclosed(beside),
    };
    signers_of_both(committed, beside, scheme).into_iter().map(piece).collect()
}

fn signers_of_both<S: Scheme>(committed: &Committed<S>, beside: &Beside<S>, scheme: &S) -> BTreeSet<ReplicaId> {
    let signers = |qc: &QuorumCertificate<S>| -> BTreeSet<ReplicaId> {
        let signers = qc.proof.as_ref().and_then(|proof| scheme.signers(proof));
        signers.unwrap_or_default().into_iter().collect()
    };
    signers(&committed.signed).intersection(&signers(&beside.signed)).copied().collect()
}

/// Checks that the accused signed for a committed block and, against it, for a block of another branch.
pub(super) fn verify<S: Scheme>(evidence: &Evidence, keys: &Keys<S>) -> Result<(), Rejection> {
    let (committed, beside): (Committed<S>, Beside<S>) = (evidence.first.open()?, evidence.second.open()?);
    committed.proof.verify(&committed.header, keys)?;
    let view = beside.signed.view();
    if committed.signed != committed.proof.qc {
        let is_childs = committed.signed.ballot == Ballot::of(&committed.proof.child);
        if !is_childs || view != committed.proof.child.view {
            return Err(Rejection::Malformed("fork: the certificate is not of the committed block's descendants"));
        }
        committed.signed.verify(keys)?;
    } else if view < committed.proof.qc.view() {
        return Err(Rejection::Malformed("fork: the other branch's certificate is older, and breaks no lock"));
    }
    let header = &beside.block.block.header;
    let justify = &beside.block.justify;
    if beside.signed.ballot != Ballot::of(header) || justify.block() != header.parent {
        return Err(Rejection::Malformed("fork: the other branch's certificates do not fit its block"));
    }
    let is_beside = justify.view() <= committed.header.view && justify.block() != committed.header.digest();
    if !is_beside || view <= committed.header.view {
        return Err(Rejection::Malformed("fork: the other branch does not leave out the committed block"));
    }
    beside.signed.verify(keys)?;
    justify.verify(keys)?;
    if evidence.view != view || evidence.height.is_some() {
        return Err(Rejection::Malformed("fork: the evidence names another view"));
    }
    if !signers_of_both(&committed, &beside, &keys.scheme).contains(&evidence.accused) {
        return Err(Rejection::Malformed("fork: the accused did not sign both certificates"));
    }
    Ok(())
}

fn named(culprits: &BTreeSet<ReplicaId>) -> String {
    if culprits.is_empty() {
        return String::new();
    }
    let names: Vec<_> = culprits.iter().map(ToString::to_string).collect();
    format!("; both branches are signed by {}", names.join(", "))
}
