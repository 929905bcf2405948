//! Naming culprits afterwards, from what replicas with two histories left on their disks (Sheng et al., *BFT Protocol Forensics*,
//! CCS 2021).
//!
//! A running replica names them itself when it meets the other chain. Here nobody need have met it: two ledgers that contradict each
//! other, and the journals beside them, are enough. What a protocol finds is only a suspicion; it counts when
//! [`Evidence::verify`] says so, like any evidence.

use crate::{Evidence, Keys, Protocol};
use quorate_types::Block;
use std::collections::BTreeSet;

/// What a replica left behind.
#[derive(Clone, Debug)]
pub struct Past<R> {
    /// What it committed, of ascending heights, each with its commit proof if the ledger holds one of its own.
    pub committed: Vec<(Block, Option<Vec<u8>>)>,
    /// What its journal holds, oldest first.
    pub records: Vec<R>,
}

/// Everybody that two pasts convict, and of what: one piece for each member and kind. Empty for pasts that do not contradict each
/// other, and for schemes whose certificates do not tell who signed.
pub fn culprits<P: Protocol>(one: &Past<P::Record>, other: &Past<P::Record>, keys: &Keys<P::Scheme>) -> Vec<Evidence> {
    let mut known = BTreeSet::new();
    let suspicions = P::blame(one, other, keys).into_iter().chain(P::blame(other, one, keys));
    let is_new = |evidence: &Evidence| known.insert((evidence.accused, evidence.kind.clone()));
    suspicions.filter(|evidence| evidence.verify::<P>(keys).is_ok()).filter(is_new).collect()
}
