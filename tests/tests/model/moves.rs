//! What may happen next, as a `stateright` model.
//!
//! A move is a whole round at all its receivers: who hears it is the choice. That is enough for safety, since votes count as
//! quorums only: to hear less than a quorum is to hear nothing. What a move leaves out is lost, until a crash, after which the
//! network may bring everything again that it ever carried.

use super::{
    liar::Liar,
    net::SmallNet,
    rounds::{Phase, Round, Speech},
    world::{Letter, Set, World},
};
use quorate_consensus::{Event, Timer, Verified};
use quorate_types::{Height, ReplicaId, View};
use stateright::{Model, Property};
use std::{collections::BTreeSet, fmt};

/// One thing that happens.
#[derive(Clone, PartialEq)]
pub enum Move<T> {
    /// The earliest messages in flight arrive, except at those who are deaf to them, and except those of who is mute.
    Hear { round: Round, deaf: Set, mute: Set },
    /// The collector of a round hears these and no others; from the liar, its `stale`-th version.
    Collect { round: Round, from: Set, stale: Option<usize> },
    /// Everybody's patience ends.
    TimeOut,
    /// A replica dies and recovers from its journal.
    Crash { id: ReplicaId, cut_off: bool },
    /// The liar's own initiative.
    Lie(T),
}

impl<T: fmt::Debug> fmt::Debug for Move<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hear { round, deaf, mute } => {
                write!(f, "{round:?}")?;
                if !deaf.is_empty() {
                    write!(f, ", not heard by {deaf:?}")?;
                }
                if mute.is_empty() { Ok(()) } else { write!(f, ", not heard from {mute:?}") }
            }
            Self::Collect { round, from, stale: None } => write!(f, "{round:?}, collected from {from:?}"),
            Self::Collect { round, from, stale: Some(which) } => {
                write!(f, "{round:?}, collected from {from:?} and version {which} of the liar's")
            }
            Self::TimeOut => f.write_str("everybody times out"),
            Self::Crash { id, cut_off: false } => write!(f, "replica {} crashes and recovers", id.0),
            Self::Crash { id, cut_off: true } => write!(f, "replica {} crashes and recovers, cut off", id.0),
            Self::Lie(lie) => write!(f, "{lie:?}"),
        }
    }
}

impl<P: Speech, L: Liar<P>> SmallNet<P, L> {
    fn receivers(letters: &[Letter<P>]) -> Set {
        letters.iter().fold(Set::default(), |all, letter| all.union(letter.to))
    }

    /// Ways in which the first round can arrive.
    fn arrivals(&self, world: &World<P, L::Notes>, moves: &mut Vec<Move<L::Lie>>) {
        let Some((round, letters)) = world.wire.first() else { return };
        let receivers = Self::receivers(letters);
        let may_disturb = world.may_be_disturbed();
        match P::collector(round, world.nodes.len()) {
            // Only what the collector hears matters: first the others hear everything.
            Some(collector) if receivers != Set::of([collector]) => {
                moves.push(Move::Hear { round, deaf: Set::default(), mute: Set::default() });
            }
            Some(_) => {
                let senders = Set::of(letters.iter().map(|letter| letter.from));
                let versions = self.liar.versions(&world.notes, round);
                let need = self.keys.committee().quorum() - 1;
                let with = |from: Set, stale: Option<usize>| Move::Collect { round, from, stale };
                for from in senders.subsets() {
                    let count = from.members().count();
                    if count == need.min(senders.members().count()) || (count == 0 && may_disturb) {
                        moves.push(with(from, None));
                    }
                    if count + 1 == need {
                        moves.extend((0..versions).map(|version| with(from, Some(version))));
                    }
                }
            }
            None => {
                let deaf = receivers.subsets().filter(|deaf| deaf.is_empty() || may_disturb);
                moves.extend(deaf.map(|deaf| Move::Hear { round, deaf, mute: Set::default() }));
                if P::is_gathered(round) && may_disturb {
                    let mutes = Set::of(letters.iter().map(|letter| letter.from)).members().map(|id| Set::of([id]));
                    moves.extend(mutes.map(|mute| Move::Hear { round, deaf: Set::default(), mute }));
                }
            }
        }
    }

    fn hear(&self, world: &mut World<P, L::Notes>, deaf: Set, mute: Set) {
        let Some((round, mut letters)) = world.wire.take_first() else { return };
        if !deaf.is_empty() || !mute.is_empty() {
            world.disturb();
        }
        letters.retain(|letter| !mute.contains(letter.from));
        // The collector's share stays: what it hears is another move.
        let collector = Set::of(P::collector(round, world.nodes.len()));
        for letter in letters.iter().filter(|letter| !letter.to.without(letter.to.without(collector)).is_empty()) {
            world.wire.add(round, Letter { to: collector, ..letter.clone() });
        }
        for id in Self::receivers(&letters).without(collector).without(deaf).members() {
            let before = world.nodes[id.index()].clone();
            let has_followed = self.hear_alone(world, id, &letters);
            if P::is_poll(round) && !has_followed && self.bounds.crashes == 0 {
                // Less than a quorum, and nobody says it again.
                world.nodes[id.index()] = before;
            }
        }
    }

    /// One receiver's share of a round; of the liar's letters those that it delivers.
    fn hear_alone(&self, world: &mut World<P, L::Notes>, id: ReplicaId, letters: &[Letter<P>]) -> bool {
        let is_liars = |letter: &&Letter<P>| Some(letter.from) == self.liar.id();
        let addressed: Vec<_> = letters.iter().filter(|letter| letter.to.contains(id)).collect();
        let (lies, honest): (Vec<_>, Vec<_>) = addressed.iter().copied().partition(is_liars);
        let lies = self.liar.to(&world.notes, id, lies);
        let said = addressed.into_iter().filter(|letter| lies.contains(letter) || honest.contains(letter));
        said.fold(false, |has_followed, letter| self.deliver(world, id, letter) | has_followed)
    }

