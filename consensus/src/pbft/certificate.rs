//! Prepared certificates, commit certificates, stable checkpoints: what a quorum of votes proves.

use super::statement::{Ballot, Checkpoint, Commit, Prepare};
use crate::{Keys, Rejection};
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_crypto::{Certificate, Scheme, Statement};
use quorate_types::{Digest, Domain, Header, encode};

/// Proof that a quorum accepted a block for its height in a view.
pub type PreparedCertificate<S> = Certificate<Prepare, S>;
/// Proof that a quorum holds the prepared certificate: the block is final.
pub type CommitCertificate<S> = Certificate<Commit, S>;

/// Proof that a quorum committed a block. Genesis is stable by being genesis: its checkpoint has no proof.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct StableCheckpoint<S: Scheme> {
    /// The block and its state.
    pub checkpoint: Checkpoint,
    /// The quorum's signatures; `None` at genesis only.
    pub proof: Option<S::Proof>,
}

/// Proof that a block is final, as the ledger keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub enum CommitProof<S: Scheme> {
    /// A quorum's COMMITs.
    Commit(#[borsh(bound(serialize = "", deserialize = ""))] CommitCertificate<S>),
    /// A quorum's CHECKPOINTs: honest replicas sign them after they committed.
    Checkpoint(#[borsh(bound(serialize = "", deserialize = ""))] StableCheckpoint<S>),
}

/// Checks a certificate, once: the same one comes in many messages.
pub(super) fn verify_once<T: Statement, S: Scheme>(
    certificate: &Certificate<T, S>,
    keys: &Keys<S>,
) -> Result<(), Rejection> {
    keys.seen.check_once(name(certificate), || Ok(certificate.verify(&keys.scheme)?))
}

/// By which a certificate is remembered: all of it, signatures included.
pub(super) fn name<T: Statement, S: Scheme>(certificate: &Certificate<T, S>) -> Digest {
    Digest::of_bytes(Domain::STATEMENT, &encode(&(T::KIND, certificate)))
}

/// Nobody votes in the view or at the height that belongs to genesis.
pub(super) fn check_ballot<S: Scheme>(ballot: &Ballot, keys: &Keys<S>) -> Result<(), Rejection> {
    if ballot.view <= keys.genesis.view || ballot.height <= keys.genesis.height {
        return Err(Rejection::Malformed("a ballot not above genesis"));
    }
    Ok(())
}

impl<S: Scheme> StableCheckpoint<S> {
    /// The genesis block's.
    pub fn genesis(genesis: &Header) -> Self {
        Self { checkpoint: Checkpoint::of(genesis), proof: None }
    }

    /// Checks the proof; only the exact genesis checkpoint needs none.
    pub fn verify(&self, keys: &Keys<S>) -> Result<(), Rejection> {
        let Some(proof) = &self.proof else {
            let Checkpoint { height, block, state_root } = self.checkpoint;
            let genesis = (keys.genesis.height, keys.genesis_digest, keys.genesis.state_root);
            return if (height, block, state_root) == genesis {
                Ok(())
            } else {
                Err(Rejection::Malformed("a checkpoint without a proof that is not genesis'"))
            };
        };
        if self.checkpoint.height <= keys.genesis.height {
            return Err(Rejection::Malformed("a proof for a checkpoint not above genesis"));
        }
        verify_once(&Certificate { statement: self.checkpoint, proof: proof.clone() }, keys)
    }
}

impl<S: Scheme> CommitProof<S> {
    /// Checks that `block` is final.
    pub fn verify(&self, block: &Header, keys: &Keys<S>) -> Result<(), Rejection> {
        match self {
            Self::Commit(certificate) => {
                let ballot = certificate.statement.0;
                check_ballot(&ballot, keys)?;
                if (ballot.height, ballot.block) != (block.height, block.digest()) || ballot.view < block.view {
                    return Err(Rejection::Malformed("commit proof: the certificate is another block's"));
                }
                verify_once(certificate, keys)
            }
            Self::Checkpoint(stable) => {
                if stable.checkpoint != Checkpoint::of(block) {
                    return Err(Rejection::Malformed("commit proof: the checkpoint is another block's"));
                }
                stable.verify(keys)
            }
        }
    }
}
