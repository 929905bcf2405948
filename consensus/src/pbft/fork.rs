//! Naming those without whom there is no fork (Sheng et al., *BFT Protocol Forensics*, CCS 2021).
//!
//! Who signs COMMIT holds the block's prepared certificate and keeps its highest one for ever, so every VIEW-CHANGE of its for a later view
//! shows one of that rank, (view, height), or above. Let a quorum's COMMITs make a block final in view `v`, and another block beside it in a
//! view above: the first view above `v` that left the block out began with a quorum of VIEW-CHANGEs that show less, or a
//! certificate of the same rank for another block. Either way two quorums share more than f members who signed both, which no honest
//! replica does:
//! - **concealed**: COMMIT, and a VIEW-CHANGE to a later view that shows a lower rank. One that lost its journal, and speaks again, stands
//!   on a checkpoint above everything that it signed (`rejoin.rs`), and such a VIEW-CHANGE counts against nobody;
//! - **both**: two certificates of one view and height for different blocks.
//!
//! Whoever holds a commit certificate looks at every VIEW-CHANGE that it takes, so the culprits may be named before there are two ledgers.
//! Where certificates do not tell who signed, nobody can be.

use super::{CommitCertificate, Pbft, PreparedCertificate, Stepped, ViewChange, ViewChangeStatement};
use crate::{Action, Evidence, Exhibit, Keys, Rejection, pbft::evidence::Says};
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_crypto::{Certificate, Scheme};
use quorate_types::ReplicaId;
use std::collections::BTreeSet;

/// COMMIT, and a VIEW-CHANGE as if it had never been.
pub(super) const CONCEALED: &str = "pbft/concealed";
/// Two certificates for one place.
pub(super) const BOTH: &str = "pbft/both";

