//! What the tests across crates share: the conformance program and the mutants.

pub mod conformance;
pub mod mutants;
