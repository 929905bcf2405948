//! The fields of PBFT's messages, and which of its signatures a replica can make again.

use super::{
    Resign,
    fields::{Fields, fields},
    resign::rooted,
    walker::Walker,
};
use crate::Hands;
use quorate_consensus::{
    Promised,
    pbft::{
        Ballot, Certificates, Checkpoint, Commit, Message, NewView, Pbft, PrePrepare, PrePrepareStatement, Prepare,
        StableCheckpoint, Standing, ViewChange, Vote,
    },
};
use quorate_crypto::{Certificate, Scheme, Statement};
use quorate_types::{Block, BoundedVec, Digest};

fields!(Ballot { view, height, block });
fields!(Checkpoint { height, block, state_root });
fields!(Standing { view, committed, block, low });
fields!(PrePrepare<S> where [S: Scheme] { view, block } sealed { attestation, prepare });
fields!(Vote<T, S> where [T: Promised + Fields, S: Scheme] { statement, voter } sealed { signature });
fields!(Certificate<T, S> where [T: Statement + Fields, S: Scheme] { statement } sealed { proof });
fields!(ViewChange<S> where [S: Scheme] { view, checkpoint, prepared, replica } sealed { attestation });
fields!(NewView<S> where [S: Scheme] { view, view_changes, tip } sealed { attestation });
fields!(Certificates<S> where [S: Scheme] { new_view, committed, checkpoint, is_whole, changes });

macro_rules! ballots {
    ($($type:ty),*) => {$(
        impl Fields for $type {
            fn paths(at: &str, paths: &mut Vec<String>) {
                Ballot::paths(at, paths);
            }

            fn walk(&mut self, at: &str, walker: &mut Walker<'_>) {
                self.0.walk(at, walker);
            }
        }
    )*};
}

ballots!(Prepare, Commit);

impl<S: Scheme> Fields for StableCheckpoint<S> {
    fn paths(at: &str, paths: &mut Vec<String>) {
        Checkpoint::paths(&format!("{at}.checkpoint"), paths);
        paths.extend([format!("{at}.proof?"), format!("{at}.proof")]);
    }

    fn walk(&mut self, at: &str, walker: &mut Walker<'_>) {
        walker.whole(self);
        let Self { checkpoint, proof } = self;
        checkpoint.walk(&format!("{at}.checkpoint"), walker);
        walker.option(&format!("{at}.proof?"), proof);
        proof.iter_mut().for_each(|proof| walker.leaf(&format!("{at}.proof"), proof));
    }
}

impl<S: Scheme> Fields for Message<S> {
    fn paths(_at: &str, paths: &mut Vec<String>) {
        PrePrepare::<S>::paths("pre_prepare", paths);
        Vote::<Prepare, S>::paths("prepare", paths);
        Vote::<Commit, S>::paths("commit", paths);
        Vote::<Checkpoint, S>::paths("checkpoint", paths);
        ViewChange::<S>::paths("view_change", paths);
        NewView::<S>::paths("new_view", paths);
        Standing::paths("ask_certificates", paths);
        Certificates::<S>::paths("certificates", paths);
        Digest::paths("ask_block", paths);
        Digest::paths("blocks.wanted", paths);
        BoundedVec::<Block, 0>::paths("blocks.blocks", paths);
    }

    fn walk(&mut self, _at: &str, walker: &mut Walker<'_>) {
        match self {
            Self::PrePrepare(said) => said.walk("pre_prepare", walker),
            Self::Prepare(vote) => vote.walk("prepare", walker),
            Self::Commit(vote) => vote.walk("commit", walker),
            Self::Checkpoint(vote) => vote.walk("checkpoint", walker),
            Self::ViewChange(change) => change.walk("view_change", walker),
            Self::NewView(new_view) => new_view.walk("new_view", walker),
            Self::AskCertificates(standing) => standing.walk("ask_certificates", walker),
            Self::Certificates(certificates) => certificates.walk("certificates", walker),
            Self::AskBlock(block) => block.walk("ask_block", walker),
            Self::Blocks { wanted, blocks } => {
                wanted.walk("blocks.wanted", walker);
                blocks.walk("blocks.blocks", walker);
            }
        }
    }
}

