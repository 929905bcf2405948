//! A state of the model: replicas with their journals and ledgers, and what is in flight.

use super::rounds::{Round, Speech};
use quorate_consensus::{Timer, Verified};
use quorate_types::{Digest, Header, Height, ReplicaId, View};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, OnceLock},
};

/// A set of replicas.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Set(pub u8);

impl Set {
    pub fn of(members: impl IntoIterator<Item = ReplicaId>) -> Self {
        Self(members.into_iter().fold(0, |bits, id| bits | 1 << id.index()))
    }

    pub fn contains(self, id: ReplicaId) -> bool {
        self.0 & 1 << id.index() != 0
    }

    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn members(self) -> impl Iterator<Item = ReplicaId> {
        (0..8).map(ReplicaId).filter(move |id| self.contains(*id))
    }

    /// All subsets, the empty one first.
    pub fn subsets(self) -> impl Iterator<Item = Self> {
        (0..=self.0).map(Self).filter(move |set| set.without(self).is_empty())
    }
}

impl fmt::Debug for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.members().map(|id| id.0)).finish()
    }
}

/// A value that many states have in common: cloned when it is changed, hashed once.
#[derive(Clone, Debug)]
pub struct Shared<T>(Arc<(T, OnceLock<u64>)>);

impl<T: Clone + Hash> Shared<T> {
    pub fn new(value: T) -> Self {
        Self(Arc::new((value, OnceLock::new())))
    }

    pub fn get(&self) -> &T {
        &self.0.0
    }

    pub fn change(&mut self) -> &mut T {
        if Arc::get_mut(&mut self.0).is_none() {
            self.0 = Arc::new((self.0.0.clone(), OnceLock::new()));
        }
        let (value, hash) = Arc::get_mut(&mut self.0).expect("nobody else has it");
        *hash = OnceLock::new();
        value
    }

    fn digest(&self) -> u64 {
        *self.0.1.get_or_init(|| {
            let mut hasher = DefaultHasher::new();
            self.0.0.hash(&mut hasher);
            hasher.finish()
        })
    }
}

impl<T: Clone + Hash + Default> Default for Shared<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: Clone + Hash> Hash for Shared<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.digest().hash(state);
    }
}

impl<T: Clone + Hash + PartialEq> PartialEq for Shared<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || (self.digest() == other.digest() && self.0.0 == other.0.0)
    }
}

/// What must never happen at one replica.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Wrong {
    /// Two different statements in one slot.
    TwoPromises(String),
    /// A signature whose promise is not in the journal.
    NotWritten(String),
    /// The others would not believe its message.
    Rejected(String),
    /// It stopped, although at most `f` replicas are faulty.
    Halted(String),
    /// What it commits does not stand on its ledger, or the proof is bad.
    BadCommit(Digest),
    /// It accuses an honest replica.
    Slander(ReplicaId),
}

type Slots = BTreeMap<(quorate_consensus::Slot, View, Option<Height>), Digest>;

/// A replica and its host.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Node<P: Speech> {
    pub replica: P,
    /// While somebody may still crash.
    pub journal: Option<Vec<P::Record>>,
    /// Committed blocks from height 1.
    pub ledger: Vec<Digest>,
    pub head: Header,
    pub proof: Option<Vec<u8>>,
    /// The timers that end a view, as far as they run.
    pub timers: BTreeSet<Timer>,
    /// All that it ever promised.
    pub promises: Slots,
    pub wrong: Option<Wrong>,
}

/// A message on its way.
#[derive(Clone, Debug)]
pub struct Letter<P: Speech> {
    pub from: ReplicaId,
    pub to: Set,
    pub message: Shared<Verified<P::Message>>,
}

impl<P: Speech> PartialEq for Letter<P> {
    fn eq(&self, other: &Self) -> bool {
        (self.from, self.to) == (other.from, other.to) && self.message == other.message
    }
}

impl<P: Speech> Hash for Letter<P> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.from, self.to, &self.message).hash(state);
    }
}

/// Messages by round; in a round by sender, then in the order in which they were sent, none twice.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Post<P: Speech>(BTreeMap<Round, Vec<Letter<P>>>);

impl<P: Speech> Default for Post<P> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<P: Speech> Post<P> {
    pub fn add(&mut self, round: Round, letter: Letter<P>) {
        let letters = self.0.entry(round).or_default();
        let same = letters.iter_mut().find(|old| old.from == letter.from && old.message == letter.message);
        match same {
            Some(old) => old.to = old.to.union(letter.to),
            None => {
                let place = letters.partition_point(|old| old.from <= letter.from);
                letters.insert(place, letter);
            }
        }
    }

    /// The earliest round with anything in flight.
    pub fn first(&self) -> Option<(Round, &[Letter<P>])> {
        self.0.first_key_value().map(|(round, letters)| (*round, letters.as_slice()))
    }

    pub fn take_first(&mut self) -> Option<(Round, Vec<Letter<P>>)> {
        self.0.pop_first()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Everything addressed to `id`.
    pub fn addressed_to(&self, id: ReplicaId) -> Vec<(Round, Letter<P>)> {
        let all = self.0.iter().flat_map(|(round, letters)| letters.iter().map(move |letter| (*round, letter.clone())));
        all.filter(|(_, letter)| letter.to.contains(id)).collect()
    }
}

/// A state.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct World<P: Speech, N> {
    /// The honest replicas; the liar's place is empty.
    pub nodes: Vec<Option<Shared<Node<P>>>>,
    pub wire: Post<P>,
    /// Whom answers do not reach.
    pub cut_off: Set,
    /// Everything ever sent, while somebody may still crash: the network may bring it again.
    pub archive: Post<P>,
    /// Rounds that may still be disturbed; `None`: any.
    pub disturbances: Option<u8>,
    /// Crashes that may still happen.
    pub crashes: u8,
    /// What the liar knows and has done.
    pub notes: N,
}

impl<P: Speech, N> World<P, N> {
    pub fn honest(&self) -> impl Iterator<Item = (ReplicaId, &Node<P>)> {
        let nodes = (0..).map(ReplicaId).zip(&self.nodes);
        nodes.filter_map(|(id, node)| Some((id, node.as_ref()?.get())))
    }

    pub fn may_be_disturbed(&self) -> bool {
        self.disturbances != Some(0)
    }

    pub fn disturb(&mut self) {
        self.disturbances = self.disturbances.map(|left| left - 1);
    }

    pub fn node(&self, id: ReplicaId) -> Option<&Node<P>> {
        self.nodes[id.index()].as_ref().map(Shared::get)
    }
}
