//! Who signed the certificates in a message or a commit proof: for those who count for themselves.

use super::{CommitProof, Message, QuorumCertificate, TimeoutCertificate};
use quorate_crypto::Scheme;
use quorate_types::ReplicaId;

type Signers = Vec<ReplicaId>;

fn of_quorum<S: Scheme>(qc: &QuorumCertificate<S>, scheme: &S) -> Option<Signers> {
    scheme.signers(qc.proof.as_ref()?)
}

fn of_timeouts<S: Scheme>(tc: &TimeoutCertificate<S>, scheme: &S) -> impl Iterator<Item = Signers> {
    let left = tc.shares.iter().map(|share| share.replica).collect();
    of_quorum(&tc.high_qc, scheme).into_iter().chain([left])
}

/// Of each certificate in the message.
pub(super) fn in_message<S: Scheme>(message: &Message<S>, scheme: &S) -> Vec<Signers> {
    let quorum = |qc| of_quorum(qc, scheme);
    match message {
        Message::Proposal(proposal) => {
            let entry = proposal.entry.iter().flat_map(|tc| of_timeouts(tc, scheme));
            quorum(&proposal.justified.justify).into_iter().chain(entry).collect()
        }
        Message::Timeout(timeout) => quorum(&timeout.high_qc).into_iter().collect(),
        Message::Certificates(known) => {
            let entry = known.entry.iter().flat_map(|tc| of_timeouts(tc, scheme));
            quorum(&known.high_qc).into_iter().chain(entry).collect()
        }
        Message::Blocks { blocks, .. } => blocks.iter().filter_map(|block| quorum(&block.justify)).collect(),
        Message::Vote(_) | Message::AskCertificates(_) | Message::AskBlock(_) => Vec::new(),
    }
}

/// Of the certificate that a commit proof rests on.
pub(super) fn of_commit<S: Scheme>(proof: &CommitProof<S>, scheme: &S) -> Option<Signers> {
    of_quorum(&proof.qc, scheme)
}
