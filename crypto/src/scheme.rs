//! One seam for all vote schemes.

use crate::{Committee, Price};
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_types::{Domain, ReplicaId, encode};
use std::{collections::BTreeMap, fmt::Debug, hash::Hash};

/// Something a replica can put its name to. The kind keeps signatures over different statements apart.
pub trait Statement: Clone + Debug + Eq + Hash + BorshSerialize + BorshDeserialize + Send + Sync + 'static {
    /// Tells statements of this type from all others. Unique in the project.
    const KIND: &'static str;
}

/// What is signed: `(tag, kind, chain, epoch, statement)` in the canonical encoding, whose strings carry their length,
/// so that no two statements of different kinds, chains or epochs share bytes.
pub fn signing_bytes<T: Statement>(committee: &Committee, statement: &T) -> Vec<u8> {
    encode(&(Domain::STATEMENT.0, T::KIND, committee.chain(), committee.epoch(), statement))
}

/// Why a signature or proof was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CryptoError {
    /// No such member.
    #[error("{0} is not a member of the committee")]
    UnknownSigner(ReplicaId),
    /// The signature does not verify.
    #[error("bad signature of {0}")]
    BadSignature(ReplicaId),
    /// A transaction's signature does not verify, or its sender is no key.
    #[error("bad signature of the transaction's sender")]
    BadTransaction,
    /// Fewer distinct signers than a quorum.
    #[error("{have} distinct signers where a quorum is {need}")]
    TooFewSigners {
        /// Distinct signers.
        have: usize,
        /// The quorum.
        need: usize,
    },
    /// Combining found that these members' signatures are bad.
    #[error("bad signatures of {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    BadSignatures(Vec<ReplicaId>),
    /// The proof does not verify.
    #[error("a proof that does not verify")]
    BadProof,
    /// Sealed for somebody else, or in another place, or changed on the way.
    #[error("a sealed box that does not open")]
    Sealed,
    /// The set of signers does not fit the committee or the signatures beside it.
    #[error("malformed proof")]
    MalformedProof,
}

/// How a committee signs, and how a quorum's votes become one proof.
///
/// The value holds the committee's public material, so verification needs no key look-up. What a quorum repeats word for
/// word (votes) is signed with [`Scheme::sign`] and combines; everything else (proposals, timeouts) is *attested*, with the
/// replica's ed25519 key under every real scheme.
pub trait Scheme: Clone + Debug + Eq + Hash + Send + Sync + 'static {
    /// One replica's contribution to a proof.
    type Signature: Clone + Debug + Eq + Hash + BorshSerialize + BorshDeserialize + Send + Sync + 'static;
    /// One replica's signature that stands alone.
    type Attestation: Clone + Debug + Eq + Hash + BorshSerialize + BorshDeserialize + Send + Sync + 'static;
    /// What a quorum's signatures combine into.
    type Proof: Clone + Debug + Eq + Hash + BorshSerialize + BorshDeserialize + Send + Sync + 'static;
    /// What one replica signs with.
    type Secret: Clone + Debug + Eq + Hash + Send + Sync + 'static;
    /// The name in genesis files and reports.
    const NAME: &'static str;
    /// Whether a proof tells who signed it.
    const ATTRIBUTABLE: bool;

    /// Whose scheme this is.
    fn committee(&self) -> &Committee;

    /// What its operations take of primitives.
    fn price(&self) -> Price;

    /// How many signatures a proof holds: one of each signer, or one in place of all.
    fn authenticators(&self, proof: &Self::Proof) -> usize;

    /// Signs a statement that a quorum will repeat.
    fn sign<T: Statement>(&self, secret: &Self::Secret, statement: &T) -> Self::Signature;

    /// Checks one replica's signature.
    fn verify<T: Statement>(
        &self,
        signer: ReplicaId,
        statement: &T,
        signature: &Self::Signature,
    ) -> Result<(), CryptoError>;

    /// Checks as much of a signature as must hold before it is kept: that `signer` and nobody else can have made it, *be it good or
    /// bad*, which is what evidence rests on. All of it where that is cheap; a scheme whose signatures are costly to check leaves the
    /// rest to [`Scheme::combine`].
    fn admit<T: Statement>(
        &self,
        signer: ReplicaId,
        statement: &T,
        signature: &Self::Signature,
    ) -> Result<(), CryptoError> {
        self.verify(signer, statement, signature)
    }

    /// Combines signatures that were admitted into a proof that verifies. Fewer than a quorum are an error; so are bad ones
    /// among them, which [`CryptoError::BadSignatures`] names.
    fn combine<T: Statement>(
        &self,
        statement: &T,
        signatures: &BTreeMap<ReplicaId, Self::Signature>,
    ) -> Result<Self::Proof, CryptoError>;

    /// Checks that a quorum of distinct members signed `statement`. Counts the signers itself.
    fn verify_proof<T: Statement>(&self, statement: &T, proof: &Self::Proof) -> Result<(), CryptoError>;

    /// Who signed, where a proof tells: under every scheme that is [`ATTRIBUTABLE`](Scheme::ATTRIBUTABLE).
    fn signers(&self, _proof: &Self::Proof) -> Option<Vec<ReplicaId>> {
        None
    }

    /// Signs a statement that stands alone.
    fn attest<T: Statement>(&self, secret: &Self::Secret, statement: &T) -> Self::Attestation;

    /// Checks a statement that stands alone.
    fn verify_attestation<T: Statement>(
        &self,
        signer: ReplicaId,
        statement: &T,
        attestation: &Self::Attestation,
    ) -> Result<(), CryptoError>;
}

/// A statement together with proof that a quorum signed exactly it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Certificate<T: Statement, S: Scheme> {
    /// What was signed.
    pub statement: T,
    /// By whom, under scheme `S`.
    pub proof: S::Proof,
}

impl<T: Statement, S: Scheme> Certificate<T, S> {
    /// Checks the proof against the committee.
    pub fn verify(&self, scheme: &S) -> Result<(), CryptoError> {
        scheme.verify_proof(&self.statement, &self.proof)
    }
}

/// What `combine` answers when the combination of admitted signatures does not verify: whose are bad.
pub(crate) fn blame<S: Scheme, T: Statement>(
    scheme: &S,
    statement: &T,
    signatures: &BTreeMap<ReplicaId, S::Signature>,
) -> CryptoError {
    let is_bad =
        |(signer, signature): &(&ReplicaId, &S::Signature)| scheme.verify(**signer, statement, signature).is_err();
    let liars: Vec<_> = signatures.iter().filter(is_bad).map(|(signer, _)| *signer).collect();
    // None are bad and yet their sum is the identity: a quorum of colluders chose keys that cancel out.
    if liars.is_empty() { CryptoError::MalformedProof } else { CryptoError::BadSignatures(liars) }
}
