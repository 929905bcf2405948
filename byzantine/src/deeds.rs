//! Whether an attacker did anything that the honest replica in it would not have done: a test that an attack is survived says nothing
//! where none took place.

use crate::{Attack, Hands, Post};
use quorate_consensus::{Action, Event, PoolMessage, Protocol, Request};
use quorate_types::{ReplicaId, encode};
use quorate_validator::sync::{SyncReply, SyncRequest};

/// How much is on its way out.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Outgoing {
    said: usize,
    asked: usize,
    posts: usize,
}

impl<P: Protocol> Hands<P> {
    fn outgoing(&self) -> Outgoing {
        Outgoing { said: self.said.len(), asked: self.asked.len(), posts: self.posts.len() }
    }

    fn note(&mut self, is_deed: bool) {
        self.deeds += u64::from(is_deed);
    }

    /// Honest is to tell this, once, to this one, now.
    pub(crate) fn tell_by(&mut self, attack: &mut dyn Attack<P>, to: ReplicaId, message: P::Message) {
        let (before, honest) = (self.outgoing(), encode(&message));
        attack.tell(to, message, self);
        let last = match self.said.last() {
            Some(Action::Send { to, message }) => Some((*to, encode(message))),
            _ => None,
        };
        let is_alone = self.outgoing() == Outgoing { said: before.said + 1, ..before };
        self.note(!is_alone || last != Some((to, honest)));
    }

    /// Honest is to listen.
    pub(crate) fn see_by(&mut self, attack: &mut dyn Attack<P>, event: &Event<P::Message>) {
        let before = self.outgoing();
        attack.see(event, self);
        self.note(self.outgoing() != before);
    }

    /// Honest is to ask this.
    pub(crate) fn ask_by(&mut self, attack: &mut dyn Attack<P>, request: Request) -> Request {
        let before = self.outgoing();
        let asked = attack.ask(request.clone(), self);
        self.note(asked != request || self.outgoing() != before);
        asked
    }

    /// Honest is to share this, as above.
    pub(crate) fn share_by(&mut self, attack: &mut dyn Attack<P>, to: ReplicaId, message: PoolMessage) {
        let (before, honest) = (self.outgoing(), (to, Post::Pool(message.clone())));
        attack.share(to, message, self);
        let is_alone = self.outgoing() == Outgoing { posts: before.posts + 1, ..before };
        self.note(!is_alone || self.posts.last() != Some(&honest));
    }

    /// Honest is to listen.
    pub(crate) fn overhear_by(&mut self, attack: &mut dyn Attack<P>, from: ReplicaId, message: &PoolMessage) {
        let before = self.outgoing();
        attack.overhear(from, message, self);
        self.note(self.outgoing() != before);
    }

    /// Honest is to answer this.
    pub(crate) fn answer_by(
        &mut self,
        attack: &mut dyn Attack<P>,
        to: ReplicaId,
        request: SyncRequest,
        reply: SyncReply,
    ) -> Option<SyncReply> {
        let (before, honest) = (self.outgoing(), reply.clone());
        let answer = attack.answer(to, request, reply, self);
        self.note(answer.as_ref() != Some(&honest) || self.outgoing() != before);
        answer
    }
}