/// A certificate beside a commit certificate.
#[derive(Clone, Debug, BorshSerialize, BorshDeserialize)]
pub(super) enum Beside<S: Scheme> {
    Committed(#[borsh(bound(serialize = "", deserialize = ""))] CommitCertificate<S>),
    Prepared(#[borsh(bound(serialize = "", deserialize = ""))] PreparedCertificate<S>),
}

impl<S: Scheme> Pbft<S> {
    /// Holds a VIEW-CHANGE against the commits that are known.
    pub(super) fn accuse_if_concealed(&self, change: &ViewChange<S>, step: &mut Stepped<S>) {
        for commit in [&self.root_certificate, &self.committed].into_iter().flatten() {
            tell(concealed(commit, change, self.safety.scheme()), step);
        }
    }

    /// Names whoever can be named for a block that is final beside ours.
    pub(super) fn accuse_of_fork(&self, theirs: &CommitCertificate<S>, step: &mut Stepped<S>) {
        let began = self.entry.iter().flat_map(|entry| entry.view_changes.iter());
        for change in began.chain(self.changes.values()) {
            tell(concealed(theirs, change, self.safety.scheme()), step);
        }
        if let Some(ours) = &self.root_certificate {
            tell(both(ours, &Beside::Committed(theirs.clone()), self.safety.scheme()), step);
        }
        if let Some(ours) = &self.prepared {
            tell(both(theirs, &Beside::Prepared(ours.clone()), self.safety.scheme()), step);
        }
    }
}

fn tell<S: Scheme>(evidence: impl IntoIterator<Item = Evidence>, step: &mut Stepped<S>) {
    for piece in evidence {
        step.act(Action::Accuse(Box::new(piece)));
    }
}

/// The sender of a VIEW-CHANGE that conceals what it committed.
pub(super) fn concealed<S: Scheme>(
    commit: &CommitCertificate<S>,
    change: &ViewChange<S>,
    scheme: &S,
) -> Option<Evidence> {
    if !conceals(commit, &change.statement()) || !signers(commit, scheme).contains(&change.replica) {
        return None;
    }
    Some(Evidence {
        accused: change.replica,
        kind: CONCEALED.to_owned(),
        view: change.view,
        height: Some(commit.statement.0.height),
        first: Exhibit::enclosed(commit),
        second: change.said().into_exhibit(),
    })
}

/// The signers of two certificates for one place.
pub(super) fn both<S: Scheme>(commit: &CommitCertificate<S>, beside: &Beside<S>, scheme: &S) -> Vec<Evidence> {
    if !beside.contradicts(commit) {
        return Vec::new();
    }
    let ballot = commit.statement.0;
    let piece = |accused| Evidence {
        accused,
        kind: BOTH.to_owned(),
        view: ballot.view,
        height: Some(ballot.height),
        first: Exhibit::enclosed(commit),
        second: Exhibit::enclosed(beside),
    };
    beside.signers_too(commit, scheme).into_iter().map(piece).collect()
}

/// Whether somebody who signed this commit could not honestly show this.
fn conceals<S: Scheme>(commit: &CommitCertificate<S>, change: &ViewChangeStatement) -> bool {
    let ballot = commit.statement.0;
    let shown = change.prepared.map(|prepared| (prepared.view, prepared.height));
    change.view > ballot.view && change.checkpoint.height < ballot.height && shown < Some((ballot.view, ballot.height))
}

fn signers<T: quorate_crypto::Statement, S: Scheme>(
    certificate: &Certificate<T, S>,
    scheme: &S,
) -> BTreeSet<ReplicaId> {
    scheme.signers(&certificate.proof).unwrap_or_default().into_iter().collect()
}

impl<S: Scheme> Beside<S> {
    fn contradicts(&self, commit: &CommitCertificate<S>) -> bool {
        let (ours, theirs) = (
            commit.statement.0,
            match self {
                Self::Committed(certificate) => certificate.statement.0,
                Self::Prepared(certificate) => certificate.statement.0,
            },
        );
        (ours.view, ours.height) == (theirs.view, theirs.height) && ours.block != theirs.block
    }

    fn signers_too(&self, commit: &CommitCertificate<S>, scheme: &S) -> BTreeSet<ReplicaId> {
        let theirs = match self {
            Self::Committed(certificate) => signers(certificate, scheme),
            Self::Prepared(certificate) => signers(certificate, scheme),
        };
        signers(commit, scheme).intersection(&theirs).copied().collect()
    }

    fn verify(&self, scheme: &S) -> Result<(), Rejection> {
        match self {
            Self::Committed(certificate) => Ok(certificate.verify(scheme)?),
            Self::Prepared(certificate) => Ok(certificate.verify(scheme)?),
        }
    }
}

/// Checks that the accused signed a commit, and a later VIEW-CHANGE that conceals it.
pub(super) fn verify_concealed<S: Scheme>(evidence: &Evidence, keys: &Keys<S>) -> Result<(), Rejection> {
    let commit: CommitCertificate<S> = evidence.first.open()?;
    let change: ViewChangeStatement = evidence.second.signed(evidence.accused, keys)?;
    if (evidence.view, evidence.height) != (change.view, Some(commit.statement.0.height)) {
        return Err(Rejection::Malformed("concealed: the evidence names another view or height"));
    }
    if !conceals(&commit, &change) {
        return Err(Rejection::Malformed("concealed: the view-change shows what was committed, or stands above it"));
    }
    commit.verify(&keys.scheme)?;
    is_signer(evidence, &signers(&commit, &keys.scheme))
}

/// Checks that the accused signed two certificates for one place.
pub(super) fn verify_both<S: Scheme>(evidence: &Evidence, keys: &Keys<S>) -> Result<(), Rejection> {
    let (commit, beside): (CommitCertificate<S>, Beside<S>) = (evidence.first.open()?, evidence.second.open()?);
    let ballot = commit.statement.0;
    if (evidence.view, evidence.height) != (ballot.view, Some(ballot.height)) || !beside.contradicts(&commit) {
        return Err(Rejection::Malformed(
            "both: the certificates are not for two blocks of the place that the evidence names",
        ));
    }
    commit.verify(&keys.scheme)?;
    beside.verify(&keys.scheme)?;
    is_signer(evidence, &beside.signers_too(&commit, &keys.scheme))
}

fn is_signer(evidence: &Evidence, signers: &BTreeSet<ReplicaId>) -> Result<(), Rejection> {
    if signers.contains(&evidence.accused) {
        return Ok(());
    }
    Err(Rejection::Malformed("a fork: the accused is not among those who signed"))
}
