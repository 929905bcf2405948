//! Messages with one field changed and signed again with the attacker's key.
//!
//! The fields follow from the types of the messages ([`Fields`]), seven [`Mutator`]s change each. What is a signature itself, or lies
//! under one that is somebody else's, is sent as it is then. What was tried is counted ([`Coverage`]).

mod attack;
mod change;
mod coverage;
mod fields;
pub(crate) mod hotstuff;
mod memory;
mod mutator;
pub(crate) mod pbft;
mod resign;
mod walker;

pub use coverage::{Coverage, Pair};
pub use fields::Fields;
pub use mutator::Mutator;
pub use resign::Resign;
pub use walker::Walker;

use crate::{Dice, Hands, Known};
use change::Change;
use memory::Memory;
use quorate_types::ReplicaId;
use std::marker::PhantomData;
use walker::Task;

pub(crate) fn attacks<P: Resign>() -> Vec<Known<P>> {
    vec![Known {
        name: "mutate",
        breaks: "checking: changes one field of a message, each time another in another way, and signs it again",
        make: |target, seed| Coverage::of::<P>().attack(target, seed),
    }]
}

/// Changes messages, from what it has learnt of others.
#[derive(Debug)]
pub struct Mutations<P: Resign> {
    memory: Memory,
    dice: Dice,
    protocol: PhantomData<fn() -> P>,
}

impl<P: Resign> Clone for Mutations<P> {
    fn clone(&self) -> Self {
        Self { memory: self.memory.clone(), dice: self.dice.clone(), protocol: PhantomData }
    }
}

impl<P: Resign> Mutations<P> {
    /// Chance follows from the seed.
    pub fn new(seed: u64) -> Self {
        Self { memory: Memory::default(), dice: Dice::new(seed), protocol: PhantomData }
    }

    /// The paths of all fields of all messages: first the message's kind, then names. `?` at the end stands for whether something is
    /// there, `#` for which items a list has.
    pub fn paths() -> Vec<String> {
        let mut paths = Vec::new();
        P::Message::paths("", &mut paths);
        paths
    }

    /// Remembers what `from` said.
    pub fn learn(&mut self, from: ReplicaId, message: &P::Message) {
        self.walk(&mut message.clone(), Task::Learn(from));
    }

    /// Puts what was said elsewhere into everything that is empty in a message, so that there is something to change.
    pub fn fill(&mut self, message: &mut P::Message) {
        self.walk(message, Task::Fill);
    }

    /// The message with the field at `path` changed and signed again; `None` if it has no such field, or the same message comes out.
    pub fn mutate(
        &mut self,
        message: &P::Message,
        path: &str,
        mutator: Mutator,
        hands: &Hands<P>,
    ) -> Option<P::Message> {
        let before = quorate_types::encode(message);
        let is_changed = |changed: &P::Message| quorate_types::encode(changed) != before;
        let nth = self.dice.below(4);
        let changed = [nth, 0].into_iter().map(|nth| self.change(message, path, mutator, nth, hands.me));
        let mut changed = changed.collect::<Vec<_>>().into_iter().find(is_changed)?;
        if path.contains("payload#") || path.ends_with("payload") {
            P::reroot(&mut changed);
        }
        let is_seal = ["attestation", "signature", "prepare"].iter().any(|seal| path.rsplit('.').next() == Some(seal));
        if !is_seal {
            P::resign(&mut changed, hands);
        }
        Some(changed)
    }

    fn change(&mut self, message: &P::Message, path: &str, mutator: Mutator, nth: usize, me: ReplicaId) -> P::Message {
        let mut changed = message.clone();
        let mut dice = self.dice.clone();
        self.walk(&mut changed, Task::Change(Change { path, mutator, nth, me, dice: &mut dice, met: 0 }));
        self.dice = dice;
        changed
    }

    fn walk(&mut self, message: &mut P::Message, task: Task<'_>) {
        message.walk("", &mut Walker { memory: &mut self.memory, task });
    }

    /// A number below `bound`.
    pub(crate) fn chance(&mut self, bound: usize) -> usize {
        self.dice.below(bound)
    }
}
