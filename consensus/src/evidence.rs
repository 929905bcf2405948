//! Proof of misbehaviour that anybody can check who has the genesis.
//!
//! The usual form is two different statements for one slot, view and height, each with what its sender put under it: no honest
//! replica signs the second ([`SafetyRules`](crate::SafetyRules)). A vote that is certainly its sender's and yet is no part of any
//! certificate is another: its kind is the statement's with [`BAD_SIGNATURE`] behind it, and there is no second exhibit. What else a
//! protocol calls evidence it says by a kind of its own.
//! A quorum's proof never stands for one member's signature unless it tells who signed.

use crate::{Action, Keys, Promised, Protocol, Rejection, Step};
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_crypto::Scheme;
use quorate_types::{BoundedVec, Height, ReplicaId, View, decode, encode};
use std::collections::BTreeMap;

/// Bytes of one exhibit: two certificates of the largest committee and a block.
pub const EXHIBIT_BYTES: usize = 256 * 1024;

/// Bytes of one replica's signature, under any scheme.
const SIGNATURE_BYTES: usize = 1024;

/// Ends the kinds of evidence that votes give whose BLS half does not verify.
pub(crate) const BAD_SIGNATURE: &str = "/bad-signature";

/// Something a replica did that no honest replica does, in two exhibits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Evidence {
    /// Who did it.
    pub accused: ReplicaId,
    /// What: for two statements of one slot, the statements' kind. The protocol knows how to read the exhibits of each kind.
    pub kind: String,
    /// In which view.
    pub view: View,
    /// At which height, where a view has a slot for each.
    pub height: Option<Height>,
    /// What came first.
    pub first: Exhibit,
    /// What does not go with it.
    pub second: Exhibit,
}

/// A statement, or whatever a kind of evidence needs, in the canonical encoding.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Exhibit {
    /// What is shown.
    pub content: BoundedVec<u8, EXHIBIT_BYTES>,
    /// Why it is the accused's.
    pub proof: Proof,
}

/// What makes an exhibit the accused's.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub enum Proof {
    /// Its signature as for a vote.
    Vote(BoundedVec<u8, SIGNATURE_BYTES>),
    /// Its signature on a statement that stands alone.
    Attestation(BoundedVec<u8, SIGNATURE_BYTES>),
    /// The content carries what proves it.
    Enclosed,
}

/// A statement and the exhibit that it makes.
pub(crate) struct Said<T> {
    statement: T,
    exhibit: Exhibit,
}

impl<T: Promised> Said<T> {
    pub(crate) fn voted<S: Scheme>(statement: T, signature: &S::Signature) -> Self {
        let exhibit = Exhibit { content: bytes(&statement), proof: Proof::Vote(bytes(signature)) };
        Self { statement, exhibit }
    }

    pub(crate) fn attested<S: Scheme>(statement: T, attestation: &S::Attestation) -> Self {
        let exhibit = Exhibit { content: bytes(&statement), proof: Proof::Attestation(bytes(attestation)) };
        Self { statement, exhibit }
    }

    pub(crate) fn into_exhibit(self) -> Exhibit {
        self.exhibit
    }
}

fn bytes<const MAX: usize>(value: &impl BorshSerialize) -> BoundedVec<u8, MAX> {
    BoundedVec::new(encode(value)).expect("statements, signatures and certificates are far smaller")
}

impl Exhibit {
    pub(crate) fn enclosed(content: &impl BorshSerialize) -> Self {
        Self { content: bytes(content), proof: Proof::Enclosed }
    }

    /// The statement, if `signer` signed it.
    pub(crate) fn signed<T: Promised, S: Scheme>(&self, signer: ReplicaId, keys: &Keys<S>) -> Result<T, Rejection> {
        let statement = decode(&self.content)?;
        match &self.proof {
            // Who said it is all that matters: a vote that could not be combined was still cast.
            Proof::Vote(signature) => keys.scheme.admit(signer, &statement, &decode(signature)?)?,
            Proof::Attestation(attestation) => {
                keys.scheme.verify_attestation(signer, &statement, &decode(attestation)?)?;
            }
            Proof::Enclosed => return Err(Rejection::Malformed("a statement without its sender's signature")),
        }
        Ok(statement)
    }

