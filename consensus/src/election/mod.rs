//! Who leads a view: pure functions of the view and of the chain below the certificate that opened it.
//!
//! A view is opened by the quorum certificate of the view before, or by a timeout certificate, which carries the greatest one
//! that its signers knew. What an election looks at is the certified block, the *tip*, and who proposed the blocks below it in
//! which views. It looks at nothing else: not at what a replica happens to have committed, and not at who signed a certificate.
//! Some schemes' certificates do not tell, and where they do, two certificates of one block have different signers.
//!
//! - [`RoundRobin`](Election::RoundRobin) asks the view only.
//! - [`Stable`](Election::Stable) is PBFT's habit (Castro & Liskov 1999): a leader stays until its view fails, here for
//!   [`STABLE_VIEWS`] views at most.
//! - [`Reputation`](Election::Reputation) gives views to those whose blocks are on the chain: see `reputation`.
//!
//! With the feature `scripted`, for the simulator, there is a fourth: whoever a list names.
//!
//! **Safety never asks who leads.** An honest replica votes once in a view, whoever proposed, and whether it may is a matter
//! of certificates and its lock; two certificates of one view need a replica that voted twice. An election that gives a view
//! two leaders, or none, or a crashed one, or one chosen by the adversary, costs that view and nothing else. So it is
//! enough if replicas *usually* agree: they do when one certificate opened the view for all. Several timeout certificates
//! of one view can carry different certificates; then a proposal is judged by those that it brings itself, and a replica
//! that learns of a higher one before it has proposed goes by that.
//!
//! **Not knowing is an answer.** A replica that does not hold the tip, or not enough of the chain below it, knows no leader: it
//! follows certificates, accepts no proposal and makes none, until what it lacks has come.

#[cfg(feature = "scripted")]
mod listed;
mod proposers;
mod reputation;
mod stable;
#[cfg(test)]
mod tests;

#[cfg(feature = "scripted")]
pub use listed::{LISTED_VIEWS, Leaders};
pub(crate) use proposers::Proposers;
pub use stable::STABLE_VIEWS;

use quorate_crypto::Committee;
use quorate_types::{Header, Height, ReplicaId, View};

/// A rule by which every replica finds the same leader for a view.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Election {
    /// Replica `v mod n` leads view `v`.
    #[default]
    RoundRobin,
    /// Each in turn for [`STABLE_VIEWS`] views; a failed view passes the rest of them on to the next.
    Stable,
    /// Each in turn for a few views, but whoever has failed of late is passed over more and more often.
    Reputation,
    /// Whoever a list names.
    #[cfg(feature = "scripted")]
    Listed(Leaders),
}

/// The chain below the certificate that opened a view.
#[derive(Clone, Debug)]
pub(crate) struct Ancestry {
    /// The certified block's view.
    pub(crate) tip: View,
    /// Who proposed it; nobody proposed genesis.
    pub(crate) proposer: Option<ReplicaId>,
    /// Who proposed what, up to the tip.
    pub(crate) proposers: Proposers,
}

impl Election {
    /// The leader of `view`, if enough is known of the chain below the certificate that opened it.
    pub(crate) fn leader(
        self,
        committee: &Committee,
        view: View,
        ancestry: impl FnOnce() -> Option<Ancestry>,
    ) -> Option<ReplicaId> {
        match self {
            Self::RoundRobin => Some(round_robin(committee, view)),
            Self::Stable => Some(stable::leader(committee, view, &ancestry()?)),
            Self::Reputation => reputation::leader(committee, view, &ancestry()?),
            #[cfg(feature = "scripted")]
            Self::Listed(leaders) => Some(leaders.leader(committee, view)),
        }
    }

    /// Of how many views below its head a replica must know the blocks to take part at once: what hosts give it in
    /// [`Config::recent`](crate::Config::recent).
    pub fn memory(self, committee: &Committee) -> u64 {
        match self {
            Self::RoundRobin | Self::Stable => 0,
            Self::Reputation => reputation::memory(committee),
            #[cfg(feature = "scripted")]
            Self::Listed(_) => 0,
        }
    }
}

impl Ancestry {
    /// Up to `tip`, whose predecessors `proposers` knows.
    pub(crate) fn new(tip: &Header, proposers: Proposers) -> Self {
        let proposer = (tip.height > Height::GENESIS).then_some(tip.proposer);
        Self { tip: tip.view, proposer, proposers }
    }

    /// Views before `view` that brought no certificate, of those from `first` on.
    fn failed_since(&self, first: u64, view: View) -> u64 {
        view.0.saturating_sub(first.max(self.tip.0.saturating_add(1)))
    }

    /// Who made the tip, if that was in a view from `first` on.
    fn incumbent(&self, first: u64) -> Option<ReplicaId> {
        self.proposer.filter(|_| self.tip.0 >= first)
    }
}

/// Replica `v mod n`.
pub(crate) fn round_robin(committee: &Committee, view: View) -> ReplicaId {
    member(committee, view.0)
}

/// The member whose index is `number` modulo the size.
fn member(committee: &Committee, number: u64) -> ReplicaId {
    ReplicaId(u16::try_from(number % size(committee)).expect("below the committee's size"))
}

fn size(committee: &Committee) -> u64 {
    u64::try_from(committee.size()).expect("a committee is small")
}
