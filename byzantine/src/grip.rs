//! An attacker's grip on a replica and on what leaves its machine.
//!
//! Consensus messages pass through the replica itself ([`Byzantine`](crate::Byzantine)). Batches, answers to whoever catches up, and
//! raw bytes are its host's: a host that runs attackers leads them through the replica's [`Grip`], and sends what [`Grip::posted`]
//! gives it. A grip is also how an attack begins and ends while the replica runs.

use crate::{Attack, Cabal, Hands, Post, Target};
use quorate_consensus::{PoolMessage, Protocol};
use quorate_types::ReplicaId;
use quorate_validator::sync::{SyncReply, SyncRequest};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Shared between a replica and its host.
#[derive(Debug)]
pub struct Grip<P: Protocol>(Arc<Mutex<Mind<P>>>);

/// An attack, when it is on, and what it acts with.
#[derive(Debug)]
pub(crate) struct Mind<P: Protocol> {
    pub(crate) hands: Hands<P>,
    attack: Option<(Box<dyn Attack<P>>, Target)>,
}

impl<P: Protocol> Mind<P> {
    /// The attack that is on now, and the hands that it acts with.
    pub(crate) fn at_work(&mut self) -> Option<(&mut dyn Attack<P>, &mut Hands<P>)> {
        let (attack, target) = self.attack.as_mut()?;
        target.is_on(self.hands.view).then_some((attack.as_mut(), &mut self.hands))
    }
}

impl<P: Protocol> Clone for Grip<P> {
    /// On the same replica.
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<P: Protocol> Grip<P> {
    pub(crate) fn new(hands: Hands<P>) -> Self {
        Self(Arc::new(Mutex::new(Mind { hands, attack: None })))
    }

    pub(crate) fn mind(&self) -> MutexGuard<'_, Mind<P>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A grip of the same kind on another replica.
    pub(crate) fn copied(&self) -> Self {
        let mind = self.mind();
        let attack = mind.attack.as_ref().map(|(attack, target)| (attack.boxed(), target.clone()));
        Self(Arc::new(Mutex::new(Mind { hands: mind.hands.clone(), attack })))
    }

    /// Makes the replica misbehave.
    pub fn corrupt(&self, attack: Box<dyn Attack<P>>, target: Target) {
        self.mind().attack = Some((attack, target));
    }

    /// Makes it honest again. What it held back still goes out.
    pub fn reform(&self) {
        self.mind().attack = None;
    }

    /// The attackers that it works with, and its committee's scheme as another chain has it, where it has the same key.
    pub fn equip(&self, cabal: &Cabal<P::Scheme>, elsewhere: P::Scheme) {
        self.mind().hands.equip(cabal, elsewhere);
    }

    /// Whether an attack is on now.
    pub fn is_attacking(&self) -> bool {
        self.mind().at_work().is_some()
    }

    /// How often it did otherwise than an honest replica.
    pub fn deeds(&self) -> u64 {
        self.mind().hands.deeds
    }

    /// The mempool tells `to` this: what is told instead, if an attack is on, comes from [`Grip::posted`].
    pub fn share(&self, to: ReplicaId, message: PoolMessage) {
        let mut mind = self.mind();
        match mind.at_work() {
            Some((attack, hands)) => hands.share_by(attack, to, message),
            None => mind.hands.share(to, message),
        }
    }

    /// A peer's message about batches arrives.
    pub fn overhear(&self, from: ReplicaId, message: &PoolMessage) {
        if let Some((attack, hands)) = self.mind().at_work() {
            hands.overhear_by(attack, from, message);
        }
    }

    /// What is answered in place of `reply`.
    pub fn answer(&self, to: ReplicaId, request: SyncRequest, reply: SyncReply) -> Option<SyncReply> {
        match self.mind().at_work() {
            Some((attack, hands)) => hands.answer_by(attack, to, request, reply),
            None => Some(reply),
        }
    }

    /// What is to be sent now, besides what the replica's steps say.
    pub fn posted(&self) -> Vec<(ReplicaId, Post)> {
        self.mind().hands.posted()
    }
}
