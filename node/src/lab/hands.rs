//! A validator's replica in an attacker's hands: [`Byzantine`] around the real one, and the door that its host leads the rest through.
//!
//! While no attack is on, it does what the replica in it does. Attackers are processes of their own, each alone with its key: what
//! those who collude in the simulator tell each other, they cannot.

use super::{control::Tools, disk::FaultyDisk};
use crate::runtime::{Around, Door, Shelf, Speaker, class_of, frame};
use bytes::Bytes;
use quorate_byzantine::{Attacks, Byzantine, Cabal, Grip, Post, Target, find};
use quorate_consensus::{Config, PoolMessage, Protocol};
use quorate_crypto::Scheme;
use quorate_ledger::{Disk, FileDisk};
use quorate_network::{Class, Frame, Limits, Shaping};
use quorate_scenario::Attacker;
use quorate_types::{ReplicaId, View, decode};
use quorate_validator::{
    Wire,
    sync::{SyncReply, SyncRequest},
};
use std::sync::{Arc, OnceLock};

/// What a validator that speaks `P` stands on in a lab.
pub(super) struct Bench<P: Protocol> {
    tools: Arc<Tools>,
    /// The same committee on another chain.
    elsewhere: Option<P::Scheme>,
    /// Once there is a replica.
    hold: OnceLock<Hold<P>>,
}

/// The hold that an attacker has on a replica.
#[derive(Clone)]
struct Hold<P: Protocol> {
    grip: Grip<P>,
    others: Vec<ReplicaId>,
}

impl<P: Protocol> Bench<P> {
    pub(super) fn new(tools: Arc<Tools>, elsewhere: Option<P::Scheme>) -> Self {
        Self { tools, elsewhere, hold: OnceLock::new() }
    }
}

impl<P: Attacks> Around<P> for Bench<P> {
    fn replica(&self, config: Config<P::Scheme>, records: Vec<P::Record>) -> Speaker<P> {
        let others = config.scheme.committee().others(config.id).collect();
        let replica = Byzantine::<P>::recover(config, records);
        let grip = replica.grip();
        if let Some(elsewhere) = &self.elsewhere {
            grip.equip(&Cabal::default(), elsewhere.clone());
        }
        // A bench is of one validator, which has one replica.
        let _first = self.hold.set(Hold { grip, others });
        Box::new(replica)
    }

    fn disk(&self, shelf: Shelf, files: FileDisk) -> Box<dyn Disk> {
        Box::new(FaultyDisk::new(files, self.tools.switch(shelf).clone()))
    }

    fn clock(&self) -> u64 {
        self.tools.clock()
    }

    fn shaping(&self) -> Option<Shaping> {
        Some(self.tools.shaping().clone())
    }

    fn door(&self) -> Option<Arc<dyn Door>> {
        self.hold.get().map(|hold| Arc::new(hold.clone()) as Arc<dyn Door>)
    }
}

impl<P: Protocol> Door for Hold<P> {
    fn pass(&self, to: Option<ReplicaId>, message: PoolMessage) -> Option<PoolMessage> {
        if !self.grip.is_attacking() {
            return Some(message);
        }
        match to {
            Some(to) => self.grip.share(to, message),
            None => self.others.iter().for_each(|to| self.grip.share(*to, message.clone())),
        }
        None
    }

    fn overhear(&self, from: ReplicaId, message: &PoolMessage) {
        self.grip.overhear(from, message);
    }

    fn answer(&self, to: ReplicaId, request: SyncRequest, reply: SyncReply) -> Option<SyncReply> {
        self.grip.answer(to, request, reply)
    }

    fn posted(&self) -> Vec<(ReplicaId, Frame)> {
        let frames = self.grip.posted().into_iter().map(|(to, post)| match post {
            Post::Pool(message) => (to, frame(&Wire::<P::Message>::Pool(message))),
            Post::Bytes(bytes) => (to, anything::<P>(bytes)),
        });
        frames.collect()
    }
}

/// Bytes on the stream where they do most: that of the message that they are, and the first that they fit on if they are none.
fn anything<P: Protocol>(bytes: Vec<u8>) -> Frame {
    let class = match decode::<Wire<P::Message>>(&bytes) {
        Ok(wire) => class_of(&wire),
        Err(_) if bytes.len() <= Limits::default().class(Class::Vote).frame => Class::Vote,
        Err(_) => Class::Batch,
    };
    Frame { class, kind: "anything", stale_after: None, bytes: Bytes::from(bytes) }
}

/// An attacker's hands, whatever protocol they act in.
pub(super) trait Hands: Send + Sync {
    /// The names of the attacks that it knows.
    fn known(&self) -> Vec<&'static str>;
    /// Begins an attack that they know.
    fn begin(&self, attacker: &Attacker);
    /// Honest from now on.
    fn end(&self);
    /// Whether an attack is on now.
    fn are_attacking(&self) -> bool;
    /// How often they did otherwise than an honest replica.
    fn deeds(&self) -> u64;
}

impl<P: Attacks> Hands for Bench<P> {
    fn known(&self) -> Vec<&'static str> {
        P::attacks().into_iter().map(|known| known.name).collect()
    }

    fn begin(&self, attacker: &Attacker) {
        let (Some(hold), Some(known)) = (self.hold.get(), find::<P>(&attacker.attack)) else { return };
        let target = Target {
            from: View(attacker.from_view),
            until: attacker.until_view.map(View),
            against: attacker.against.clone(),
        };
        // Chance that can be repeated, and that differs from attacker to attacker.
        let attack = (known.make)(&target, u64::from(attacker.replica.0).rotate_left(32));
        hold.grip.corrupt(attack, target);
    }

    fn end(&self) {
        if let Some(hold) = self.hold.get() {
            hold.grip.reform();
        }
    }

    fn are_attacking(&self) -> bool {
        self.hold.get().is_some_and(|hold| hold.grip.is_attacking())
    }

    fn deeds(&self) -> u64 {
        self.hold.get().map_or(0, |hold| hold.grip.deeds())
    }
}
