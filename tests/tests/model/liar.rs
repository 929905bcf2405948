//! A replica that lies, with its own key only.

use super::{
    net::SmallNet,
    rounds::{Round, Speech},
    world::{Letter, Set, World},
};
use quorate_types::ReplicaId;
use std::{fmt::Debug, hash::Hash};

/// What the model needs to know of a liar. It hears everything that is said, whoever it is said to.
pub trait Liar<P: Speech>: Debug + Send + Sync + Sized + 'static {
    /// What it remembers and has done.
    type Notes: Clone + Debug + Default + PartialEq + Hash + Send + Sync + 'static;
    /// Something it does unasked.
    type Lie: Clone + Debug + PartialEq + Send + Sync + 'static;

    /// Whose place it has, if there is one.
    fn id(&self) -> Option<ReplicaId>;

    /// Hears an honest message; answers, and to whom.
    fn overhears(
        &self,
        notes: &mut Self::Notes,
        net: &SmallNet<P, Self>,
        from: ReplicaId,
        message: &P::Message,
    ) -> Vec<(Set, P::Message)>;

    /// Which of its letters for one receiver it delivers.
    fn to<'a>(&self, notes: &Self::Notes, to: ReplicaId, letters: Vec<&'a Letter<P>>) -> Vec<&'a Letter<P>>;

    /// In how many ways it can contribute to a collector's round.
    fn versions(&self, notes: &Self::Notes, round: Round) -> usize;

    /// One of them.
    fn version(&self, notes: &Self::Notes, net: &SmallNet<P, Self>, round: Round, version: usize) -> P::Message;

    /// What it could do now.
    fn lies(&self, notes: &Self::Notes, net: &SmallNet<P, Self>, world: &World<P, Self::Notes>) -> Vec<Self::Lie>;

    /// The messages that a lie consists of.
    fn tells(&self, notes: &mut Self::Notes, net: &SmallNet<P, Self>, lie: &Self::Lie) -> Vec<(Set, P::Message)>;

    /// A replica has crashed: it may be told again.
    fn forget(&self, notes: &mut Self::Notes, crashed: ReplicaId);
}

impl<P: Speech, L: Liar<P>> SmallNet<P, L> {
    pub fn lie(&self, world: &mut World<P, L::Notes>, lie: &L::Lie) {
        let Some(liar) = self.liar.id() else { return };
        let mut at_once = [].into();
        for (to, message) in self.liar.tells(&mut world.notes, self, lie) {
            self.post(world, liar, to, message, &mut at_once);
        }
        for (id, event) in at_once {
            self.tell(world, id, event);
        }
    }
}

/// Everybody is honest.
#[derive(Debug)]
pub struct Nobody;

impl<P: Speech> Liar<P> for Nobody {
    type Notes = ();
    type Lie = ();

    fn id(&self) -> Option<ReplicaId> {
        None
    }

    fn overhears(&self, (): &mut (), _: &SmallNet<P, Self>, _: ReplicaId, _: &P::Message) -> Vec<(Set, P::Message)> {
        Vec::new()
    }

    fn to<'a>(&self, (): &(), _: ReplicaId, letters: Vec<&'a Letter<P>>) -> Vec<&'a Letter<P>> {
        letters
    }

    fn versions(&self, (): &(), _: Round) -> usize {
        0
    }

    fn version(&self, (): &(), _: &SmallNet<P, Self>, _: Round, _: usize) -> P::Message {
        unreachable!("nobody says nothing")
    }

    fn lies(&self, (): &(), _: &SmallNet<P, Self>, _: &World<P, ()>) -> Vec<()> {
        Vec::new()
    }

    fn tells(&self, (): &mut (), _: &SmallNet<P, Self>, (): &()) -> Vec<(Set, P::Message)> {
        Vec::new()
    }

    fn forget(&self, (): &mut (), _: ReplicaId) {}
}
