//! The JSON that the API speaks; the command line reads the same types.
//!
//! Heights, views, nonces and counts are numbers; balances are strings, because JavaScript rounds numbers above 2^53.
//! Digests, keys, signatures and binary proofs are hexadecimal.

mod blocks;
mod costs;
mod state;
mod status;
mod transactions;

pub use blocks::*;
pub use costs::*;
pub use state::*;
pub use status::*;
pub use transactions::*;
