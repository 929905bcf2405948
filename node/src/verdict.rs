//! The verdict on a scenario as it is told: the same for simulated validators and for processes.

use crate::{exit::Exit, table::Table};
use quorate_scenario::{Ending, Held};
use serde::Serialize;

/// An expectation and what became of it, as JSON tells it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct HeldView {
    expectation: String,
    held: bool,
    figure: String,
}

impl From<&Held> for HeldView {
    fn from(held: &Held) -> Self {
        Self { expectation: held.expectation.to_string(), held: held.holds, figure: held.figure.clone() }
    }
}

/// What was expected, whether it held, and what was seen.
pub(crate) fn table(expected: &[HeldView]) -> String {
    let mut table = Table::new(["expected", "held", "seen"]);
    for held in expected {
        let is_held = if held.held { "yes" } else { "NO" };
        table.row([held.expectation.clone(), is_held.to_owned(), held.figure.clone()]);
    }
    table.to_string()
}

/// The exit code that tells an ending.
pub(crate) fn exit_of(ending: Ending) -> Exit {
    match ending {
        Ending::Pass => Exit::Success,
        Ending::NoProgress => Exit::NoProgress,
        Ending::Broken => Exit::Failure,
        Ending::Diverged => Exit::Diverged,
    }
}
