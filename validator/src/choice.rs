//! The one place that finds a protocol and a scheme by the names in a genesis.
//!
//! Everything above `consensus` is written for any [`Protocol`]. What has to be done for the one that a genesis names is a
//! [`ForProtocol`]: starting a node, checking commit proofs. A new protocol or scheme is one more arm here.

use quorate_consensus::{Protocol, hotstuff::HotStuff, pbft::Pbft};
use quorate_crypto::{
    Counted, Ed25519List, Operations, Scheme, VoteSecret,
    bls::{BlsMulti, BlsSecret, BlsThreshold, MinPk, MinSig, MultiSecret, Share, ThresholdSecret},
};
use quorate_ledger::{Genesis, GenesisError, GenesisVariant, SchemeKind};
use quorate_types::ReplicaId;

/// What the key files of a validator hold to vote with.
#[derive(Clone, Debug)]
pub struct VoteSecrets {
    /// Under every scheme.
    pub vote: VoteSecret,
    /// Under multi-signatures. The scalar is the same whichever group holds the public keys.
    pub bls: Option<BlsSecret<MinSig>>,
    /// Under threshold signatures.
    pub share: Option<Share>,
}

/// A vote scheme whose public material is in a genesis, and whose secrets are in a validator's key files.
pub trait GenesisScheme: Scheme {
    /// The scheme of the genesis' committee.
    fn of(genesis: &Genesis) -> Result<Self, UnusableGenesis>;
    /// What a member signs with, checked against the genesis.
    fn secret(&self, me: ReplicaId, secrets: &VoteSecrets) -> Result<Self::Secret, UnusableKeys>;
    /// What it was asked so far, where it counts.
    fn operations(&self) -> Operations {
        Operations::default()
    }
}

/// A genesis that makes no committee.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the genesis is not usable: {0}")]
pub struct UnusableGenesis(String);

impl From<GenesisError> for UnusableGenesis {
    fn from(error: GenesisError) -> Self {
        Self(error.to_string())
    }
}

/// Why a validator cannot vote with the keys it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusableKeys {
    /// There is no such key file.
    #[error("the genesis asks for {0}, which the validator's home does not have")]
    Missing(&'static str),
    /// The genesis has another key for this member.
    #[error("the BLS key is not the one that the genesis has for {0}")]
    OtherKey(ReplicaId),
    /// The commitments give this member another share.
    #[error("the threshold share does not fit the commitments in the genesis at the place of {0}")]
    OtherShare(ReplicaId),
}

impl GenesisScheme for Ed25519List {
    fn of(genesis: &Genesis) -> Result<Self, UnusableGenesis> {
        let committee = genesis.committee().map_err(GenesisError::from)?;
        Ok(Self::new(committee))
    }

    fn secret(&self, _me: ReplicaId, secrets: &VoteSecrets) -> Result<VoteSecret, UnusableKeys> {
        Ok(secrets.vote.clone())
    }
}

impl<V: GenesisVariant> GenesisScheme for BlsMulti<V> {
    fn of(genesis: &Genesis) -> Result<Self, UnusableGenesis> {
        Ok(genesis.bls_multi()?)
    }

    fn secret(&self, me: ReplicaId, secrets: &VoteSecrets) -> Result<MultiSecret<V>, UnusableKeys> {
        let scalar = secrets.bls.as_ref().ok_or(UnusableKeys::Missing("a BLS key"))?.to_bytes();
        let bls = BlsSecret::from_bytes(&scalar).filter(|bls| self.is_key_of(me, bls));
        Ok(MultiSecret { bls: bls.ok_or(UnusableKeys::OtherKey(me))?, vote: secrets.vote.clone() })
    }
}

impl<V: GenesisVariant> GenesisScheme for BlsThreshold<V> {
    fn of(genesis: &Genesis) -> Result<Self, UnusableGenesis> {
        Ok(genesis.bls_threshold()?)
    }

