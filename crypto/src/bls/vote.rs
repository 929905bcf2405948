//! A vote of either BLS scheme: a part of a certificate, and its author's ed25519 signature of statement and part.
//!
//! The BLS half is costly to check and is checked together with the others', once. The ed25519 half is checked on arrival and says
//! whose vote it is, *be its BLS half good or bad*: without it nobody could show a third party who spoilt a certificate, because a
//! partial that does not verify could be anybody's.

use super::{group::Group, point::Point};
use crate::{CryptoError, Ed25519Signature, Scheme, Statement, VoteSecret, ed25519::attestation};
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_types::{Domain, ReplicaId, encode};

/// A partial signature with its author's name to it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct BlsVote<G: Group> {
    /// Combines with others.
    #[borsh(bound(serialize = "", deserialize = ""))]
    pub partial: Point<G>,
    /// Says whose it is.
    pub signature: Ed25519Signature,
}

impl<G: Group> BlsVote<G> {
    /// Puts a member's name to a partial, whatever that is worth.
    pub fn new<S: Scheme, T: Statement>(scheme: &S, secret: &VoteSecret, statement: &T, partial: Point<G>) -> Self {
        let signature = attestation::sign(secret, &signed_bytes(scheme, statement, &partial));
        Self { partial, signature }
    }

    pub(super) fn verify_author<S: Scheme, T: Statement>(
        &self,
        scheme: &S,
        signer: ReplicaId,
        statement: &T,
    ) -> Result<(), CryptoError> {
        let bytes = signed_bytes(scheme, statement, &self.partial);
        attestation::verify(scheme.committee(), signer, &bytes, &self.signature)
    }
}

/// What the ed25519 half signs: a kind of its own, so that it passes for nothing else, then the statement's kind and the statement,
/// then the partial.
fn signed_bytes<S: Scheme, T: Statement, G: Group>(scheme: &S, statement: &T, partial: &Point<G>) -> Vec<u8> {
    let committee = scheme.committee();
    let head = (Domain::STATEMENT.0, [S::NAME, "/vote"].concat(), committee.chain(), committee.epoch());
    encode(&(head, T::KIND, statement, partial))
}
