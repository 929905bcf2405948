//! Votes under a member's own name that are no part of any certificate, and certificates that no quorum made.

use borsh::{BorshDeserialize, BorshSerialize};
use quorate_crypto::{
    Counted, Ed25519List, Ed25519Proof, Ed25519Signature, LikeProof, LikeSignature, Likeness, Scheme, Statement,
    Symbolic, SymbolicProof, SymbolicSecret, SymbolicSignature, VoteSecret,
    bls::{BlsMulti, BlsThreshold, BlsVote, MultiProof, Point, Variant},
};
use quorate_types::{decode, encode};

/// A scheme whose votes can be spoilt.
pub trait Spoil: Scheme {
    /// A vote for `statement` that passes as far as a bad one can: its author's name holds where a scheme checks names and partials
    /// apart. The partial is one, of something else.
    fn spoil<T: Statement>(&self, secret: &Self::Secret, statement: &T) -> Self::Signature;

    /// The proof that has this bitmap of signers and is made of these signatures, whatever they are worth. `None`: no proof of this
    /// scheme has such a form.
    fn proof_of(&self, signers: Vec<u8>, signatures: Vec<Self::Signature>) -> Option<Self::Proof>;
}

/// What the encoding of these parts is the encoding of.
fn made_of<P: BorshDeserialize>(parts: impl BorshSerialize) -> Option<P> {
    decode(&encode(&parts)).ok()
}

/// What nobody votes for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
struct Nonsense;

impl Statement for Nonsense {
    const KIND: &'static str = "byzantine/nonsense";
}

impl<V: Variant> Spoil for BlsMulti<V> {
    fn spoil<T: Statement>(&self, secret: &Self::Secret, statement: &T) -> BlsVote<V::Signature> {
        BlsVote::new(self, &secret.vote, statement, self.sign(secret, &Nonsense).partial)
    }

    /// In place of the sum, the first signature alone.
    fn proof_of(&self, signers: Vec<u8>, signatures: Vec<BlsVote<V::Signature>>) -> Option<MultiProof<V::Signature>> {
        signatures.first().and_then(|first| made_of((signers, first.partial)))
    }
}

impl<V: Variant> Spoil for BlsThreshold<V> {
    fn spoil<T: Statement>(&self, secret: &Self::Secret, statement: &T) -> BlsVote<V::Signature> {
        BlsVote::new(self, &secret.vote, statement, self.sign(secret, &Nonsense).partial)
    }

    /// Names no signers: an attacker's own partial.
    fn proof_of(&self, _signers: Vec<u8>, signatures: Vec<BlsVote<V::Signature>>) -> Option<Point<V::Signature>> {
        signatures.first().map(|first| first.partial)
    }
}

impl Spoil for Ed25519List {
    fn spoil<T: Statement>(&self, secret: &VoteSecret, _statement: &T) -> Ed25519Signature {
        self.sign(secret, &Nonsense)
    }

    fn proof_of(&self, signers: Vec<u8>, signatures: Vec<Ed25519Signature>) -> Option<Ed25519Proof> {
        made_of((signers, signatures))
    }
}

impl Spoil for Symbolic {
    fn spoil<T: Statement>(&self, secret: &SymbolicSecret, _statement: &T) -> SymbolicSignature {
        self.sign(secret, &Nonsense)
    }

    fn proof_of(&self, signers: Vec<u8>, signatures: Vec<SymbolicSignature>) -> Option<SymbolicProof> {
        made_of((signers, signatures))
    }
}

impl Spoil for Likeness {
    fn spoil<T: Statement>(&self, secret: &SymbolicSecret, _statement: &T) -> LikeSignature {
        self.sign(secret, &Nonsense)
    }

    fn proof_of(&self, signers: Vec<u8>, signatures: Vec<LikeSignature>) -> Option<LikeProof> {
        made_of((signers, signatures))
    }
}

impl<S: Spoil> Spoil for Counted<S> {
    fn spoil<T: Statement>(&self, secret: &S::Secret, statement: &T) -> S::Signature {
        self.scheme().spoil(secret, statement)
    }

    fn proof_of(&self, signers: Vec<u8>, signatures: Vec<S::Signature>) -> Option<S::Proof> {
        self.scheme().proof_of(signers, signatures)
    }
}
