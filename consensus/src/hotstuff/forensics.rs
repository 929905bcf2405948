//! The culprits of a fork, from two pasts: `fork.rs` says who they are, here the certificates that show it are put together.
//!
//! The ledger keeps a block's certificate only where the block's grandparent was committed by it. The lowest block of the other branch above a
//! committed view comes after views without a block, so that its certificate is nobody's commit proof: it is in a journal, below the
//! next block that was voted for.

use super::{
    CommitProof, JustifiedBlock, QuorumCertificate, Record,
    fork::{Beside, Committed, accuse},
};
use crate::{Evidence, Keys, forensics::Past};
use quorate_crypto::Scheme;
use quorate_types::{Block, Digest, Header, decode};
use std::collections::BTreeMap;

/// Certificates by block.
type Certificates<S> = BTreeMap<Digest, QuorumCertificate<S>>;

/// Whoever committed a block of `ours` and signed for a branch of `theirs` that leaves it out.
pub(super) fn blame<S: Scheme>(ours: &Past<Record<S>>, theirs: &Past<Record<S>>, keys: &Keys<S>) -> Vec<Evidence> {
    let mut certificates = Certificates::from([(keys.genesis_digest, QuorumCertificate::genesis(&keys.genesis))]);
    for past in [ours, theirs] {
        certificates.extend(certificates_in(past).map(|qc| (qc.block(), qc)));
    }
    let branch = branch(theirs);
    let bodies = bodies(theirs);
    let of_block = |(block, proof): &(Block, Option<Vec<u8>>)| {
        let proof: CommitProof<S> = decode(proof.as_ref()?).ok()?;
        let lowest = branch.iter().find(|header| header.view > block.header.view)?;
        let justified = JustifiedBlock {
            block: (*bodies.get(&lowest.digest())?).clone(),
            justify: certificates.get(&lowest.parent)?.clone(),
        };
        let beside = Beside { block: justified, signed: certificates.get(&lowest.digest())?.clone() };
        let signed = if lowest.view == proof.child.view {
            certificates.get(&proof.child.digest())?.clone()
        } else {
            proof.qc.clone()
        };
        let committed = Committed { header: block.header.clone(), proof, signed };
        Some(accuse(&committed, &beside, &keys.scheme))
    };
    ours.committed.iter().filter_map(of_block).flatten().collect()
}

/// The headers of a past, with the two that its last commit proof adds.
fn branch<S: Scheme>(past: &Past<Record<S>>) -> Vec<Header> {
    let mut headers: Vec<_> = past.committed.iter().map(|(block, _)| block.header.clone()).collect();
    let last = past.committed.last().and_then(|(_, proof)| decode::<CommitProof<S>>(proof.as_ref()?).ok());
    headers.extend(last.into_iter().flat_map(|proof| [proof.child, proof.grandchild]));
    headers
}

fn bodies<S: Scheme>(past: &Past<Record<S>>) -> BTreeMap<Digest, &Block> {
    let recorded = past.records.iter().filter_map(|record| match record {
        Record::Block(justified) => Some(&justified.block),
        _ => None,
    });
    let held = past.committed.iter().map(|(block, _)| block);
    held.chain(recorded).map(|block| (block.digest(), block)).collect()
}

/// Every certificate that a past holds.
fn certificates_in<S: Scheme>(past: &Past<Record<S>>) -> impl Iterator<Item = QuorumCertificate<S>> {
    let proofs = past.committed.iter().filter_map(|(_, proof)| proof.as_ref());
    let proven = proofs.filter_map(|proof| Some(decode::<CommitProof<S>>(proof).ok()?.qc));
    let recorded = past.records.iter().flat_map(|record| match record {
        Record::Block(justified) => vec![justified.justify.clone()],
        Record::Certificates { high_qc, locked_qc, entry } => {
            let entry = entry.iter().map(|entry| entry.high_qc.clone());
            [high_qc.clone(), locked_qc.clone()].into_iter().chain(entry).collect()
        }
        Record::Timeout(timeout) => vec![timeout.high_qc.clone()],
        Record::Promise(_) | Record::Vote(_) | Record::Silence => Vec::new(),
    });
    proven.chain(recorded)
}
