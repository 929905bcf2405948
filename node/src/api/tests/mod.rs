//! The API over a real socket, in front of a runtime that commits at once to a ledger of one validator.

mod events;
mod node;
mod reading;
mod refusals;
mod submitting;

use node::TestNode;
