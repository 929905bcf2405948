//! A liar for PBFT: says to everybody what they would like to hear.
//!
//! - It votes for whatever anybody votes for, PREPARE and COMMIT, in every view, and each receiver hears the vote that helps
//!   it on.
//! - Its VIEW-CHANGE tells nothing, or any prepared certificate that can be made from what was ever said.
//! - As a primary it proposes two different blocks, and begins its view with as many different NEW-VIEWs as there are tips that
//!   follow from some quorum of VIEW-CHANGEs, and a forged one that keeps a tip back; it chooses for each replica, and again for
//!   one that has crashed.
//!
//! It signs with its own key only: every certificate is made of signatures that were given.

use super::{
    liar::Liar,
    net::{SmallNet, batch, child},
    rounds::{Phase, Round, leader},
    world::{Letter, Set, Shared, World},
};
use quorate_consensus::Replica as _;
use quorate_consensus::pbft::{
    Ballot, Commit, Message, NewView, Pbft, PrePrepare, PrePrepareStatement, Prepare, PreparedCertificate,
    StableCheckpoint, ViewChange, ViewChangeStatement, Vote,
};
use quorate_crypto::{Certificate, Scheme, Symbolic, SymbolicSignature};
use quorate_types::{Block, BoundedVec, Digest, ReplicaId, View};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

type S = Symbolic;
type Replica = Pbft<S>;
type Net = SmallNet<Replica, TwoFaced>;

/// Whose place it has.
#[derive(Clone, Copy, Debug)]
pub struct TwoFaced(pub ReplicaId);

/// What it has heard and said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Memory {
    prepares: BTreeMap<Ballot, BTreeMap<ReplicaId, SymbolicSignature>>,
    changes: BTreeMap<View, BTreeMap<ReplicaId, ViewChange<S>>>,
    voted: BTreeSet<(Phase, Ballot)>,
    /// The last view of its own that it began for each.
    begun: BTreeMap<ReplicaId, View>,
}

/// How it begins a view: for each replica which NEW-VIEW, and which of its two blocks.
#[derive(Clone, PartialEq)]
pub struct Beginning {
    view: View,
    ways: Vec<Way>,
    told: Vec<(ReplicaId, usize, bool)>,
}

/// A NEW-VIEW that it could send.
#[derive(Clone, Debug, PartialEq)]
struct Way {
    changes: Vec<ViewChange<S>>,
    /// What follows from the VIEW-CHANGEs.
    tip: Option<Ballot>,
    /// It says that nothing follows.
    is_forged: bool,
}

impl fmt::Debug for Beginning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the liar begins view {}:", self.view.0)?;
        for (id, which, other) in &self.told {
            let block = if *other { "another block" } else { "one block" };
            match self.ways.get(*which) {
                Some(Way { tip: Some(tip), is_forged, .. }) => {
                    let how = if *is_forged { "hiding" } else { "from" };
                    write!(f, " to {} {how} view {} height {}, {block};", id.0, tip.view.0, tip.height.0)?;
                }
                Some(_) => write!(f, " to {} from nothing, {block};", id.0)?,
                None => write!(f, " to {} {block};", id.0)?,
            }
        }
        Ok(())
    }
}

fn tip_of(changes: &[ViewChange<S>]) -> Option<Ballot> {
    let prepared = changes.iter().filter_map(|change| change.prepared.as_ref());
    prepared.map(|prepared| prepared.statement.0).max_by_key(|ballot| (ballot.view, ballot.height))
}

impl TwoFaced {
    fn sign<T: quorate_crypto::Statement>(self, net: &Net, statement: &T) -> SymbolicSignature {
        net.keys.scheme.sign(&net.keys.scheme.secret(self.0), statement)
    }

    fn leads(self, view: View) -> bool {
        leader(view, 4) == self.0
    }

    /// A vote of its own for what somebody else votes for; of a view that it leads its PRE-PREPARE is its PREPARE.
    fn second(self, notes: &mut Memory, net: &Net, phase: Phase, ballot: Ballot) -> Vec<(Set, Message<S>)> {
        let is_said = phase == Phase::Prepare && self.leads(ballot.view);
        if is_said || !notes.voted.insert((phase, ballot)) {
            return Vec::new();
        }
        let voter = self.0;
        let message = if phase == Phase::Prepare {
            let statement = Prepare(ballot);
            Message::Prepare(Vote { statement, voter, signature: self.sign(net, &statement) })
        } else {
            let statement = Commit(ballot);
            Message::Commit(Vote { statement, voter, signature: self.sign(net, &statement) })
        };
        vec![(Set::of(net.keys.committee().others(voter)), message)]
    }

    fn heard_prepare(
        self,
        notes: &mut Memory,
        net: &Net,
        ballot: Ballot,
        voter: ReplicaId,
        signature: &SymbolicSignature,
    ) -> Vec<(Set, Message<S>)> {
        if voter != self.0 {
            notes.prepares.entry(ballot).or_default().insert(voter, signature.clone());
        }
        self.second(notes, net, Phase::Prepare, ballot)
    }