    fn deliver(&self, world: &mut World<P, L::Notes>, to: ReplicaId, letter: &Letter<P>) -> bool {
        let message = letter.message.get().clone();
        self.tell(world, to, Event::Received { from: letter.from, message })
    }

    fn collect(&self, world: &mut World<P, L::Notes>, from: Set, stale: Option<usize>) {
        let Some((round, letters)) = world.wire.take_first() else { return };
        let Some(collector) = P::collector(round, world.nodes.len()) else { return };
        if from.is_empty() && stale.is_none() {
            world.disturb();
        }
        if let (Some(version), Some(liar)) = (stale, self.liar.id()) {
            let said = self.liar.version(&world.notes, self, round, version);
            let message = Verified::check(said, liar, &self.keys).expect("a liar who is believed");
            self.tell(world, collector, Event::Received { from: liar, message });
        }
        for letter in letters.iter().filter(|letter| from.contains(letter.from) && letter.to.contains(collector)) {
            self.deliver(world, collector, letter);
        }
    }

    /// Whoever waits gives up the view.
    fn time_out(&self, world: &mut World<P, L::Notes>) {
        let waiting: Vec<_> = world.honest().map(|(id, node)| (id, node.replica.view())).collect();
        for (id, view) in waiting {
            // A progress timer runs in two halves.
            for _ in 0..2 {
                let Some(node) = world.nodes[id.index()].as_mut() else { continue };
                if node.get().replica.view() != view {
                    break;
                }
                let due: Vec<Timer> = std::mem::take(&mut node.change().timers).into_iter().collect();
                for timer in due {
                    self.tell(world, id, Event::TimedOut(timer));
                }
            }
        }
    }

    fn may_time_out(&self, world: &World<P, L::Notes>) -> bool {
        let last = world.honest().map(|(_, node)| node.replica.view()).max();
        let waits = world.honest().any(|(_, node)| !node.timers.is_empty());
        world.wire.is_empty() && waits && last.is_some_and(|last| last < View(self.bounds.views))
    }
}

impl<P: Speech, L: Liar<P>> Model for SmallNet<P, L> {
    type State = World<P, L::Notes>;
    type Action = Move<L::Lie>;

    fn init_states(&self) -> Vec<Self::State> {
        let past = |world, step: &Move<L::Lie>| {
            let mut possible = Vec::new();
            self.actions(&world, &mut possible);
            assert!(possible.contains(step), "{step:?} is none of {possible:?}");
            self.next_state(&world, step.clone()).expect("possible")
        };
        vec![self.past.iter().fold(self.beginning(), past)]
    }

    fn actions(&self, world: &Self::State, moves: &mut Vec<Self::Action>) {
        let is_beyond = world.honest().any(|(_, node)| node.replica.view() > View(self.bounds.views));
        if is_beyond || world.honest().any(|(_, node)| node.wrong.is_some()) {
            return;
        }
        self.arrivals(world, moves);
        if world.wire.is_empty() {
            moves.extend(self.liar.lies(&world.notes, self, world).into_iter().map(Move::Lie));
        }
        if self.may_time_out(world) {
            moves.push(Move::TimeOut);
        }
        if world.crashes > 0 {
            let crash = |(id, _)| [false, true].map(|cut_off| Move::Crash { id, cut_off });
            moves.extend(world.honest().flat_map(crash));
        }
    }

    fn next_state(&self, world: &Self::State, action: Self::Action) -> Option<Self::State> {
        let mut world = world.clone();
        match action {
            Move::Hear { deaf, mute, .. } => self.hear(&mut world, deaf, mute),
            Move::Collect { from, stale, .. } => self.collect(&mut world, from, stale),
            Move::TimeOut => self.time_out(&mut world),
            Move::Crash { id, cut_off } => self.crash(&mut world, id, cut_off),
            Move::Lie(lie) => self.lie(&mut world, &lie),
        }
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(AGREEMENT, |_, world: &Self::State| {
                let committed = world.honest().flat_map(|(_, node)| (1u64..).zip(&node.ledger));
                let blocks: BTreeSet<_> = committed.collect();
                let heights: BTreeSet<_> = blocks.iter().map(|(height, _)| height).collect();
                blocks.len() == heights.len()
            }),
            Property::always(HONESTY, |_, world: &Self::State| world.honest().all(|(_, node)| node.wrong.is_none())),
            Property::sometimes(PROGRESS, |net: &Self, world: &Self::State| {
                let all = Height(net.bounds.heights.into());
                world.honest().all(|(_, node)| node.head.height >= all)
            }),
            Property::sometimes(LATE_PROGRESS, |net: &Self, world: &Self::State| {
                net.bounds.views == 1 || world.honest().any(|(_, node)| node.head.view > View(1))
            }),
        ]
    }
}

/// No two blocks are committed at one height.
pub const AGREEMENT: &str = "agreement";
/// Nobody honest contradicts itself, says what is not in its journal, halts, or slanders.
pub const HONESTY: &str = "honesty";
/// Everybody commits everything.
pub const PROGRESS: &str = "everyone commits";
/// A block made after a view change is committed.
pub const LATE_PROGRESS: &str = "a block of a later view is committed";

/// Rounds are ordered by view, then phase, then height.
#[test]
fn rounds_are_in_the_order_of_a_view() {
    let round = |view, phase, height| Round { view: View(view), phase, height: Height(height) };
    assert!(round(1, Phase::Commit, 2) < round(2, Phase::Change, 0));
    assert!(round(1, Phase::Propose, 2) < round(1, Phase::Prepare, 1));
}
