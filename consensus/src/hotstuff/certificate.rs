//! Quorum certificates, timeout certificates, commit proofs: what carries conviction from one replica to another.

use super::statement::{Ballot, TimeoutStatement};
use crate::{Keys, Rejection};
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_crypto::{Certificate, CryptoError, Scheme};
use quorate_types::{BoundedVec, Digest, Domain, Header, Height, ReplicaId, View, encode, limits};
use std::collections::BTreeSet;

/// Proof that a quorum voted for a block. Genesis is certified by being genesis: its certificate has no proof.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct QuorumCertificate<S: Scheme> {
    /// View, height and digest of the block.
    pub ballot: Ballot,
    /// The quorum's signatures; `None` in the genesis certificate only.
    pub proof: Option<S::Proof>,
}

/// One replica's share of a timeout certificate.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct TimeoutShare<S: Scheme> {
    /// Who left the view.
    pub replica: ReplicaId,
    /// The view of the greatest quorum certificate it knew, as it signed.
    pub high_qc: View,
    /// Over (view, high_qc).
    pub attestation: S::Attestation,
}

/// Proof that a quorum left one view, with the valid quorum certificate of the greatest view that any of them claims to
/// know. Without that certificate one false claim would make every later proposal look too old, for ever (hole H1).
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct TimeoutCertificate<S: Scheme> {
    /// The view that was left.
    pub view: View,
    /// Of the greatest view among the shares.
    #[borsh(bound(serialize = "", deserialize = ""))]
    pub high_qc: QuorumCertificate<S>,
    /// In ascending order of replicas, none twice.
    #[borsh(bound(serialize = "", deserialize = ""))]
    pub shares: BoundedVec<TimeoutShare<S>, { limits::REPLICAS }>,
}

/// Proof that a block is final: two descendants' headers in consecutive views, and the last one's certificate. One
/// certificate is enough, because honest replicas vote only for blocks whose justify they checked.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct CommitProof<S: Scheme> {
    /// The child, whose view is one more.
    pub child: Header,
    /// The grandchild, whose view is two more.
    pub grandchild: Header,
    /// Certifies the grandchild.
    #[borsh(bound(serialize = "", deserialize = ""))]
    pub qc: QuorumCertificate<S>,
}

impl<S: Scheme> QuorumCertificate<S> {
    /// The certificate of the genesis block.
    pub fn genesis(genesis: &Header) -> Self {
        Self { ballot: Ballot::of(genesis), proof: None }
    }

    /// The certified view.
    pub fn view(&self) -> View {
        self.ballot.view
    }

    /// The certified block.
    pub fn block(&self) -> Digest {
        self.ballot.block
    }

    /// The certified block's height.
    pub fn height(&self) -> Height {
        self.ballot.height
    }

    /// Checks the proof; only the exact genesis ballot needs none.
    pub fn verify(&self, keys: &Keys<S>) -> Result<(), Rejection> {
        let Some(proof) = &self.proof else {
            return if self.ballot == genesis_ballot(keys) {
                Ok(())
            } else {
                Err(Rejection::Malformed("a certificate without a proof that is not genesis'"))
            };
        };
        if self.ballot.view <= keys.genesis.view || self.ballot.height <= keys.genesis.height {
            return Err(Rejection::Malformed("a proof for a ballot not above genesis"));
        }
        keys.seen.check_once(self.name(), || Ok(keys.scheme.verify_proof(&self.ballot, proof)?))
    }

    /// By which it is remembered: all of it, signatures included.
    pub(super) fn name(&self) -> Digest {
        Digest::of_bytes(Domain::STATEMENT, &encode(&("qc", self)))
    }
}

/// The only ballot that needs no proof.
fn genesis_ballot<S: Scheme>(keys: &Keys<S>) -> Ballot {
    Ballot { view: keys.genesis.view, height: keys.genesis.height, block: keys.genesis_digest }
}

impl<S: Scheme> From<Certificate<Ballot, S>> for QuorumCertificate<S> {
    fn from(certificate: Certificate<Ballot, S>) -> Self {
        Self { ballot: certificate.statement, proof: Some(certificate.proof) }
    }
}

impl<S: Scheme> TimeoutCertificate<S> {
    /// Checks the shares, that they are a quorum of distinct replicas leaving this one view, and that the greatest
    /// certificate claimed is here and valid.
    pub fn verify(&self, keys: &Keys<S>) -> Result<(), Rejection> {
        let name = Digest::of_bytes(Domain::STATEMENT, &encode(&("tc", self)));
        keys.seen.check_once(name, || self.verify_shares(keys))?;
        self.high_qc.verify(keys)
    }

    fn verify_shares(&self, keys: &Keys<S>) -> Result<(), Rejection> {
        let signers: BTreeSet<_> = self.shares.iter().map(|share| share.replica).collect();
        if signers.len() != self.shares.len() || !self.shares.is_sorted_by_key(|share| share.replica) {
            return Err(Rejection::Malformed("timeout certificate: shares out of order or a replica twice"));
        }
        let need = keys.committee().quorum();
        if signers.len() < need {
            return Err(CryptoError::TooFewSigners { have: signers.len(), need }.into());
        }
        let greatest = self.shares.iter().map(|share| share.high_qc).max();
        if greatest != Some(self.high_qc.view()) || self.high_qc.view() >= self.view {
            return Err(Rejection::Malformed("timeout certificate: not the certificate of the greatest claimed view"));
        }
        for share in &self.shares {
            let statement = TimeoutStatement { view: self.view, high_qc: share.high_qc };
            keys.scheme.verify_attestation(share.replica, &statement, &share.attestation)?;
        }
        Ok(())
    }
}

impl<S: Scheme> CommitProof<S> {
    /// Checks that `block` is final: links, consecutive views, and the certificate (HotStuff's three-chain).
    pub fn verify(&self, block: &Header, keys: &Keys<S>) -> Result<(), Rejection> {
        let links = [(block, &self.child), (&self.child, &self.grandchild)];
        for (parent, child) in links {
            if child.parent != parent.digest() || child.height != parent.height.next() {
                return Err(Rejection::Malformed("commit proof: a header does not extend the one below"));
            }
            if child.view != parent.view.next() {
                return Err(Rejection::Malformed("commit proof: views are not consecutive"));
            }
        }
        if self.qc.ballot != Ballot::of(&self.grandchild) {
            return Err(Rejection::Malformed("commit proof: the certificate is not the grandchild's"));
        }
        self.qc.verify(keys)
    }
}
