//! A symbolic scheme whose signatures and proofs are as long as a real one's: for counting bytes where real cryptography takes too long.
//!
//! A signature is that of [`Symbolic`] with zeros behind it. A proof is laid out as the real one is: a list of signatures; or a bitmap of
//! signers and one signature in place of all; or that signature alone. Such a signature is made with a key that is nobody's, which like all
//! others follows from the scheme's seed. Not for networks: whoever can verify can forge.

use crate::{Committee, CryptoError, Price, Scheme, Signers, Statement, Symbolic, SymbolicSecret, signing_bytes};
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_types::{BoundedVec, Digest, Domain, ReplicaId, limits};
use std::collections::BTreeMap;

/// A signature's bytes at most: of min_pk a point and an ed25519 signature.
const MAX_BYTES: usize = 160;
/// What says how long a list is.
const LENGTH: usize = 4;
const ED25519: usize = 64;
const G1: usize = 48;
const G2: usize = 96;

/// The scheme that another is to look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Looks {
    /// [`Ed25519List`](crate::Ed25519List).
    Ed25519,
    /// [`BlsMulti`](crate::bls::BlsMulti) with signatures in G1.
    BlsMulti,
    /// [`BlsMulti`](crate::bls::BlsMulti) with signatures in G2.
    BlsMultiMinPk,
    /// [`BlsThreshold`](crate::bls::BlsThreshold) with signatures in G1.
    BlsThreshold,
    /// [`BlsThreshold`](crate::bls::BlsThreshold) with signatures in G2.
    BlsThresholdMinPk,
}

/// The scheme.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Likeness {
    symbolic: Symbolic,
    /// Signs in place of all.
    common: Digest,
    looks: Looks,
}

/// A keyed hash of the statement, and zeros.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct LikeSignature(BoundedVec<u8, MAX_BYTES>);

/// Who signed, if the scheme tells, and their signatures or one in place of all.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct LikeProof {
    signers: Signers,
    signatures: BoundedVec<LikeSignature, { limits::REPLICAS }>,
}

impl Looks {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Ed25519, Self::BlsMulti, Self::BlsMultiMinPk, Self::BlsThreshold, Self::BlsThresholdMinPk];

    /// Bytes of the point that a vote or a proof holds; none in a list.
    fn point(self) -> Option<usize> {
        match self {
            Self::Ed25519 => None,
            Self::BlsMulti | Self::BlsThreshold => Some(G1),
            Self::BlsMultiMinPk | Self::BlsThresholdMinPk => Some(G2),
        }
    }

    fn names_signers(self) -> bool {
        match self {
            Self::Ed25519 | Self::BlsMulti | Self::BlsMultiMinPk => true,
            Self::BlsThreshold | Self::BlsThresholdMinPk => false,
        }
    }

    /// Bytes of a vote's signature.
    fn vote(self) -> usize {
        ED25519 + self.point().unwrap_or_default()
    }
}

impl LikeSignature {
    /// The hash, and zeros up to where its encoding is so long.
    fn of(hash: &Digest, length: usize) -> Self {
        let mut bytes = hash.0.to_vec();
        bytes.resize(length - LENGTH, 0);
        Self(BoundedVec::new(bytes).expect("no longer than the longest signature"))
    }
}

impl Likeness {
    /// Looks like `looks`.
    pub fn new(committee: Committee, seed: u64, looks: Looks) -> Self {
        let common = Digest::of(Domain::SYMBOLIC, &(seed, "in place of all"));
        Self { symbolic: Symbolic::new(committee, seed), common, looks }
    }

    /// The secret of one member.
    pub fn secret(&self, replica: ReplicaId) -> SymbolicSecret {
        self.symbolic.secret(replica)
    }

    fn made<T: Statement>(&self, secret: &SymbolicSecret, statement: &T, length: usize) -> LikeSignature {
        LikeSignature::of(self.symbolic.sign(secret, statement).digest(), length)
    }

    fn check<T: Statement>(
        &self,
        signer: ReplicaId,
        statement: &T,
        signature: &LikeSignature,
        length: usize,
    ) -> Result<(), CryptoError> {
        if !self.committee().contains(signer) {
            return Err(CryptoError::UnknownSigner(signer));
        }
        let is_good = self.made(&self.secret(signer), statement, length) == *signature;
        if is_good { Ok(()) } else { Err(CryptoError::BadSignature(signer)) }
    }

    /// One signature in place of all: of these signers, where the scheme names them.
    fn together<T: Statement>(&self, statement: &T, signers: &Signers, point: usize) -> LikeProof {
        let bytes = [&self.common.0, &*signing_bytes(self.committee(), statement), signers.bytes()].concat();
        // Beside the point's own length: that of the list of one; and that of the bitmap where none is told.
        let untold = if self.looks.names_signers() { 0 } else { LENGTH };
        let signature = LikeSignature::of(&Digest::of_bytes(Domain::SYMBOLIC, &bytes), point - LENGTH - untold);
        LikeProof { signers: signers.clone(), signatures: BoundedVec::new(vec![signature]).expect("one") }
    }
}

impl Scheme for Likeness {
    type Signature = LikeSignature;
    type Attestation = LikeSignature;
    type Proof = LikeProof;
    type Secret = SymbolicSecret;
    const NAME: &'static str = "likeness";
    const ATTRIBUTABLE: bool = false;

    fn committee(&self) -> &Committee {
        self.symbolic.committee()
    }