    /// What a quorum has prepared in views below `view`, itself included.
    fn provable(self, notes: &Memory, view: View) -> Vec<Ballot> {
        let ballots = notes.prepares.iter().filter(|(ballot, said)| ballot.view < view && said.len() >= 2);
        ballots.map(|(ballot, _)| *ballot).collect()
    }

    fn certificate(self, notes: &Memory, net: &Net, ballot: Ballot) -> PreparedCertificate<S> {
        let statement = Prepare(ballot);
        let mut said = notes.prepares[&ballot].clone();
        said.insert(self.0, self.sign(net, &statement));
        let proof = net.keys.scheme.combine(&statement, &said).expect("a quorum with itself");
        Certificate { statement, proof }
    }

    fn change(self, notes: &Memory, net: &Net, view: View, version: usize) -> ViewChange<S> {
        let checkpoint = StableCheckpoint::genesis(&net.keys.genesis);
        let told = version.checked_sub(1).map(|index| self.provable(notes, view)[index]);
        let statement = ViewChangeStatement { view, checkpoint: checkpoint.checkpoint, prepared: told };
        let prepared = told.map(|ballot| self.certificate(notes, net, ballot));
        ViewChange { view, checkpoint, prepared, replica: self.0, attestation: self.sign(net, &statement) }
    }

    /// For each tip that follows from some quorum, such a quorum; and a quorum from which one follows that is kept back.
    fn ways(self, notes: &Memory, net: &Net, view: View) -> Vec<Way> {
        let honest = notes.changes.get(&view).cloned().unwrap_or_default();
        let versions = 0..=self.provable(notes, view).len();
        let mut own: Vec<_> = versions.map(|version| Some(self.change(notes, net, view, version))).collect();
        own.push(None);
        let mut ways: Vec<Way> = Vec::new();
        for set in Set::of(honest.keys().copied()).subsets() {
            for own in &own {
                let mut changes: Vec<_> = set.members().map(|id| honest[&id].clone()).chain(own.clone()).collect();
                changes.sort_by_key(|change| change.replica);
                let tip = tip_of(&changes);
                let is_new = ways.iter().all(|known| known.tip != tip);
                if changes.len() >= net.keys.committee().quorum() && is_new {
                    ways.push(Way { changes, tip, is_forged: false });
                }
            }
        }
        let forged = ways.iter().find(|way| way.tip.is_some()).map(|way| Way { is_forged: true, ..way.clone() });
        ways.extend(forged);
        ways
    }

    fn propose(self, net: &Net, view: View, block: Block) -> PrePrepare<S> {
        let ballot = Ballot::of(view, &block.header);
        let attestation = self.sign(net, &PrePrepareStatement(ballot));
        PrePrepare { view, block, attestation, prepare: self.sign(net, &Prepare(ballot)) }
    }

    fn begin(self, net: &Net, view: View, way: &Way) -> NewView<S> {
        let tip = way.tip.filter(|_| !way.is_forged);
        let statement = NewView::<S>::statement_of(view, &way.changes, tip.map(|tip| tip.block));
        let tip = tip.map(|tip| self.propose(net, view, net.block(&tip.block)));
        let view_changes = BoundedVec::new(way.changes.clone()).expect("four at most");
        NewView { view, view_changes, tip, attestation: self.sign(net, &statement) }
    }

    /// A block on `parent`, one of two, below the last height.
    fn next(self, net: &Net, view: View, parent: &Digest, is_other: bool) -> Option<Message<S>> {
        let parent = net.header(parent);
        let is_open = parent.height.0 < net.bounds.heights.into();
        let name = u8::try_from(parent.height.0 + 1).expect("low") + if is_other { 100 } else { 0 };
        let block = child(&parent, view, self.0, vec![batch(name)]);
        net.file(block.clone());
        is_open.then(|| Message::PrePrepare(Box::new(self.propose(net, view, block))))
    }

    /// The view that it could begin now, and for whom.
    fn beginnable(self, notes: &Memory, world: &World<Replica, Shared<Memory>>) -> Option<(View, Vec<ReplicaId>)> {
        let last = notes.changes.iter().filter(|(_, said)| said.len() >= 2).map(|(view, _)| *view).next_back();
        let view = last.unwrap_or(View(1));
        let is_open = |id: &ReplicaId| notes.begun.get(id).is_none_or(|begun| *begun < view);
        let behind = world.honest().filter(|(_, node)| node.replica.view() <= view).map(|(id, _)| id);
        let to: Vec<_> = behind.filter(is_open).collect();
        (self.leads(view) && !to.is_empty()).then_some((view, to))
    }
}

impl Liar<Replica> for TwoFaced {
    type Notes = Shared<Memory>;
    type Lie = Beginning;

    fn id(&self) -> Option<ReplicaId> {
        Some(self.0)
    }

