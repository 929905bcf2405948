//! Twins: every way to split the network around a replica whose key runs twice (Bano et al., *Twins: BFT Systems Made Robust*,
//! OPODIS 2021).
//!
//! Two honest instances with one key are a Byzantine replica: together they vote twice, propose twice and forget. No attack
//! has to be thought of, only who leads each view and who hears whom. That is a [`Scenario`]: for each view a leader and a
//! [`Partition`] of the processes. Small families are run whole, larger ones by sample, and after the last view of each scenario
//! comes a *synchronous tail*, in which everybody hears everybody and at least [`TAIL_BLOCKS`] blocks must be committed.
//!
//! Where to read what: `scenario` (the nouns), `symmetry` (which scenarios are the same), `family` (each of a family
//! once, and how many there are), `draw` (random ones), `file` (JSON); `subject` (what a protocol must say to be run), `world` (replicas
//! and network), `host` (what surrounds a replica), `rounds` (what happens in a view), `verdict` (what must hold), `search` (whole families on threads).
//!
//! # Views as rounds
//!
//! The network is at rest or at work; time is the order of things. In round `r`, while everything that is sent passes the round's
//! partition or is lost:
//!
//! 1. what replicas of views up to the round's own have sent, or kept from an earlier round, is delivered until nothing is left;
//! 2. the timers of all who are still in an earlier view run out, and again everything is delivered, until nobody moves any more.
//!
//! What is sent from a later view waits for that view's round. So everybody gets the round's message before they give up
//! the view before, and a replica that is stuck says its last words into the partition of the round, not of its view.
//!
//! The replicas are the ones that ship, with symbolic signatures, which are checked. There is no ledger and no disk: blocks are headers
//! that name their maker and are always valid, and block sync copies the chain of whoever is asked.

mod draw;
mod family;
mod file;
mod host;
mod rounds;
mod scenario;
mod search;
mod subject;
mod symmetry;
#[cfg(test)]
mod tests;
mod verdict;
mod world;

pub use draw::{random, random_family};
pub use family::{Family, Leading};
pub use file::{FileError, Scenarios};
pub use scenario::{Partition, Round, Scenario, Shape, ShapeError};
pub use search::{Report, Search, run, search, search_listed};
pub use subject::Subject;
pub use verdict::{Breach, Finding, Outcome, TAIL_BLOCKS};
