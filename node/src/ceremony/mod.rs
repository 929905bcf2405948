//! A validator's part in a key generation: the ceremony's chain run by the usual runtime, a member that looks at its ledger,
//! and the files that come of it.
//!
//! The rules are `quorate_ledger::app::dkg`'s, what to say is `quorate_validator::dkg`'s. Here are the clock and the files.

mod files;
mod member;
mod report;

pub(crate) use files::{Begun, Pace, begin, keep};
#[cfg(feature = "lab")]
pub(crate) use member::Voice;
pub(crate) use member::{Ending, take_part};
pub(crate) use report::Report;
