//! Who signed the certificates in a message or a commit proof: for those who count for themselves.

use super::{CommitProof, Message, NewView, StableCheckpoint, ViewChange};
use quorate_crypto::Scheme;
use quorate_types::ReplicaId;

type Signers = Vec<ReplicaId>;

fn of_checkpoint<S: Scheme>(stable: &StableCheckpoint<S>, scheme: &S) -> Option<Signers> {
    scheme.signers(stable.proof.as_ref()?)
}

fn of_change<S: Scheme>(change: &ViewChange<S>, scheme: &S) -> impl Iterator<Item = Signers> {
    let prepared = change.prepared.as_ref().and_then(|prepared| scheme.signers(&prepared.proof));
    of_checkpoint(&change.checkpoint, scheme).into_iter().chain(prepared)
}

fn of_new_view<S: Scheme>(new_view: &NewView<S>, scheme: &S) -> impl Iterator<Item = Signers> {
    let changed = new_view.view_changes.iter().map(|change| change.replica).collect();
    new_view.view_changes.iter().flat_map(|change| of_change(change, scheme)).chain([changed])
}

/// Of each certificate in the message; a NEW-VIEW is one over its VIEW-CHANGEs.
pub(super) fn in_message<S: Scheme>(message: &Message<S>, scheme: &S) -> Vec<Signers> {
    match message {
        Message::ViewChange(change) => of_change(change, scheme).collect(),
        Message::NewView(new_view) => of_new_view(new_view, scheme).collect(),
        Message::Certificates(known) => {
            let new_view = known.new_view.iter().flat_map(|new_view| of_new_view(new_view, scheme));
            let committed = known.committed.iter().filter_map(|committed| scheme.signers(&committed.proof));
            let stable = known.checkpoint.iter().filter_map(|stable| of_checkpoint(stable, scheme));
            let changes = known.changes.iter().flat_map(|change| of_change(change, scheme));
            new_view.chain(committed).chain(stable).chain(changes).collect()
        }
        Message::PrePrepare(_)
        | Message::Prepare(_)
        | Message::Commit(_)
        | Message::Checkpoint(_)
        | Message::AskCertificates(_)
        | Message::AskBlock(_)
        | Message::Blocks { .. } => Vec::new(),
    }
}

/// Of the certificate that a commit proof rests on.
pub(super) fn of_commit<S: Scheme>(proof: &CommitProof<S>, scheme: &S) -> Option<Signers> {
    match proof {
        CommitProof::Commit(certificate) => scheme.signers(&certificate.proof),
        CommitProof::Checkpoint(stable) => of_checkpoint(stable, scheme),
    }
}
