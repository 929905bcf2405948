//! What hosts need to know of HotStuff.

use super::{
    Ballot, CommitProof, HotStuff, Message, ProposalStatement, Record, Timeout, TimeoutStatement, Vote, forensics,
    fork, signers,
};
use crate::{Config, Evidence, Keys, Promise, Promised, Protocol, Rejection, evidence::BAD_SIGNATURE, forensics::Past};
use quorate_crypto::{Committee, Scheme, Statement};
use quorate_types::{Block, Header, ReplicaId, decode};

impl<S: Scheme> Protocol for HotStuff<S> {
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
        match evidence.kind.as_str() {
            kind if kind.strip_suffix(BAD_SIGNATURE) == Some(Ballot::KIND) => {
                evidence.verify_bad_signature::<Ballot, S>(keys)
            }
            Ballot::KIND => evidence.verify_contradiction::<Ballot, S>(keys),
            ProposalStatement::KIND => evidence.verify_contradiction::<ProposalStatement, S>(keys),
            TimeoutStatement::KIND => evidence.verify_contradiction::<TimeoutStatement, S>(keys),
            fork::KIND => fork::verify(evidence, keys),
            _ => Err(Rejection::Malformed("a kind of evidence that HotStuff does not know")),
        }
    }

    fn blame(ours: &Past<Record<S>>, theirs: &Past<Record<S>>, keys: &Keys<S>) -> Vec<Evidence> {
        forensics::blame(ours, theirs, keys)
    }

    fn block_in(record: &Record<S>) -> Option<&Block> {
        match record {
            Record::Block(justified) => Some(&justified.block),
            _ => None,
        }
    }

    fn promise_in(record: &Record<S>) -> Option<&Promise> {
        match record {
            Record::Promise(promise) => Some(promise),
            _ => None,
        }
    }

    fn promises_in(message: &Message<S>, _: &Committee) -> Vec<(ReplicaId, Promise)> {
        let vote = |vote: &Vote<S>| (vote.voter, vote.ballot.promise());
        match message {
            Message::Proposal(proposal) => {
                let header = &proposal.justified.block.header;
                vec![(header.proposer, ProposalStatement(Ballot::of(header)).promise())]
            }
            Message::Vote(said) => vec![vote(said)],
            Message::Timeout(timeout) => {
                let Timeout { view, high_qc, replica, .. } = timeout.as_ref();
                let left = TimeoutStatement { view: *view, high_qc: high_qc.view() }.promise();
                std::iter::once((*replica, left)).chain(timeout.vote.as_ref().map(vote)).collect()
            }
            Message::Certificates(_) | Message::AskCertificates(_) | Message::AskBlock(_) | Message::Blocks { .. } => {
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
