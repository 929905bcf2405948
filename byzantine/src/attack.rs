//! What an attack is.

use crate::Hands;
use quorate_consensus::{Event, Protocol, Request};
use quorate_types::{ReplicaId, View};
use std::{collections::BTreeSet, fmt::Debug};

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

    /// The same attack, as it is now.
    fn boxed(&self) -> Box<dyn Attack<P>>;
}

/// When and against whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Before this view the replica is honest.
    pub from: View,
    /// Who suffers, where an attack can choose; nobody: whom each attack says.
    pub against: BTreeSet<ReplicaId>,
}

impl Default for Target {
    /// Always.
    fn default() -> Self {
        Self { from: View::GENESIS, against: BTreeSet::new() }
    }
}

impl Target {
    /// From this view on.
    pub fn from_view(view: u64) -> Self {
        Self { from: View(view), ..Self::default() }
    }

    /// These members alone.
    #[must_use]
    pub fn against(mut self, members: impl IntoIterator<Item = u16>) -> Self {
        self.against = members.into_iter().map(ReplicaId).collect();
        self
    }

    /// Whether `member` is one of those named, or everybody is.
    pub fn hits(&self, member: ReplicaId) -> bool {
        self.against.is_empty() || self.against.contains(&member)
    }
}
