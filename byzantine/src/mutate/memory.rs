//! What was said in which place of a message, and by whom.

use borsh::BorshDeserialize;
use quorate_types::{ReplicaId, decode};
use std::{
    any::type_name,
    collections::{BTreeMap, VecDeque},
};

/// Values remembered of one place. When full, the oldest goes.
const REMEMBERED: usize = 16;

/// Encoded values by the path of their field, and by their type for places where nothing was said yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory(BTreeMap<String, VecDeque<(ReplicaId, Vec<u8>)>>);

impl Memory {
    pub(super) fn learn(&mut self, key: &str, from: ReplicaId, value: Vec<u8>) {
        if !self.0.contains_key(key) {
            self.0.insert(key.to_owned(), VecDeque::new());
        }
        let Some(values) = self.0.get_mut(key) else { return };
        if values.iter().any(|known| known.0 == from && known.1 == value) {
            return;
        }
        if values.len() == REMEMBERED {
            values.pop_front();
        }
        values.push_back((from, value));
    }

    /// What was said under one of these keys, by one whom `by` accepts, and is not `but`.
    pub(super) fn recall(&self, keys: [&str; 2], by: impl Fn(ReplicaId) -> bool, but: &[u8]) -> Option<Vec<u8>> {
        let mut known = keys.iter().filter_map(|key| self.0.get(*key)).flatten();
        known.find(|(from, value)| by(*from) && value != but).map(|(_, value)| value.clone())
    }

    /// The last value of this type.
    pub(super) fn last<T: BorshDeserialize>(&self) -> Option<T> {
        self.0.get(type_name::<T>())?.back().and_then(|(_, value)| decode(value).ok())
    }
}
