//! The parts of the `quorate` binary.
//!
//! [`runtime`] runs one validator and hands out a [`handle::Handle`], through which everything else sees it: the HTTP
//! API and the process control.

pub mod handle;
pub mod runtime;
