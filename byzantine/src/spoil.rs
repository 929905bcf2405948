//! Votes under a member's own name that are no part of any certificate.

use borsh::{BorshDeserialize, BorshSerialize};
use quorate_crypto::{
    Ed25519List, Ed25519Signature, Scheme, Statement, Symbolic, SymbolicSecret, SymbolicSignature, VoteSecret,
    bls::{BlsMulti, BlsThreshold, BlsVote, Variant},
};

/// A scheme whose votes can be spoilt.
pub trait Spoil: Scheme {
    /// A vote for `statement` that passes as far as a bad one can: its author's name holds where a scheme checks names and partials
    /// apart. The partial is one, of something else.
    fn spoil<T: Statement>(&self, secret: &Self::Secret, statement: &T) -> Self::Signature;
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
}

impl<V: Variant> Spoil for BlsThreshold<V> {
    fn spoil<T: Statement>(&self, secret: &Self::Secret, statement: &T) -> BlsVote<V::Signature> {
        BlsVote::new(self, &secret.vote, statement, self.sign(secret, &Nonsense).partial)
    }
}

impl Spoil for Ed25519List {
    fn spoil<T: Statement>(&self, secret: &VoteSecret, _statement: &T) -> Ed25519Signature {
        self.sign(secret, &Nonsense)
    }
}

impl Spoil for Symbolic {
    fn spoil<T: Statement>(&self, secret: &SymbolicSecret, _statement: &T) -> SymbolicSignature {
        self.sign(secret, &Nonsense)
    }
}
