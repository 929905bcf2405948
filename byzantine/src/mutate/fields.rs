//! The fields of messages, from their types: whoever adds one to a message is told by the compiler to name it here.

use super::walker::Walker;
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_types::{Block, BoundedVec, ChainId, Digest, Epoch, Header, Height, ReplicaId, View};

/// Something with fields that can be changed one at a time.
pub trait Fields: BorshSerialize + BorshDeserialize + Clone {
    /// The paths of all its fields, under `at`.
    fn paths(at: &str, paths: &mut Vec<String>);
    /// Shows each of its fields, under the same paths.
    fn walk(&mut self, at: &str, walker: &mut Walker<'_>);
}

/// A name below a path.
pub(super) fn below(at: &str, name: &str) -> String {
    format!("{at}.{name}")
}

/// The paths of the field that `get` reads: its type is inferred, and so cannot be wrong.
pub(super) fn paths_of<T, F: Fields>(_get: impl Fn(T) -> F, at: &str, paths: &mut Vec<String>) {
    F::paths(at, paths);
}

/// What has fields and is itself no value: each by its name, with `sealed` what only whole bytes can be changed of.
macro_rules! fields {
    ($type:ty $(where [$($bounds:tt)*])? { $($field:ident),* $(,)? } $(sealed { $($sealed:ident),* })?) => {
        impl $(<$($bounds)*>)? Fields for $type {
            fn paths(at: &str, paths: &mut Vec<String>) {
                $($crate::mutate::fields::paths_of(
                    |value: $type| value.$field,
                    &$crate::mutate::fields::below(at, stringify!($field)),
                    paths,
                );)*
                $($(paths.push($crate::mutate::fields::below(at, stringify!($sealed)));)*)?
            }

            fn walk(&mut self, at: &str, walker: &mut $crate::mutate::walker::Walker<'_>) {
                walker.whole(self);
                let Self { $($field,)* $($($sealed,)*)? } = self;
                $($field.walk(&$crate::mutate::fields::below(at, stringify!($field)), walker);)*
                $($(walker.leaf(&$crate::mutate::fields::below(at, stringify!($sealed)), $sealed);)*)?
            }
        }
    };
}
pub(super) use fields;

macro_rules! leaves {
    ($($type:ty),*) => {$(
        impl Fields for $type {
            fn paths(at: &str, paths: &mut Vec<String>) {
                paths.push(at.to_owned());
            }

            fn walk(&mut self, at: &str, walker: &mut Walker<'_>) {
                walker.leaf(at, self);
            }
        }
    )*};
}

leaves!(u64, View, Height, Epoch, ReplicaId, Digest, ChainId);

impl Fields for bool {
    fn paths(at: &str, paths: &mut Vec<String>) {
        paths.push(at.to_owned());
    }

    fn walk(&mut self, at: &str, walker: &mut Walker<'_>) {
        walker.flag(at, self);
    }
}

impl<T: Fields> Fields for Box<T> {
    fn paths(at: &str, paths: &mut Vec<String>) {
        T::paths(at, paths);
    }

    fn walk(&mut self, at: &str, walker: &mut Walker<'_>) {
        self.as_mut().walk(at, walker);
    }
}

/// Whether it is there is a field of its own.
impl<T: Fields> Fields for Option<T> {
    fn paths(at: &str, paths: &mut Vec<String>) {
        paths.push(format!("{at}?"));
        T::paths(at, paths);
    }

    fn walk(&mut self, at: &str, walker: &mut Walker<'_>) {
        walker.option(&format!("{at}?"), self);
        walker.into(at, self);
    }
}

/// Which items there are is a field of its own.
impl<T: Fields, const MAX: usize> Fields for BoundedVec<T, MAX> {
    fn paths(at: &str, paths: &mut Vec<String>) {
        paths.push(format!("{at}#"));
        T::paths(at, paths);
    }

    fn walk(&mut self, at: &str, walker: &mut Walker<'_>) {
        walker.list(&format!("{at}#"), self);
        let mut items = std::mem::take(self).into_inner();
        walker.into(at, &mut items);
        *self = Self::new(items).expect("as many as before");
    }
}

fields!(Header { chain, epoch, height, view, parent, proposer, payload_root, state_root, timestamp });
fields!(Block { header, payload });