    /// Content that proves itself.
    pub(crate) fn open<T: BorshDeserialize>(&self) -> Result<T, Rejection> {
        if self.proof != Proof::Enclosed {
            return Err(Rejection::Malformed("a signature where none belongs"));
        }
        Ok(decode(&self.content)?)
    }
}

impl Evidence {
    /// Two statements of `accused` for one slot.
    pub(crate) fn contradiction<T: Promised>(accused: ReplicaId, first: Said<T>, second: Said<T>) -> Self {
        let (view, height) = (second.statement.view(), second.statement.height());
        Self { accused, kind: T::KIND.to_owned(), view, height, first: first.exhibit, second: second.exhibit }
    }

    /// A vote that its voter signed with its name, and not with its key or share.
    pub(crate) fn bad_signature<T: Promised, S: Scheme>(accused: ReplicaId, vote: T, signature: &S::Signature) -> Self {
        let (view, height, kind) = (vote.view(), vote.height(), [T::KIND, BAD_SIGNATURE].concat());
        let first = Said::voted::<S>(vote, signature).into_exhibit();
        Self { accused, kind, view, height, first, second: Exhibit::enclosed(&()) }
    }

    /// Checks that the vote is the accused's, and bad under the key or share that the genesis gives it.
    pub(crate) fn verify_bad_signature<T: Promised, S: Scheme>(&self, keys: &Keys<S>) -> Result<(), Rejection> {
        let vote: T = self.first.signed(self.accused, keys)?;
        let Proof::Vote(signature) = &self.first.proof else {
            return Err(Rejection::Malformed("bad signature: what is shown is no vote"));
        };
        self.second.open::<()>()?;
        if (vote.view(), vote.height()) != (self.view, self.height) {
            return Err(Rejection::Malformed("bad signature: the evidence names another view or height"));
        }
        match keys.scheme.verify(self.accused, &vote, &decode(signature)?) {
            Ok(()) => Err(Rejection::Malformed("bad signature: it is good")),
            Err(_) => Ok(()),
        }
    }

    /// Checks it against the committee that started from the genesis of `keys`.
    pub fn verify<P: Protocol>(&self, keys: &Keys<P::Scheme>) -> Result<(), Rejection> {
        P::verify_evidence(self, keys)
    }

    /// Checks that both exhibits are the accused's, of one slot, and not the same.
    pub(crate) fn verify_contradiction<T: Promised, S: Scheme>(&self, keys: &Keys<S>) -> Result<(), Rejection> {
        let first: T = self.first.signed(self.accused, keys)?;
        let second: T = self.second.signed(self.accused, keys)?;
        let slot = |statement: &T| (statement.view(), statement.height());
        if [slot(&first), slot(&second)].iter().any(|slot| *slot != (self.view, self.height)) {
            return Err(Rejection::Malformed("statements that are not of the view and height that the evidence names"));
        }
        if first == second {
            return Err(Rejection::Malformed("the same statement twice"));
        }
        Ok(())
    }
}

/// Who was accused of what, so that a replica that goes on contradicting itself fills neither logs nor disks: one accusation for
/// each member, kind and view. Views only grow, so the latest of each is all that need be known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Accusations(BTreeMap<(ReplicaId, String), View>);

impl Accusations {
    /// Takes accusations that say nothing new out of a step.
    pub(crate) fn keep_news<M, R>(&mut self, step: &mut Step<M, R>) {
        step.retain_actions(|action| match action {
            Action::Accuse(evidence) => self.is_news(evidence),
            Action::Send { .. } | Action::Broadcast(_) | Action::Commit { .. } | Action::Halt(_) => true,
        });
    }

    fn is_news(&mut self, evidence: &Evidence) -> bool {
        let key = (evidence.accused, evidence.kind.clone());
        if self.0.get(&key).is_some_and(|latest| *latest >= evidence.view) {
            return false;
        }
        self.0.insert(key, evidence.view);
        true
    }
}

#[cfg(test)]
mod bad_votes;
#[cfg(test)]
mod tests;