    fn price(&self) -> Price {
        if self.looks.point().is_some() { Price::PAIRING } else { Price::LIST }
    }

    fn authenticators(&self, proof: &LikeProof) -> usize {
        proof.signatures.len()
    }

    fn sign<T: Statement>(&self, secret: &SymbolicSecret, statement: &T) -> LikeSignature {
        self.made(secret, statement, self.looks.vote())
    }

    fn verify<T: Statement>(
        &self,
        signer: ReplicaId,
        statement: &T,
        signature: &LikeSignature,
    ) -> Result<(), CryptoError> {
        self.check(signer, statement, signature, self.looks.vote())
    }

    fn combine<T: Statement>(
        &self,
        statement: &T,
        signatures: &BTreeMap<ReplicaId, LikeSignature>,
    ) -> Result<LikeProof, CryptoError> {
        let signers = Signers::new(self.committee(), signatures.keys().copied())?;
        signers.quorum(self.committee())?;
        let Some(point) = self.looks.point() else {
            let listed = BoundedVec::new(signatures.values().cloned().collect());
            return Ok(LikeProof { signers, signatures: listed.map_err(|_| CryptoError::MalformedProof)? });
        };
        let is_bad =
            |(who, signature): &(&ReplicaId, &LikeSignature)| self.verify(**who, statement, signature).is_err();
        let liars: Vec<_> = signatures.iter().filter(is_bad).map(|(who, _)| *who).collect();
        if !liars.is_empty() {
            return Err(CryptoError::BadSignatures(liars));
        }
        let told = if self.looks.names_signers() { signers } else { Signers::untold() };
        Ok(self.together(statement, &told, point))
    }

    fn verify_proof<T: Statement>(&self, statement: &T, proof: &LikeProof) -> Result<(), CryptoError> {
        let signers = match self.looks.names_signers() {
            true => proof.signers.quorum(self.committee())?,
            false if proof.signers == Signers::untold() => Vec::new(),
            false => return Err(CryptoError::MalformedProof),
        };
        if let Some(point) = self.looks.point() {
            let is_good = self.together(statement, &proof.signers, point) == *proof;
            return if is_good { Ok(()) } else { Err(CryptoError::BadProof) };
        }
        if signers.len() != proof.signatures.len() {
            return Err(CryptoError::MalformedProof);
        }
        let each = signers.into_iter().zip(&proof.signatures);
        each.into_iter().try_for_each(|(who, signature)| self.verify(who, statement, signature))
    }

    fn attest<T: Statement>(&self, secret: &SymbolicSecret, statement: &T) -> LikeSignature {
        self.made(secret, statement, ED25519)
    }

    fn verify_attestation<T: Statement>(
        &self,
        signer: ReplicaId,
        statement: &T,
        attestation: &LikeSignature,
    ) -> Result<(), CryptoError> {
        self.check(signer, statement, attestation, ED25519)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Ed25519List, VoteSecret,
        bls::{MinPk, MinSig},
        conformance::{
            self, Claim, bls_multi, bls_multi_secret, bls_threshold, committee, threshold_secret, vote_secret,
        },
    };
    use quorate_types::codec::encoded_len;

    #[test]
    fn conforms_whatever_it_looks_like() {
        for looks in Looks::ALL {
            let liar = |scheme: &Likeness, replica: ReplicaId| scheme.secret(ReplicaId(replica.0 + 1));
            let scheme = |n| Likeness::new(committee(n), 7, looks);
            conformance::run(scheme, |scheme, replica| scheme.secret(replica), liar);
        }
    }

    /// Bytes of a vote, an attestation and the proof of a quorum; authenticators in a proof; price.
    fn measures<S: Scheme>(scheme: &S, secret: impl Fn(ReplicaId) -> S::Secret) -> ([usize; 4], Price) {
        let claim = Claim { view: 1 };
        let quorum = scheme.committee().members().take(scheme.committee().quorum());
        let votes: BTreeMap<_, _> = quorum.map(|who| (who, scheme.sign(&secret(who), &claim))).collect();
        let attestation = scheme.attest(&secret(ReplicaId(0)), &claim);
        let proof = scheme.combine(&claim, &votes).expect("a quorum");
        let lengths = [encoded_len(&votes[&ReplicaId(0)]), encoded_len(&attestation), encoded_len(&proof)];
        let [vote, attestation, proof_length] = lengths;
        ([vote, attestation, proof_length, scheme.authenticators(&proof)], scheme.price())
    }

    #[test]
    fn it_is_as_long_and_as_dear_as_what_it_looks_like() {
        for n in [4, 7, 31] {
            let like = |looks| {
                let scheme = Likeness::new(committee(n), 7, looks);
                measures(&scheme, |who| scheme.secret(who))
            };
            let list = |who| -> VoteSecret { vote_secret(who) };
            assert_eq!(like(Looks::Ed25519), measures(&Ed25519List::new(committee(n)), list));
            assert_eq!(like(Looks::BlsMulti), measures(&bls_multi::<MinSig>(n), bls_multi_secret));
            assert_eq!(like(Looks::BlsMultiMinPk), measures(&bls_multi::<MinPk>(n), bls_multi_secret));
            let share = |who| threshold_secret(&committee(n), who);
            assert_eq!(like(Looks::BlsThreshold), measures(&bls_threshold::<MinSig>(n), share));
            assert_eq!(like(Looks::BlsThresholdMinPk), measures(&bls_threshold::<MinPk>(n), share));
        }
    }
}
