//! Attacks by name.

use crate::{Attack, Spoil, Target, crafted, general, hotstuff, mutate, pbft};
use quorate_consensus::{Protocol, hotstuff::HotStuff, pbft::Pbft};
use std::fmt;

/// One entry of the list.
pub struct Known<P: Protocol> {
    /// What it is asked for by.
    pub name: &'static str,
    /// What it tries to break.
    pub breaks: &'static str,
    /// Makes one. Chance, where there is any, follows from the seed.
    pub make: fn(&Target, u64) -> Box<dyn Attack<P>>,
}

impl<P: Protocol> fmt::Debug for Known<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.breaks)
    }
}

/// A protocol that attacks are known of.
pub trait Attacks: Protocol {
    /// All of them, those that work on any protocol first.
    fn attacks() -> Vec<Known<Self>>;
}

impl<S: Spoil> Attacks for HotStuff<S> {
    fn attacks() -> Vec<Known<Self>> {
        [general::attacks(), mutate::attacks(), crafted::attacks(), hotstuff::attacks()].into_iter().flatten().collect()
    }
}

impl<S: Spoil> Attacks for Pbft<S> {
    fn attacks() -> Vec<Known<Self>> {
        [general::attacks(), mutate::attacks(), crafted::attacks(), pbft::attacks()].into_iter().flatten().collect()
    }
}

/// The attack of that name.
pub fn find<P: Attacks>(name: &str) -> Option<Known<P>> {
    P::attacks().into_iter().find(|known| known.name == name)
}
