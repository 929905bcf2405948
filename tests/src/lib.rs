//! What the tests across crates share: the conformance program and the mutants.

#[cfg(feature = "conformance")]
pub mod conformance;
pub mod mutants;
