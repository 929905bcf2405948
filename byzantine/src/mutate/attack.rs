//! A replica that changes what it says.

use super::{Coverage, Mutations, Resign};
use crate::{Attack, Hands, Target};
use quorate_consensus::{Event, Kind};
use quorate_types::ReplicaId;
use std::collections::BTreeMap;

/// Changes tried on one message: not every message has every field.
const TRIES: usize = 16;

#[derive(Debug)]
pub(super) struct Mutate<P: Resign> {
    target: Target,
    mutations: Mutations<P>,
    coverage: Coverage,
    /// The last message of each kind, its own if it said one.
    models: BTreeMap<&'static str, (bool, P::Message)>,
}

impl<P: Resign> Mutate<P> {
    pub(super) fn new(target: Target, seed: u64, coverage: Coverage) -> Self {
        Self { target, mutations: Mutations::new(seed), coverage, models: BTreeMap::new() }
    }

    fn learn(&mut self, from: ReplicaId, message: &P::Message, is_own: bool) {
        self.mutations.learn(from, message);
        if is_own || self.models.get(message.kind()).is_none_or(|(is_own, _)| !is_own) {
            self.models.insert(message.kind(), (is_own, message.clone()));
        }
    }

    /// Changed in a way that was tried least. What is empty in the message may be filled before, so that there is something to change.
    fn mutant(&mut self, message: &P::Message, hands: &Hands<P>) -> Option<P::Message> {
        let mut filled = message.clone();
        self.mutations.fill(&mut filled);
        let mut drawn = |pairs: Vec<_>| {
            let start = self.mutations.chance(pairs.len());
            let some = pairs.len().min(TRIES);
            pairs.into_iter().cycle().skip(start).take(some).collect::<Vec<_>>()
        };
        let least = drawn(self.coverage.least_tried(message.kind()));
        let any = drawn(self.coverage.pairs_of(message.kind()));
        least.iter().chain(&any).find_map(|(path, mutator)| {
            let mut change = |message| self.mutations.mutate(message, path, *mutator, hands);
            let mutant = change(message).or_else(|| change(&filled))?;
            self.coverage.note(path, *mutator);
            Some(mutant)
        })
    }

    /// Something that nobody waits for: of any kind that it knows.
    fn unasked(&mut self, hands: &Hands<P>) -> Option<P::Message> {
        let nth = self.mutations.chance(self.models.len());
        let (_, model) = self.models.values().nth(nth)?.clone();
        self.mutant(&model, hands)
    }
}

impl<P: Resign> Attack<P> for Mutate<P> {
    /// One message in three is changed, and to one another one is added.
    fn tell(&mut self, to: ReplicaId, message: P::Message, hands: &mut Hands<P>) {
        self.learn(hands.me, &message, true);
        let choice = if self.target.hits(to) { self.mutations.chance(3) } else { 0 };
        let changed = if choice == 1 { self.mutant(&message, hands) } else { None };
        let unasked = if choice == 2 { self.unasked(hands) } else { None };
        hands.tell(to, changed.unwrap_or(message));
        unasked.into_iter().for_each(|unasked| hands.tell(to, unasked));
    }

    fn see(&mut self, event: &Event<P::Message>, _hands: &mut Hands<P>) {
        if let Event::Received { from, message } = event {
            self.learn(*from, &message.clone().into_inner(), false);
        }
    }

    fn boxed(&self) -> Box<dyn Attack<P>> {
        let Self { target, mutations, coverage, models } = self;
        let (target, models) = (target.clone(), models.clone());
        Box::new(Self { target, mutations: mutations.clone(), coverage: coverage.clone(), models })
    }
}