/// Signs a PRE-PREPARE again, and the PREPARE in it.
pub(crate) fn repropose<S: Scheme>(said: &mut PrePrepare<S>, hands: &Hands<Pbft<S>>) {
    let ballot = Ballot::of(said.view, &said.block.header);
    (said.attestation, said.prepare) = (hands.attest(&PrePrepareStatement(ballot)), hands.sign(&Prepare(ballot)));
}

/// Signs a PREPARE, a COMMIT or a CHECKPOINT again.
pub(crate) fn revote<T: Promised, S: Scheme>(vote: &mut Vote<T, S>, hands: &Hands<Pbft<S>>) {
    vote.signature = hands.sign(&vote.statement);
}

/// Signs a VIEW-CHANGE again.
pub(crate) fn rechange<S: Scheme>(change: &mut ViewChange<S>, hands: &Hands<Pbft<S>>) {
    change.attestation = hands.attest(&change.statement());
}

/// Signs its own among these again.
fn rechange_own<const MAX: usize, S: Scheme>(list: &mut BoundedVec<ViewChange<S>, MAX>, hands: &Hands<Pbft<S>>) {
    let mut changes = std::mem::take(list).into_inner();
    changes.iter_mut().filter(|change| change.replica == hands.me).for_each(|change| rechange(change, hands));
    *list = BoundedVec::new(changes).expect("as many as before");
}

/// Signs a NEW-VIEW again, and what is its own in it.
pub(crate) fn renew<S: Scheme>(new_view: &mut NewView<S>, hands: &Hands<Pbft<S>>) {
    rechange_own(&mut new_view.view_changes, hands);
    new_view.tip.iter_mut().for_each(|tip| repropose(tip, hands));
    new_view.attestation = hands.attest(&new_view.statement());
}

impl<S: Scheme> Resign for Pbft<S> {
    fn resign(message: &mut Message<S>, hands: &Hands<Self>) {
        match message {
            Message::PrePrepare(said) => repropose(said, hands),
            Message::Prepare(vote) => revote(vote, hands),
            Message::Commit(vote) => revote(vote, hands),
            Message::Checkpoint(vote) => revote(vote, hands),
            Message::ViewChange(change) => rechange(change, hands),
            Message::NewView(new_view) => renew(new_view, hands),
            Message::Certificates(certificates) => {
                let own = certificates.new_view.iter_mut().filter(|new_view| hands.is_round_robin(new_view.view));
                own.for_each(|new_view| renew(new_view, hands));
                rechange_own(&mut certificates.changes, hands);
            }
            Message::AskCertificates(_) | Message::AskBlock(_) | Message::Blocks { .. } => {}
        }
    }

    fn reroot(message: &mut Message<S>) {
        match message {
            Message::PrePrepare(said) => rooted(&mut said.block),
            Message::NewView(new_view) => new_view.tip.iter_mut().for_each(|tip| rooted(&mut tip.block)),
            Message::Certificates(certificates) => {
                let tips = certificates.new_view.iter_mut().filter_map(|new_view| new_view.tip.as_mut());
                tips.for_each(|tip| rooted(&mut tip.block));
            }
            Message::Blocks { blocks, .. } => {
                let mut all = std::mem::take(blocks).into_inner();
                all.iter_mut().for_each(rooted);
                *blocks = BoundedVec::new(all).expect("as many as before");
            }
            Message::Prepare(_)
            | Message::Commit(_)
            | Message::Checkpoint(_)
            | Message::ViewChange(_)
            | Message::AskCertificates(_)
            | Message::AskBlock(_) => {}
        }
    }
}
