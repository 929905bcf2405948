//! What a puppet of PBFT signs.

use super::Hands;
use crate::SimScheme;
use quorate_consensus::{
    Promised,
    pbft::{
        Ballot, Commit, NewView, NewViewStatement, Pbft, PrePrepare, PrePrepareStatement, Prepare, PreparedCertificate,
        StableCheckpoint, ViewChange, ViewChangeStatement, Vote,
    },
};
use quorate_types::{Block, BoundedVec, View};

impl<S: SimScheme> Hands<Pbft<S>> {
    fn signed<T: Promised>(&self, statement: T) -> Vote<T, S> {
        let signature = self.scheme.sign(&self.secret, &statement);
        Vote { statement, voter: self.me, signature }
    }

    /// A signed PREPARE.
    pub fn prepare(&self, ballot: Ballot) -> Vote<Prepare, S> {
        self.signed(Prepare(ballot))
    }

    /// A signed COMMIT.
    pub fn commit(&self, ballot: Ballot) -> Vote<Commit, S> {
        self.signed(Commit(ballot))
    }

    /// A signed PRE-PREPARE.
    pub fn pre_prepare(&self, view: View, block: Block) -> PrePrepare<S> {
        let ballot = Ballot::of(view, &block.header);
        let attestation = self.scheme.attest(&self.secret, &PrePrepareStatement(ballot));
        let prepare = self.scheme.sign(&self.secret, &Prepare(ballot));
        PrePrepare { view, block, attestation, prepare }
    }

    /// A signed VIEW-CHANGE.
    pub fn view_change(
        &self,
        view: View,
        checkpoint: StableCheckpoint<S>,
        prepared: Option<PreparedCertificate<S>>,
    ) -> ViewChange<S> {
        let ballot = prepared.as_ref().map(|prepared| prepared.statement.0);
        let statement = ViewChangeStatement { view, checkpoint: checkpoint.checkpoint, prepared: ballot };
        let attestation = self.scheme.attest(&self.secret, &statement);
        ViewChange { view, checkpoint, prepared, replica: self.me, attestation }
    }

    /// A signed NEW-VIEW, whatever follows from its VIEW-CHANGEs, which are in the order of replicas.
    pub fn new_view(&self, view: View, changes: Vec<ViewChange<S>>, tip: Option<PrePrepare<S>>) -> NewView<S> {
        let digest = tip.as_ref().map(|tip| tip.block.digest());
        let statement: NewViewStatement = NewView::<S>::statement_of(view, &changes, digest);
        let attestation = self.scheme.attest(&self.secret, &statement);
        let view_changes = BoundedVec::new(changes).expect("one for each member");
        NewView { view, view_changes, tip, attestation }
    }
}
