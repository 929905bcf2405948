//! What may happen next, as a `stateright` model.
//!
//! A move is a whole round at all its receivers: who hears it is the choice. That is enough for safety, since votes count as
//! quorums only: to hear less than a quorum is to hear nothing. What a move leaves out is lost, until a crash, after which the
//! network may bring everything again that it ever carried.

use super::{
    liar::Liar,
    net::SmallNet,
    rounds::{Phase, Round, Speech},
    world::{Letter, Set, Shared, World},
};
use quorate_consensus::{Event, Timer};
use quorate_types::{Height, ReplicaId, View};
use stateright::{Model, Property};
use std::{collections::BTreeSet, fmt};

/// One thing that happens.
#[derive(Clone, PartialEq)]
pub enum Move<T> {
    /// The earliest messages in flight arrive, except at those who are deaf to them.
    Hear { round: Round, deaf: Set },
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
            Self::Hear { round, deaf } if deaf.is_empty() => write!(f, "{round:?}"),
            Self::Hear { round, deaf } => write!(f, "{round:?}, not heard by {deaf:?}"),
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
                moves.push(Move::Hear { round, deaf: Set::default() });
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
                moves.extend(deaf.map(|deaf| Move::Hear { round, deaf }));
            }
        }
    }

    fn hear(&self, world: &mut World<P, L::Notes>, deaf: Set) {
        let Some((round, letters)) = world.wire.take_first() else { return };
        if !deaf.is_empty() {
            world.disturb();
        }
        let collector = Set::of(P::collector(round, world.nodes.len()));
        for letter in letters.iter().filter(|letter| !letter.to.without(collector).is_empty()) {
            let left = letter.to.without(letter.to.without(collector));
            if !left.is_empty() {
                world.wire.add(round, Letter { to: left, ..letter.clone() });
            }
        }
        let is_for_collector_only = Self::receivers(&letters).without(collector).is_empty();
        let hearing = Self::receivers(&letters).without(deaf);
        let hearing = if is_for_collector_only { hearing } else { hearing.without(collector) };
        for id in hearing.members() {
            let before = world.nodes[id.index()].clone();
            let mut has_followed = false;
            let liars = letters.iter().filter(|letter| Some(letter.from) == self.liar.id() && letter.to.contains(id));
            let spoken = self.liar.to(&world.notes, id, liars.collect());
            for letter in letters.iter().filter(|letter| letter.to.contains(id)) {
                if Some(letter.from) != self.liar.id() || spoken.contains(&letter) {
                    has_followed |= self.deliver(world, id, letter);
                }
            }
            let is_poll = matches!(round.phase, Phase::Prepare | Phase::Commit | Phase::Checkpoint);
            if is_poll && !has_followed && self.bounds.crashes == 0 {
                // Less than a quorum, and nobody says it again.
                world.nodes[id.index()] = before;
            }
        }
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
            let message = self.liar.version(&world.notes, self, round, version);
            self.post_now(world, liar, collector, message);
        }
        for letter in letters.iter().filter(|letter| from.contains(letter.from) && letter.to.contains(collector)) {
            self.deliver(world, collector, letter);
        }
    }

    /// A message that arrives before all that is in flight.
    fn post_now(&self, world: &mut World<P, L::Notes>, from: ReplicaId, to: ReplicaId, message: P::Message) {
        if let Ok(message) = quorate_consensus::Verified::check(message, from, &self.keys) {
            let letter = Letter { from, to: Set::of([to]), message: Shared::new(message) };
            self.deliver(world, to, &letter);
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
            Move::Hear { deaf, .. } => self.hear(&mut world, deaf),
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
