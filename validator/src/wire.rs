//! What goes over a link, and the check that everything from a peer passes before anybody acts on it.

use crate::{TransactionChecks, docket::Testimony};
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_consensus::{Kind, PoolMessage, Rejection, Verified, Verify};
use quorate_types::{ReplicaId, View};

/// A message between replicas: of the protocol, about batches, or about faults.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Wire<M> {
    /// Of the protocol.
    Consensus(M),
    /// About batches.
    Pool(PoolMessage),
    /// About somebody's fault.
    Evidence(Testimony),
}

/// What is needed to check a [`Wire`].
#[derive(Debug)]
pub struct WireKeys<K> {
    /// The protocol's keys.
    pub consensus: K,
    /// Clients' signatures.
    pub transactions: TransactionChecks,
}

/// A message that passed the check: signatures of replicas and of clients, shape, chain. Each client signature is checked
/// here, once. Proof of a fault is not: whether it is worth checking only its receiver knows ([`Docket`](crate::Docket)), who does it.
#[derive(Clone, Debug)]
pub struct Checked<M>(pub(crate) Inner<M>);

#[derive(Clone, Debug)]
pub(crate) enum Inner<M> {
    Consensus(Verified<M>),
    Pool(PoolMessage),
    Evidence(Testimony),
}

impl<M: Verify> Checked<M> {
    /// Checks a message that the connection proves to come from `from`. Pure, and costly: signatures.
    pub fn check(wire: Wire<M>, from: ReplicaId, keys: &WireKeys<M::Keys>) -> Result<Self, Rejection> {
        match wire {
            Wire::Consensus(message) => Ok(Self(Inner::Consensus(Verified::check(message, from, &keys.consensus)?))),
            Wire::Pool(PoolMessage::Batch(batch)) => {
                batch.transactions().iter().try_for_each(|transaction| keys.transactions.check(transaction))?;
                Ok(Self(Inner::Pool(PoolMessage::Batch(batch))))
            }
            Wire::Pool(message) => Ok(Self(Inner::Pool(message))),
            Wire::Evidence(testimony) => Ok(Self(Inner::Evidence(testimony))),
        }
    }
}

impl<M> Checked<M> {
    /// What it says about batches, if that is what it is.
    pub fn pool(&self) -> Option<&PoolMessage> {
        match &self.0 {
            Inner::Pool(message) => Some(message),
            Inner::Consensus(_) | Inner::Evidence(_) => None,
        }
    }
}

impl<M: Kind> Kind for Wire<M> {
    fn kind(&self) -> &'static str {
        match self {
            Self::Consensus(message) => message.kind(),
            Self::Pool(PoolMessage::Batch(_)) => "batch",
            Self::Pool(PoolMessage::Offer(_)) => "offer",
            Self::Pool(PoolMessage::Ask(_)) => "ask_batch",
            Self::Evidence(Testimony::Proof(_)) => "evidence",
            Self::Evidence(Testimony::Known(_)) => "evidence_known",
        }
    }

    fn is_large(&self) -> bool {
        match self {
            Self::Consensus(message) => message.is_large(),
            Self::Pool(_) | Self::Evidence(_) => true,
        }
    }

    fn stale_after(&self) -> Option<View> {
        match self {
            Self::Consensus(message) => message.stale_after(),
            Self::Pool(_) | Self::Evidence(_) => None,
        }
    }
}
