//! Scenarios: what a network is made of, what happens to it, and what must hold then, as a file.
//!
//! One format for whoever runs it: the simulator and networks of processes. [`Scenario::parse`] refuses what it does not know, with
//! line and known keys; [`Scenario::to_text`] writes what parses to the same scenario, to the last number. No IO here, and nothing
//! of those who run it: what an attack is called or how a link is cut is theirs to know.

mod action;
mod check;
mod expect;
mod file;
mod net;
mod read;
mod step;
mod time;
mod verdict;
mod wan;
mod write;

pub use action::{Action, DiskFault, DiskOf, Who};
pub use expect::{Comparison, Expectation};
pub use net::{Application, Machine, Net, Votes};
pub use read::Unreadable;
pub use step::{Attacker, Load, LoadKind, Measure, Moment, Step};
pub use time::{parse as parse_time, show as show_time};
pub use verdict::{Ending, Held, Seen, judge};
pub use wan::Wan;

use std::time::Duration;

/// A network, what happens to it, and what must hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// In a word or two.
    pub name: String,
    /// What it shows.
    pub about: String,
    /// Everything that chance decides, where there is a seed, follows from it.
    pub seed: u64,
    /// The network.
    pub net: Net,
    /// The machines, where they are simulated.
    pub machine: Machine,
    /// How long things happen, at least.
    pub lasts: Duration,
    /// Who lies, from the first moment on.
    pub attackers: Vec<Attacker>,
    /// What happens.
    pub steps: Vec<Step>,
    /// What clients do.
    pub load: Vec<Load>,
    /// What must hold in the end.
    pub expect: Vec<Expectation>,
    /// How a run of it ended that somebody wants to see again.
    pub recorded: Option<Recorded>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Recorded {
    /// In one word.
    pub ending: String,
    /// The rule that was broken, if one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The hash of everything that happened, hexadecimal; none where the code under test panicked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}
