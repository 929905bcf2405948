//! What hosts need to know of PBFT.

use super::{
    CommitProof, Message, Pbft, PrePrepare, PrePrepareStatement, Prepare, Record, evidence, forensics, signers,
};
use crate::{Config, Evidence, Keys, Promise, Promised, Protocol, Rejection, election::round_robin, forensics::Past};
use quorate_crypto::{Committee, Scheme};
use quorate_types::{Block, Header, ReplicaId, decode};

impl<S: Scheme> Protocol for Pbft<S> {
    type Scheme = S;

    fn recover(config: Config<S>, records: impl IntoIterator<Item = Record<S>>) -> Self {
        let mut replica = Self::new(config);
        replica.replay(records);
        replica
    }

    fn silence() -> Record<S> {
        Record::Silence
    }

    fn verify_commit(block: &Header, proof: &[u8], keys: &Keys<S>) -> Result<(), Rejection> {
        decode::<CommitProof<S>>(proof)?.verify(block, keys)
    }

    fn verify_evidence(evidence: &Evidence, keys: &Keys<S>) -> Result<(), Rejection> {
        evidence::verify(evidence, keys)
    }

    fn blame(ours: &Past<Record<S>>, theirs: &Past<Record<S>>, keys: &Keys<S>) -> Vec<Evidence> {
        forensics::blame(ours, theirs, keys)
    }

    fn block_in(record: &Record<S>) -> Option<&Block> {
        match record {
            Record::Block(block) => Some(block),
            _ => None,
        }
    }

    fn promise_in(record: &Record<S>) -> Option<&Promise> {
        match record {
            Record::Promise(promise) => Some(promise),
            _ => None,
        }
    }

    fn promises_in(message: &Message<S>, committee: &Committee) -> Vec<(ReplicaId, Promise)> {
        let proposed = |said: &PrePrepare<S>| {
            let primary = round_robin(committee, said.view);
            let statements = [PrePrepareStatement(said.ballot()).promise(), Prepare(said.ballot()).promise()];
            statements.map(|promise| (primary, promise)).to_vec()
        };
        match message {
            Message::Prepare(vote) => vec![(vote.voter, vote.statement.promise())],
            Message::Commit(vote) => vec![(vote.voter, vote.statement.promise())],
            Message::Checkpoint(vote) => vec![(vote.voter, vote.statement.promise())],
            Message::ViewChange(change) => vec![(change.replica, change.statement().promise())],
            Message::PrePrepare(pre_prepare) => proposed(pre_prepare),
            Message::NewView(new_view) => {
                let mut said = vec![(round_robin(committee, new_view.view), new_view.statement().promise())];
                said.extend(new_view.tip.iter().flat_map(proposed));
                said
            }
            Message::AskCertificates(_) | Message::Certificates(_) | Message::AskBlock(_) | Message::Blocks { .. } => {
                Vec::new()
            }
        }
    }

    fn signers_in(message: &Message<S>, scheme: &S) -> Vec<Vec<ReplicaId>> {
        signers::in_message(message, scheme)
    }

    fn signers_of_commit(proof: &[u8], scheme: &S) -> Option<Vec<ReplicaId>> {
        signers::of_commit(&decode::<CommitProof<S>>(proof).ok()?, scheme)
    }
}
