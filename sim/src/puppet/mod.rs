//! A replica whose process is replaced by a test: it holds its real key and no rules. What it signs of each protocol stands in
//! `hotstuff` and `pbft`.

mod hotstuff;
mod pbft;

use crate::{SimProtocol, SimScheme, node::SimWire};
use quorate_consensus::{PoolMessage, hotstuff::HotStuff};
use quorate_crypto::{Committee, Scheme, Symbolic};
use quorate_types::{ReplicaId, View};
use quorate_validator::{
    Wire,
    sync::{SyncReply, SyncRequest, Ticket},
};
use std::time::Duration;

/// Something that happens to a puppet.
pub enum Cue<P: SimProtocol = HotStuff<Symbolic>> {
    /// The cluster starts.
    Started,
    /// A message arrived.
    Received {
        /// Whose.
        from: ReplicaId,
        /// What.
        wire: SimWire<P>,
    },
    /// A timer set with [`Hands::set_timer`].
    Timer(u64),
    /// A replica asks for committed blocks; answer with [`Hands::answer`], or not.
    Asked {
        /// Who.
        from: ReplicaId,
        /// For what.
        request: SyncRequest,
        /// Goes into the answer.
        ticket: SyncTicket,
    },
}

/// Names one question of block sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncTicket {
    pub(crate) life: u32,
    pub(crate) ticket: Ticket,
    /// When it was asked.
    pub(crate) asked: Duration,
}

/// What a puppet does with what it is told. Closures are puppets.
pub trait Puppet<P: SimProtocol = HotStuff<Symbolic>>: 'static {
    /// Acts on a cue.
    fn act(&mut self, hands: &mut Hands<P>, cue: Cue<P>);
}

impl<P: SimProtocol, F: FnMut(&mut Hands<P>, Cue<P>) + 'static> Puppet<P> for F {
    fn act(&mut self, hands: &mut Hands<P>, cue: Cue<P>) {
        self(hands, cue);
    }
}

/// What a puppet acts with: its key, its links, timers.
pub struct Hands<P: SimProtocol = HotStuff<Symbolic>> {
    /// Whose place it has.
    pub me: ReplicaId,
    /// Virtual time.
    pub now: Duration,
    /// The committee's scheme, to sign and to make certificates with.
    pub scheme: P::Scheme,
    /// Its own key.
    pub secret: <P::Scheme as Scheme>::Secret,
    pub(crate) sends: Vec<(ReplicaId, SimWire<P>)>,
    pub(crate) timers: Vec<(Duration, u64)>,
    pub(crate) answers: Vec<(ReplicaId, SyncTicket, SyncReply)>,
}

impl<P: SimProtocol> Hands<P> {
    pub(crate) fn new(me: ReplicaId, now: Duration, scheme: P::Scheme) -> Self {
        let secret = scheme.secret_of(me);
        Self { me, now, scheme, secret, sends: Vec::new(), timers: Vec::new(), answers: Vec::new() }
    }

    /// The committee.
    pub fn committee(&self) -> &Committee {
        self.scheme.committee()
    }

    /// Who leads a view.
    pub fn leader(&self, view: View) -> ReplicaId {
        let members: Vec<_> = self.committee().members().collect();
        let size = u64::try_from(members.len()).expect("a committee is small");
        members[usize::try_from(view.0 % size).expect("below the size")]
    }

    /// Tells one replica.
    pub fn send(&mut self, to: ReplicaId, message: P::Message) {
        self.sends.push((to, Wire::Consensus(message)));
    }

    /// Tells one replica something about batches.
    pub fn send_pool(&mut self, to: ReplicaId, message: PoolMessage) {
        self.sends.push((to, Wire::Pool(message)));
    }

    /// Tells all others.
    pub fn broadcast(&mut self, message: &P::Message) {
        let others: Vec<_> = self.committee().others(self.me).collect();
        others.into_iter().for_each(|to| self.send(to, message.clone()));
    }

    /// Asks for [`Cue::Timer`] with this token.
    pub fn set_timer(&mut self, after: Duration, token: u64) {
        self.timers.push((after, token));
    }

    /// Answers a question of block sync.
    pub fn answer(&mut self, to: ReplicaId, ticket: SyncTicket, reply: SyncReply) {
        self.answers.push((to, ticket, reply));
    }
}
