//! The culprits of a fork, from two pasts: `fork.rs` says who they are, here every COMMIT certificate is held against every VIEW-CHANGE
//! and every certificate of the same place that either past holds.

use super::{
    CommitCertificate, PreparedCertificate, Record, ViewChange,
    decide::commit_certificate,
    fork::{Beside, both, concealed},
};
use crate::{Evidence, Keys, forensics::Past};
use quorate_crypto::Scheme;
use quorate_types::{Height, View};
use std::collections::BTreeMap;

/// Whoever committed a block of `ours` and signed, in view or place, against it.
pub(super) fn blame<S: Scheme>(ours: &Past<Record<S>>, theirs: &Past<Record<S>>, keys: &Keys<S>) -> Vec<Evidence> {
    let changes: Vec<_> = [ours, theirs].into_iter().flat_map(view_changes).collect();
    let mut beside: BTreeMap<(View, Height), Vec<Beside<S>>> = BTreeMap::new();
    for commit in commits(theirs) {
        let ballot = commit.statement.0;
        beside.entry((ballot.view, ballot.height)).or_default().push(Beside::Committed(commit));
    }
    for prepared in [ours, theirs].into_iter().flat_map(prepared) {
        let ballot = prepared.statement.0;
        beside.entry((ballot.view, ballot.height)).or_default().push(Beside::Prepared(prepared.clone()));
    }
    let mut all = Vec::new();
    for commit in commits(ours) {
        let ballot = commit.statement.0;
        all.extend(changes.iter().filter_map(|change| concealed(&commit, change, &keys.scheme)));
        let same_place = beside.get(&(ballot.view, ballot.height)).into_iter().flatten();
        all.extend(same_place.flat_map(|other| both(&commit, other, &keys.scheme)));
    }
    all
}

fn commits<S: Scheme>(past: &Past<Record<S>>) -> impl Iterator<Item = CommitCertificate<S>> {
    past.committed.iter().filter_map(|(_, proof)| commit_certificate(proof.as_ref()?))
}

fn view_changes<S: Scheme>(past: &Past<Record<S>>) -> impl Iterator<Item = &ViewChange<S>> {
    past.records.iter().flat_map(|record| match record {
        Record::NewView(new_view) => new_view.view_changes.iter().collect(),
        Record::ViewChange(change) => vec![change.as_ref()],
        Record::Changes(changes) => changes.iter().collect(),
        _ => Vec::new(),
    })
}

fn prepared<S: Scheme>(past: &Past<Record<S>>) -> impl Iterator<Item = &PreparedCertificate<S>> {
    let own = past.records.iter().filter_map(|record| match record {
        Record::Prepared(certificate) => Some(certificate),
        _ => None,
    });
    own.chain(view_changes(past).filter_map(|change| change.prepared.as_ref()))
}
