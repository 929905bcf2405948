//! Pairs of statements that no honest replica signs.

use super::{PrePrepareStatement, Stepped, Vote, message::PrePrepare};
use crate::{Action, Evidence, Ignored, Promised};
use borsh::BorshSerialize;
use quorate_crypto::{Scheme, Statement};
use quorate_types::{ReplicaId, View, encode};

/// Files two messages, each with its signature, against their signer.
pub(super) fn accuse<S: Scheme>(
    accused: ReplicaId,
    view: View,
    kind: &str,
    first: &impl BorshSerialize,
    second: &impl BorshSerialize,
    step: &mut Stepped<S>,
) {
    let evidence = Evidence { accused, view, kind: kind.to_owned(), first: encode(first), second: encode(second) };
    step.act(Action::Accuse(Box::new(evidence)));
    step.ignore(Ignored::Equivocation);
}

pub(super) fn accuse_of_votes<T: Promised, S: Scheme>(first: &Vote<T, S>, second: &Vote<T, S>, step: &mut Stepped<S>) {
    accuse(second.voter, second.statement.view(), T::KIND, first, second, step);
}

pub(super) fn accuse_of_pre_prepares<S: Scheme>(
    primary: ReplicaId,
    first: &PrePrepare<S>,
    second: &PrePrepare<S>,
    step: &mut Stepped<S>,
) {
    let said =
        |pre_prepare: &PrePrepare<S>| (PrePrepareStatement(pre_prepare.ballot()), pre_prepare.attestation.clone());
    accuse(primary, second.view, PrePrepareStatement::KIND, &said(first), &said(second), step);
}
