//! What an attack is.

use crate::Hands;
use quorate_consensus::{Event, PoolMessage, Protocol, Request};
use quorate_types::ReplicaId;
use quorate_validator::sync::{SyncReply, SyncRequest};
use std::fmt::Debug;

/// A way to misbehave. What an attack does not care about stays honest.
pub trait Attack<P: Protocol>: Debug + Send {
    /// The honest replica tells `to` this. Whatever is to be said instead goes through `hands`. A broadcast comes as one message for
    /// each other member.
    fn tell(&mut self, to: ReplicaId, message: P::Message, hands: &mut Hands<P>) {
        hands.tell(to, message);
    }

    /// Something happens, before the honest replica hears of it.
    fn see(&mut self, _event: &Event<P::Message>, _hands: &mut Hands<P>) {}

    /// The honest replica asks this of its host.
    fn ask(&mut self, request: Request, _hands: &mut Hands<P>) -> Request {
        request
    }

    /// The honest mempool beside it tells `to` this, broadcasts as above.
    fn share(&mut self, to: ReplicaId, message: PoolMessage, hands: &mut Hands<P>) {
        hands.share(to, message);
    }

    /// A peer says something about batches, before the honest mempool hears of it.
    fn overhear(&mut self, _from: ReplicaId, _message: &PoolMessage, _hands: &mut Hands<P>) {}

    /// The honest ledger answers the question of `to`, who catches up. `None`: no answer.
    fn answer(
        &mut self,
        _to: ReplicaId,
        _request: SyncRequest,
        reply: SyncReply,
        _hands: &mut Hands<P>,
    ) -> Option<SyncReply> {
        Some(reply)
    }

    /// The same attack, as it is now.
    fn boxed(&self) -> Box<dyn Attack<P>>;
}
