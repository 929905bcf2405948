//! Faults planted on purpose, to see that the tests find them.
//!
//! A mutant is a patch under `tests/mutants/`, applied to a copy of the tree and never to the tree itself: there is no switch in
//! the code that could be left on. Its first lines say what it breaks and which check must notice. The check must pass without
//! the patch, the patched tree must build, and then the check must fail, saying what it was expected to say.

mod cargo;
mod patch;
mod tree;

pub use cargo::{Check, Ran};
pub use patch::{BadPatch, Expectation, Mutant};
pub use tree::{Tree, applies, workspace};
