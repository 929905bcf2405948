//! Certificates that no quorum made.

use crate::{Hands, Spoil};
use quorate_consensus::Protocol;
use quorate_crypto::{Scheme, Statement};
use quorate_types::ReplicaId;

/// What is wrong with a certificate. Nobody's signature in it is stolen: attackers have their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forgery {
    /// The attackers signed it, and nobody else.
    TooFew,
    /// One attacker's signature stands for each of a quorum.
    Duplicate,
    /// Signers who are no members make up a quorum with the attackers.
    Foreign,
}

type Proof<P> = <<P as Protocol>::Scheme as Scheme>::Proof;

impl Forgery {
    /// Who is said to have signed.
    pub(crate) fn signers<P: Protocol>(self, hands: &Hands<P>) -> Vec<ReplicaId> {
        let (size, quorum) = (hands.committee().size(), hands.committee().quorum());
        let members = hands.cabal.members();
        let strangers = (size..).filter_map(|index| u16::try_from(index).ok()).map(ReplicaId);
        match self {
            Self::TooFew => members,
            Self::Duplicate => hands.committee().members().take(quorum).collect(),
            Self::Foreign => members.into_iter().chain(strangers).take(quorum).collect(),
        }
    }

    /// A proof of that kind, if the scheme has anything like it.
    pub(crate) fn proof<P, T>(self, statement: &T, hands: &Hands<P>) -> Option<Proof<P>>
    where
        P: Protocol<Scheme: Spoil>,
        T: Statement,
    {
        let signers = self.signers(hands);
        let sign = |signer: &ReplicaId| match self {
            Self::Duplicate => hands.sign(statement),
            Self::TooFew | Self::Foreign => {
                let own = hands.cabal.sign(&hands.scheme, *signer, statement);
                own.unwrap_or_else(|| hands.sign(statement))
            }
        };
        let signatures = signers.iter().map(sign).collect();
        hands.scheme.proof_of(bitmap(&signers, hands.committee().size()), signatures)
    }
}

/// One bit for each signer, in as many bytes as a committee of that size has, or more if there are strangers beyond them.
fn bitmap(signers: &[ReplicaId], size: usize) -> Vec<u8> {
    let last = signers.iter().map(|signer| signer.index() + 1).max().unwrap_or(0);
    let mut bytes = vec![0u8; size.max(last).div_ceil(8)];
    signers.iter().for_each(|signer| bytes[signer.index() / 8] |= 1 << (signer.index() % 8));
    bytes
}
