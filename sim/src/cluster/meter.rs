//! What a cluster that counts has counted: the account that nodes keep too, and what its replicas' schemes and journals did.
//!
//! Messages are counted where they leave, below the expansion of broadcasts. Every receiver checks for itself: usually one check stands for
//! all, since it gives each the same answer, but here it is what it costs that is asked for.

use super::{Cluster, events::Parcel};
use crate::{SimProtocol, SimScheme, node::SimWire};
use quorate_consensus::Kind;
use quorate_crypto::{Operations, Scheme};
use quorate_types::{Digest, ReplicaId};
use quorate_validator::{Account, Checked, Wire};
use std::{collections::BTreeMap, time::Duration};

/// What is counted, beside what replicas count themselves.
#[derive(Default)]
pub(super) struct Meter {
    account: Account,
    /// When each block was first proposed.
    proposed: BTreeMap<Digest, Duration>,
}

impl<P: SimProtocol> Cluster<P> {
    /// What was sent, if the cluster was built to [`count`](crate::Builder::count) it.
    pub fn account(&self) -> Option<&Account> {
        self.meter.as_ref().map(|meter| &meter.account)
    }

    /// Begins the account of what is sent anew.
    pub fn count_anew(&mut self) {
        if let Some(meter) = &mut self.meter {
            meter.account = Account::default();
        }
    }

    /// When a block was first proposed, if that was counted.
    pub fn proposed_at(&self, block: &Digest) -> Option<Duration> {
        self.meter.as_ref().and_then(|meter| meter.proposed.get(block)).copied()
    }

    /// What all replicas asked of their schemes: under a [`Counted`](quorate_crypto::Counted) one, if it was counted.
    pub fn operations(&self) -> Operations {
        let committee = self.setup.scheme.committee();
        let each = committee.members().map(|who| self.setup.keys_of(who).consensus.scheme.operations());
        each.fold(Operations::default(), |sum, one| sum + one)
    }

    /// How often running replicas made their journals durable.
    pub fn flushes(&self) -> u64 {
        self.nodes.iter().filter_map(|node| node.life.as_ref()).map(crate::node::Life::flushes).sum()
    }

    pub(super) fn count_sent(&mut self, from: ReplicaId, wire: &SimWire<P>, length: usize, now: Duration) {
        let Some(meter) = &mut self.meter else { return };
        meter.account.sent(from, 1, wire, length, &self.setup.keys.consensus);
        if let Wire::Consensus(message) = wire
            && let Some(header) = message.proposes()
        {
            meter.proposed.entry(header.digest()).or_insert(now);
        }
    }

    pub(super) fn count_asked(&mut self, kind: &'static str, length: usize) {
        if let Some(meter) = &mut self.meter {
            meter.account.asked(kind, length);
        }
    }

    pub(super) fn count_committed(&mut self, view: quorate_types::View) {
        if let Some(meter) = &mut self.meter {
            meter.account.committed(view);
        }
    }

    /// The message as its receiver has checked it. `None`: it finds it bad, which whoever sent it did not.
    pub(super) fn checked_by(&self, to: ReplicaId, from: ReplicaId, parcel: &Parcel<P>) -> Option<Checked<P::Message>> {
        if self.meter.is_none() {
            return Some(parcel.checked.clone());
        }
        Checked::check(parcel.wire.clone(), from, self.setup.keys_of(to)).ok()
    }
}
