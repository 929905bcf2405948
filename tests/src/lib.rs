//! What the tests across crates share: so far, the mutants.

pub mod mutants;
