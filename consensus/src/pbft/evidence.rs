//! What no honest replica signs: two statements for one slot, or a NEW-VIEW that does not follow from its own VIEW-CHANGEs.

use super::{
    Checkpoint, Commit, NewViewStatement, PrePrepareStatement, Prepare, Stepped, ViewChangeStatement, Vote, fork,
    message::{NewView, PrePrepare, ViewChange},
};
use crate::{
    Action, Evidence, Exhibit, Ignored, Keys, Promised, Rejection,
    evidence::{BAD_SIGNATURE, Said},
};
use quorate_crypto::{Scheme, Statement};
use quorate_types::{BoundedVec, Digest, Domain, ReplicaId, limits};

/// The kind of evidence that an unfounded NEW-VIEW gives.
const UNFOUNDED: &str = "pbft/unfounded-new-view";

/// What a NEW-VIEW's digest of VIEW-CHANGEs stands for.
type Grounds = BoundedVec<(ReplicaId, ViewChangeStatement), { limits::REPLICAS }>;

/// A message that is a statement with its sender's signature.
pub(super) trait Says<S: Scheme> {
    type Statement: Promised;
    fn said(&self) -> Said<Self::Statement>;
}

impl<T: Promised, S: Scheme> Says<S> for Vote<T, S> {
    type Statement = T;
    fn said(&self) -> Said<T> {
        Said::voted::<S>(self.statement.clone(), &self.signature)
    }
}

impl<S: Scheme> Says<S> for PrePrepare<S> {
    type Statement = PrePrepareStatement;
    fn said(&self) -> Said<PrePrepareStatement> {
        Said::attested::<S>(PrePrepareStatement(self.ballot()), &self.attestation)
    }
}

impl<S: Scheme> Says<S> for ViewChange<S> {
    type Statement = ViewChangeStatement;
    fn said(&self) -> Said<ViewChangeStatement> {
        Said::attested::<S>(self.statement(), &self.attestation)
    }
}

impl<S: Scheme> Says<S> for NewView<S> {
    type Statement = NewViewStatement;
    fn said(&self) -> Said<NewViewStatement> {
        Said::attested::<S>(self.statement(), &self.attestation)
    }
}

/// Files two messages for one slot against their signer.
pub(super) fn accuse<S: Scheme, M: Says<S>>(accused: ReplicaId, first: &M, second: &M, step: &mut Stepped<S>) {
    file(Evidence::contradiction(accused, first.said(), second.said()), step);
}

/// Files a NEW-VIEW against the primary that signed it, if its VIEW-CHANGEs alone refute it.
pub(super) fn accuse_of_unfounded<S: Scheme>(primary: ReplicaId, new_view: &NewView<S>, step: &mut Stepped<S>) {
    let grounds: Vec<_> = new_view.view_changes.iter().map(|change| (change.replica, change.statement())).collect();
    if follows(&new_view.statement(), &grounds) {
        return;
    }
    let evidence = Evidence {
        accused: primary,
        kind: UNFOUNDED.to_owned(),
        view: new_view.view,
        height: None,
        first: Says::said(new_view).into_exhibit(),
        second: Exhibit::enclosed(&grounds),
    };
    file(evidence, step);
}

fn file<S: Scheme>(evidence: Evidence, step: &mut Stepped<S>) {
    step.act(Action::Accuse(Box::new(evidence)));
    step.ignore(Ignored::Equivocation);
}

/// Checks evidence of any kind that PBFT knows.
pub(super) fn verify<S: Scheme>(evidence: &Evidence, keys: &Keys<S>) -> Result<(), Rejection> {
    match evidence.kind.as_str() {
        PrePrepareStatement::KIND => evidence.verify_contradiction::<PrePrepareStatement, S>(keys),
        Prepare::KIND => evidence.verify_contradiction::<Prepare, S>(keys),
        Commit::KIND => evidence.verify_contradiction::<Commit, S>(keys),
        Checkpoint::KIND => evidence.verify_contradiction::<Checkpoint, S>(keys),
        ViewChangeStatement::KIND => evidence.verify_contradiction::<ViewChangeStatement, S>(keys),
        NewViewStatement::KIND => evidence.verify_contradiction::<NewViewStatement, S>(keys),
        UNFOUNDED => verify_unfounded(evidence, keys),
        fork::CONCEALED => fork::verify_concealed(evidence, keys),
        fork::BOTH => fork::verify_both(evidence, keys),
        kind => verify_bad_signature(kind.strip_suffix(BAD_SIGNATURE), evidence, keys),
    }
}

fn verify_bad_signature<S: Scheme>(vote: Option<&str>, evidence: &Evidence, keys: &Keys<S>) -> Result<(), Rejection> {
    match vote {
        Some(Prepare::KIND) => evidence.verify_bad_signature::<Prepare, S>(keys),
        Some(Commit::KIND) => evidence.verify_bad_signature::<Commit, S>(keys),
        Some(Checkpoint::KIND) => evidence.verify_bad_signature::<Checkpoint, S>(keys),
        _ => Err(Rejection::Malformed("a kind of evidence that PBFT does not know")),
    }
}

fn verify_unfounded<S: Scheme>(evidence: &Evidence, keys: &Keys<S>) -> Result<(), Rejection> {
    let statement: NewViewStatement = evidence.first.signed(evidence.accused, keys)?;
    let grounds: Grounds = evidence.second.open()?;
    if (evidence.view, evidence.height) != (statement.view, None) {
        return Err(Rejection::Malformed("unfounded new-view: the evidence names another view"));
    }
    if Digest::of(Domain::STATEMENT, &grounds) != statement.view_changes {
        return Err(Rejection::Malformed("unfounded new-view: these are not the view-changes that were signed"));
    }
    if follows(&statement, &grounds) {
        return Err(Rejection::Malformed("unfounded new-view: it follows from its view-changes"));
    }
    Ok(())
}

/// Whether the tip is what the VIEW-CHANGEs ask for: `rules::follows`, of the statements alone.
fn follows(new_view: &NewViewStatement, grounds: &[(ReplicaId, ViewChangeStatement)]) -> bool {
    let base = grounds.iter().map(|(_, change)| change.checkpoint.height).max();
    let prepared = || grounds.iter().filter_map(|(_, change)| change.prepared);
    let highest = prepared().map(|ballot| (ballot.view, ballot.height)).max();
    match highest.filter(|(_, height)| Some(*height) > base) {
        None => new_view.tip.is_none(),
        Some(rank) => {
            let mut due = prepared().filter(|ballot| (ballot.view, ballot.height) == rank);
            due.any(|ballot| new_view.tip == Some(ballot.block))
        }
    }
}
