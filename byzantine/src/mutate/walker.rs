//! One walk through the fields of a message: to learn them, to fill what is empty, or to change one.

use super::{Fields, change::Change, memory::Memory};
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_types::{BoundedVec, ReplicaId, encode};
use std::any::type_name;

/// What a walk is for.
pub(super) enum Task<'a> {
    /// Remember all fields as said by this replica.
    Learn(ReplicaId),
    /// Put something that was said into everything that is empty.
    Fill,
    /// Change one field.
    Change(Change<'a>),
}

/// Goes from field to field. [`Fields::walk`] shows it each.
pub struct Walker<'a> {
    pub(super) memory: &'a mut Memory,
    pub(super) task: Task<'a>,
}

impl Walker<'_> {
    /// A whole value, which may be what another message lacks.
    pub(super) fn whole<T: BorshSerialize>(&mut self, value: &T) {
        if let Task::Learn(from) = self.task {
            self.memory.learn(type_name::<T>(), from, encode(value));
        }
    }

    fn learn<T: BorshSerialize>(&mut self, from: ReplicaId, at: &str, value: &T) {
        self.memory.learn(at, from, encode(value));
        self.memory.learn(type_name::<T>(), from, encode(value));
    }

    /// A number, a digest, a signature.
    pub(super) fn leaf<T: BorshSerialize + BorshDeserialize>(&mut self, at: &str, value: &mut T) {
        match &mut self.task {
            Task::Learn(from) => {
                let from = *from;
                self.learn(from, at, value);
            }
            Task::Fill => {}
            Task::Change(change) => change.leaf(at, value, self.memory),
        }
    }

    /// Something that can only be or not be.
    pub(super) fn flag(&mut self, at: &str, value: &mut bool) {
        if let Task::Change(change) = &mut self.task {
            change.flag(at, value);
        }
    }

    /// Something that may be missing.
    pub(super) fn option<T: BorshSerialize + BorshDeserialize>(&mut self, at: &str, value: &mut Option<T>) {
        match &mut self.task {
            Task::Learn(from) => {
                let from = *from;
                self.learn(from, at, value);
                value.iter().for_each(|value| self.memory.learn(type_name::<T>(), from, encode(value)));
            }
            Task::Fill if value.is_none() => *value = self.memory.last(),
            Task::Fill => {}
            Task::Change(change) => change.option(at, value, self.memory),
        }
    }

    /// A list, as a whole.
    pub(super) fn list<T, const MAX: usize>(&mut self, at: &str, list: &mut BoundedVec<T, MAX>)
    where
        T: BorshSerialize + BorshDeserialize + Clone,
    {
        match &mut self.task {
            Task::Learn(from) => {
                let from = *from;
                self.learn(from, at, list);
            }
            Task::Fill if list.is_empty() => {
                let one = self.memory.last().into_iter().collect();
                *list = BoundedVec::new(one).expect("one at most");
            }
            Task::Fill => {}
            Task::Change(change) => change.list(at, list, self.memory),
        }
    }

    /// Goes into what may be missing, or into each item of a list.
    pub(super) fn into<'v, T: Fields + 'v>(&mut self, at: &str, values: impl IntoIterator<Item = &'v mut T>) {
        values.into_iter().for_each(|value| value.walk(at, self));
    }
}