    fn secret(&self, me: ReplicaId, secrets: &VoteSecrets) -> Result<ThresholdSecret, UnusableKeys> {
        let share = secrets.share.as_ref().ok_or(UnusableKeys::Missing("a threshold share"))?;
        if !self.is_share_of(me, share) {
            return Err(UnusableKeys::OtherShare(me));
        }
        Ok(ThresholdSecret { share: share.clone(), vote: secrets.vote.clone() })
    }
}

/// What every validator runs with.
impl<S: GenesisScheme> GenesisScheme for Counted<S> {
    fn of(genesis: &Genesis) -> Result<Self, UnusableGenesis> {
        S::of(genesis).map(Self::new)
    }

    fn secret(&self, me: ReplicaId, secrets: &VoteSecrets) -> Result<Self::Secret, UnusableKeys> {
        self.scheme().secret(me, secrets)
    }

    fn operations(&self) -> Operations {
        Self::operations(self)
    }
}

/// Something to do for whichever protocol it is.
pub trait ForProtocol {
    /// What comes of it.
    type Out;
    /// Does it for `P`, under `scheme`.
    fn run<P: Protocol<Scheme: GenesisScheme>>(self, scheme: P::Scheme) -> Self::Out;
}

/// Does it for the protocol and scheme that `genesis` names.
pub fn for_protocol_of<F: ForProtocol>(genesis: &Genesis, what: F) -> Result<F::Out, UnusableGenesis> {
    match genesis.scheme {
        SchemeKind::Ed25519 => under::<Ed25519List, F>(genesis, what),
        SchemeKind::BlsMulti => under::<BlsMulti<MinSig>, F>(genesis, what),
        SchemeKind::BlsMultiMinPk => under::<BlsMulti<MinPk>, F>(genesis, what),
        SchemeKind::BlsThreshold => under::<BlsThreshold<MinSig>, F>(genesis, what),
        SchemeKind::BlsThresholdMinPk => under::<BlsThreshold<MinPk>, F>(genesis, what),
    }
}

fn under<S: GenesisScheme, F: ForProtocol>(genesis: &Genesis, what: F) -> Result<F::Out, UnusableGenesis> {
    let scheme = Counted::<S>::of(genesis)?;
    Ok(match genesis.protocol {
        quorate_ledger::Protocol::Hotstuff => what.run::<HotStuff<Counted<S>>>(scheme),
        quorate_ledger::Protocol::Pbft => what.run::<Pbft<Counted<S>>>(scheme),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_crypto::conformance::{bls_multi, bls_secret, bls_threshold, threshold_secret, vote_secret};

    fn secrets(bls: Option<u16>, share: Option<u16>) -> VoteSecrets {
        let scheme = bls_threshold::<MinSig>(4);
        let share = share.map(|index| threshold_secret(scheme.committee(), ReplicaId(index)).share);
        VoteSecrets { vote: vote_secret(ReplicaId(1)), bls: bls.map(|index| bls_secret(ReplicaId(index))), share }
    }

    #[test]
    fn a_share_of_another_place_or_none_is_refused() {
        let (me, scheme) = (ReplicaId(1), bls_threshold::<MinSig>(4));
        assert!(scheme.secret(me, &secrets(None, Some(1))).is_ok());
        assert_eq!(scheme.secret(me, &secrets(None, Some(2))), Err(UnusableKeys::OtherShare(me)));
        assert_eq!(scheme.secret(me, &secrets(Some(1), None)), Err(UnusableKeys::Missing("a threshold share")));
        assert!(bls_threshold::<MinPk>(4).secret(me, &secrets(None, Some(1))).is_ok(), "of either group");
    }

    #[test]
    fn a_bls_key_of_another_member_or_none_is_refused() {
        let (me, scheme) = (ReplicaId(1), bls_multi::<MinSig>(4));
        assert!(scheme.secret(me, &secrets(Some(1), None)).is_ok());
        assert_eq!(scheme.secret(me, &secrets(Some(2), None)), Err(UnusableKeys::OtherKey(me)));
        assert_eq!(scheme.secret(me, &secrets(None, Some(1))), Err(UnusableKeys::Missing("a BLS key")));
        assert!(bls_multi::<MinPk>(4).secret(me, &secrets(Some(1), None)).is_ok(), "of either group");
    }
}
