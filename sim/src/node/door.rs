//! What leaves a machine beside its replica's steps, through the hands of an attacker if it is one's.

use super::{Life, Out};
use crate::{Door, SimProtocol};
use quorate_byzantine::Post;
use quorate_consensus::PoolMessage;
use quorate_crypto::Scheme;
use quorate_types::ReplicaId;
use quorate_validator::{
    Wire,
    sync::{SyncReply, SyncRequest},
};

impl<P: SimProtocol> Life<P> {
    fn attacked(&self) -> Option<&dyn Door> {
        self.door.as_deref().filter(|door| door.is_attacking())
    }

    /// Whether an attack is on.
    pub(crate) fn is_attacking(&self) -> bool {
        self.attacked().is_some()
    }

    /// How often an attacker did otherwise than an honest replica.
    pub(crate) fn deeds(&self) -> u64 {
        self.door.as_ref().map_or(0, |door| door.deeds())
    }

    /// The mempool tells one.
    pub(super) fn share(&self, to: ReplicaId, message: PoolMessage, outs: &mut Vec<Out<P>>) {
        match self.attacked() {
            Some(door) => door.share(to, message),
            None => outs.push(Out::Send { to, wire: Wire::Pool(message) }),
        }
    }

    /// The mempool tells all.
    pub(super) fn share_with_all(&self, message: PoolMessage, outs: &mut Vec<Out<P>>) {
        match self.attacked() {
            Some(door) => {
                let others = self.keys.consensus.scheme.committee().others(self.id);
                others.for_each(|to| door.share(to, message.clone()));
            }
            None => outs.push(Out::Broadcast(Wire::Pool(message))),
        }
    }

    /// A peer's message about batches arrives.
    pub(crate) fn overhear(&self, from: ReplicaId, message: &PoolMessage) {
        if let Some(door) = self.attacked() {
            door.overhear(from, message);
        }
    }

    /// What a peer that catches up is answered.
    pub(crate) fn answered_with(&self, to: ReplicaId, request: SyncRequest, reply: SyncReply) -> Option<SyncReply> {
        match self.attacked() {
            Some(door) => door.answer(to, request, reply),
            None => Some(reply),
        }
    }

    /// What an attacker sends of its own.
    pub(crate) fn post(&self, outs: &mut Vec<Out<P>>) {
        let posted = self.door.as_ref().map(|door| door.posted()).unwrap_or_default();
        outs.extend(posted.into_iter().map(|(to, post)| match post {
            Post::Pool(message) => Out::Send { to, wire: Wire::Pool(message) },
            Post::Bytes(bytes) => Out::Bytes { to, bytes },
        }));
    }
}