    fn overhears(
        &self,
        notes: &mut Shared<Memory>,
        net: &Net,
        from: ReplicaId,
        message: &Message<S>,
    ) -> Vec<(Set, Message<S>)> {
        let notes = notes.change();
        let proposed = |notes: &mut Memory, said: &PrePrepare<S>| {
            self.heard_prepare(notes, net, said.ballot(), leader(said.view, 4), &said.prepare)
        };
        match message {
            Message::PrePrepare(said) => proposed(notes, said),
            Message::NewView(said) => said.tip.iter().flat_map(|tip| proposed(notes, tip)).collect(),
            Message::Prepare(vote) => self.heard_prepare(notes, net, vote.statement.0, vote.voter, &vote.signature),
            Message::Commit(vote) => self.second(notes, net, Phase::Commit, vote.statement.0),
            Message::ViewChange(change) => {
                notes.changes.entry(change.view).or_default().insert(from, (**change).clone());
                let others = Set::of(net.keys.committee().others(leader(change.view, 4)));
                vec![(others, Message::ViewChange(Box::new(self.change(notes, net, change.view, 0))))]
            }
            Message::AskBlock(wanted) => {
                let blocks = BoundedVec::new(net.find(wanted).into_iter().collect()).expect("one at most");
                vec![(Set::of([from]), Message::Blocks { wanted: *wanted, blocks })]
            }
            _ => Vec::new(),
        }
    }

    /// Of its votes in a round, the one for what the receiver votes for.
    fn to<'a>(
        &self,
        notes: &Shared<Memory>,
        to: ReplicaId,
        letters: Vec<&'a Letter<Replica>>,
    ) -> Vec<&'a Letter<Replica>> {
        let ballot = |letter: &Letter<Replica>| match letter.message.get().clone().into_inner() {
            Message::Prepare(vote) => Some(vote.statement.0),
            Message::Commit(vote) => Some(vote.statement.0),
            _ => None,
        };
        if letters.len() < 2 || ballot(letters[0]).is_none() {
            return letters;
        }
        let is_own = |ballot: &Ballot| notes.get().prepares.get(ballot).is_some_and(|said| said.contains_key(&to));
        let own = letters.iter().find(|letter| ballot(letter).is_some_and(|ballot| is_own(&ballot)));
        vec![own.unwrap_or(&letters[0])]
    }

    fn versions(&self, notes: &Shared<Memory>, round: Round) -> usize {
        1 + self.provable(notes.get(), round.view).len()
    }

    fn version(&self, notes: &Shared<Memory>, net: &Net, round: Round, version: usize) -> Message<S> {
        Message::ViewChange(Box::new(self.change(notes.get(), net, round.view, version)))
    }

    fn lies(&self, notes: &Shared<Memory>, net: &Net, world: &World<Replica, Shared<Memory>>) -> Vec<Beginning> {
        let Some((view, to)) = self.beginnable(notes.get(), world) else { return Vec::new() };
        let ways = self.ways(notes.get(), net, view);
        let last = net.bounds.heights.into();
        let is_last = |which: usize| {
            let way = ways.get(which).filter(|way| !way.is_forged);
            way.and_then(|way| way.tip).is_some_and(|tip| tip.height.0 >= last)
        };
        let is_beginning = notes.get().begun.values().all(|begun| *begun < view);
        let mut lies = vec![Beginning { view, ways: ways.clone(), told: Vec::new() }];
        for id in to {
            let more = |lie: &Beginning| {
                let mut longer = Vec::new();
                for which in 0..ways.len().max(1) {
                    // Which of the two blocks is which makes no difference.
                    let is_first = is_beginning && lie.told.iter().all(|(_, earlier, _)| *earlier != which);
                    let blocks: &[bool] = if is_first || is_last(which) { &[false] } else { &[false, true] };
                    for other in blocks {
                        let told = lie.told.iter().copied().chain([(id, which, *other)]).collect();
                        longer.push(Beginning { told, ..lie.clone() });
                    }
                }
                longer
            };
            lies = lies.iter().flat_map(more).collect();
        }
        lies
    }

    fn tells(&self, notes: &mut Shared<Memory>, net: &Net, lie: &Beginning) -> Vec<(Set, Message<S>)> {
        let notes = notes.change();
        let mut said = Vec::new();
        for (id, which, other) in &lie.told {
            let (to, way) = (Set::of([*id]), lie.ways.get(*which));
            notes.begun.insert(*id, lie.view);
            said.extend(way.map(|way| (to, Message::NewView(Box::new(self.begin(net, lie.view, way))))));
            let tip = way.filter(|way| !way.is_forged).and_then(|way| way.tip);
            let parent = tip.map_or(net.keys.genesis_digest, |tip| tip.block);
            said.extend(self.next(net, lie.view, &parent, *other).map(|message| (to, message)));
        }
        said
    }

    fn forget(&self, notes: &mut Shared<Memory>, crashed: ReplicaId) {
        notes.change().begun.remove(&crashed);
    }
}
