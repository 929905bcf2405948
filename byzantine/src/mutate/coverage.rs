//! Which fields were changed in which ways.

use super::{Mutations, Mutator, Resign, attack::Mutate};
use crate::{Attack, Target};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A field, by its path, and a way to change it.
pub type Pair = (String, Mutator);

/// Every field of every message of a protocol, times every mutator, and how often each pair was tried. Its clones are one: attackers of
/// many runs can be given the same, and look for what none of them has tried yet.
#[derive(Clone, Debug)]
pub struct Coverage(Arc<Mutex<BTreeMap<Pair, usize>>>);

impl Coverage {
    /// Nothing was tried yet.
    pub fn of<P: Resign>() -> Self {
        let paths = Mutations::<P>::paths().into_iter();
        let pairs = paths.flat_map(|path| Mutator::ALL.map(|mutator| (path.clone(), mutator)));
        Self(Arc::new(Mutex::new(pairs.map(|pair| (pair, 0)).collect())))
    }

    /// An attack that changes fields, those first that were not changed so before, and notes here what it did.
    pub fn attack<P: Resign>(&self, target: &Target, seed: u64) -> Box<dyn Attack<P>> {
        Box::new(Mutate::<P>::new(target.clone(), seed, self.clone()))
    }

    fn pairs(&self) -> MutexGuard<'_, BTreeMap<Pair, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What can be changed of a kind of message.
    pub(super) fn pairs_of(&self, kind: &str) -> Vec<Pair> {
        self.pairs().keys().filter(|(path, _)| path.split('.').next() == Some(kind)).cloned().collect()
    }

    /// What of that was tried least.
    pub(super) fn least_tried(&self, kind: &str) -> Vec<Pair> {
        let of_kind = self.pairs_of(kind);
        let pairs = self.pairs();
        let least = of_kind.iter().map(|pair| pairs[pair]).min();
        of_kind.into_iter().filter(|pair| Some(pairs[pair]) == least).collect()
    }

    pub(super) fn note(&self, path: &str, mutator: Mutator) {
        *self.pairs().entry((path.to_owned(), mutator)).or_default() += 1;
    }

    /// What was never tried.
    pub fn missing(&self) -> Vec<Pair> {
        self.pairs().iter().filter(|(_, times)| **times == 0).map(|(pair, _)| pair.clone()).collect()
    }
}

impl fmt::Display for Coverage {
    /// A line for each field, with how often each mutator changed it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs = self.pairs();
        let tried = pairs.values().filter(|times| **times > 0).count();
        write!(f, "{:<64}", format!("{tried} of {} pairs of field and mutator", pairs.len()))?;
        Mutator::ALL.iter().try_for_each(|mutator| write!(f, "{:>8}", format!("{mutator:?}")))?;
        for ((path, mutator), times) in &*pairs {
            if *mutator == Mutator::ALL[0] {
                write!(f, "\n{path:<64}")?;
            }
            write!(f, "{times:>8}")?;
        }
        Ok(())
    }
}
