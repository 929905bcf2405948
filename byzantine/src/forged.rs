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

#[cfg(test)]
mod tests {
    use super::*;
    use borsh::{BorshDeserialize, BorshSerialize};
    use quorate_crypto::{
        Ed25519List, Symbolic,
        bls::{BlsThreshold, MinPk, MinSig},
        conformance,
    };

    #[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
    struct Said;

    impl Statement for Said {
        const KIND: &'static str = "byzantine/said";
    }

    /// What attackers make of their own signatures has the form of a proof, and is none.
    fn is_refused<S: Spoil>(scheme: &S, secret: impl Fn(ReplicaId) -> S::Secret) {
        let sign = |signer: u16| scheme.sign(&secret(ReplicaId(signer)), &Said);
        for (signers, signatures) in
            [(vec![0], vec![sign(0)]), (vec![0, 1, 2], vec![sign(0); 3]), (vec![0, 4, 5], vec![sign(0); 3])]
        {
            let members: Vec<_> = signers.into_iter().map(ReplicaId).collect();
            let proof = scheme.proof_of(bitmap(&members, 4), signatures).expect("of that form");
            assert!(scheme.verify_proof(&Said, &proof).is_err(), "{} {members:?}", S::NAME);
        }
        let quorum: Vec<_> = [0, 1, 2].map(ReplicaId).into();
        let proof = scheme.proof_of(bitmap(&quorum, 4), [0, 1, 2].map(sign).into()).expect("of that form");
        let is_list = !S::NAME.starts_with("bls");
        assert_eq!(scheme.verify_proof(&Said, &proof).is_ok(), is_list, "{}: a quorum's list is a proof", S::NAME);
    }

    #[test]
    fn no_scheme_takes_a_forged_proof() {
        let committee = conformance::committee(4);
        let symbolic = Symbolic::new(committee.clone(), 1);
        is_refused(&symbolic, |signer| symbolic.secret(signer));
        is_refused(&Ed25519List::new(committee.clone()), conformance::vote_secret);
        is_refused(&conformance::bls_multi::<MinSig>(4), conformance::bls_multi_secret);
        is_refused(&conformance::bls_multi::<MinPk>(4), conformance::bls_multi_secret);
        let share = |signer| conformance::threshold_secret(&committee, signer);
        is_refused::<BlsThreshold<MinSig>>(&conformance::bls_threshold(4), share);
        is_refused::<BlsThreshold<MinPk>>(&conformance::bls_threshold(4), share);
    }
}
