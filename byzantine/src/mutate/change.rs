//! Changing one field, whatever it is.

use super::{Mutator, memory::Memory};
use crate::Dice;
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_types::{BoundedVec, ReplicaId, decode, encode};
use std::any::type_name;

/// A field to change, and how.
pub(super) struct Change<'a> {
    pub(super) path: &'a str,
    pub(super) mutator: Mutator,
    /// Which, where the path leads to several.
    pub(super) nth: usize,
    pub(super) me: ReplicaId,
    pub(super) dice: &'a mut Dice,
    /// Fields met that the path leads to.
    pub(super) met: usize,
}

impl Change<'_> {
    /// Whether this is the one to change.
    fn is_here(&mut self, at: &str) -> bool {
        let is_here = self.path == at && self.met == self.nth;
        self.met += usize::from(self.path == at);
        is_here
    }

    /// What was said in this place, or else in another place for a value of this type, and differs.
    fn recall<T: BorshDeserialize>(&self, at: &str, memory: &Memory, now: &[u8]) -> Option<T> {
        let (me, keys) = (self.me, [at, type_name::<T>()]);
        let value = match self.mutator {
            Mutator::Earlier => memory.recall(keys, |from| from == me, now),
            Mutator::Others => memory.recall(keys, |from| from != me, now),
            Mutator::Up | Mutator::Down | Mutator::Zero | Mutator::Max | Mutator::Random => None,
        };
        value.and_then(|value| decode(&value).ok())
    }

    pub(super) fn leaf<T: BorshSerialize + BorshDeserialize>(&mut self, at: &str, value: &mut T, memory: &Memory) {
        if !self.is_here(at) {
            return;
        }
        let now = encode(value);
        let calculated = self.mutator.of_bytes(&now, self.dice).and_then(|bytes| decode(&bytes).ok());
        if let Some(changed) = calculated.or_else(|| self.recall(at, memory, &now)) {
            *value = changed;
        }
    }

    /// Any change is the same.
    pub(super) fn flag(&mut self, at: &str, value: &mut bool) {
        *value ^= self.is_here(at);
    }

    pub(super) fn option<T>(&mut self, at: &str, value: &mut Option<T>, memory: &Memory)
    where
        T: BorshSerialize + BorshDeserialize,
    {
        if !self.is_here(at) {
            return;
        }
        let now = encode(value);
        *value = match self.mutator {
            Mutator::Down | Mutator::Zero => None,
            Mutator::Up | Mutator::Max | Mutator::Random if value.is_some() => None,
            Mutator::Up | Mutator::Max | Mutator::Random => memory.last(),
            Mutator::Earlier | Mutator::Others => {
                let said = self.recall::<Option<T>>(at, memory, &now);
                said.unwrap_or_else(|| self.recall(type_name::<T>(), memory, now.get(1..).unwrap_or_default()))
            }
        };
    }

    pub(super) fn list<T, const MAX: usize>(&mut self, at: &str, list: &mut BoundedVec<T, MAX>, memory: &Memory)
    where
        T: BorshSerialize + BorshDeserialize + Clone,
    {
        if !self.is_here(at) {
            return;
        }
        let mut items = list.to_vec();
        let last = items.last().cloned().or_else(|| memory.last());
        match self.mutator {
            Mutator::Up => items.extend(last),
            Mutator::Down => drop(items.pop()),
            Mutator::Zero => items.clear(),
            Mutator::Max => last.into_iter().for_each(|last| items.resize(MAX, last)),
            Mutator::Random if items.len() > 1 => items.rotate_left(1),
            Mutator::Random => items.extend(last),
            Mutator::Earlier | Mutator::Others => {
                let said = self.recall::<BoundedVec<T, MAX>>(at, memory, &encode(list));
                items = said.map_or(items, BoundedVec::into_inner);
            }
        }
        items.truncate(MAX);
        *list = BoundedVec::new(items).expect("no more than fit");
    }
}
