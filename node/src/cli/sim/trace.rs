//! Runs drawn as a page.

use crate::{exit::Failure, home::file_failure};
use quorate_sim::campaign::{Outcome, Plan, Watch};
use std::{fs, path::Path};

/// What of a run must be kept, to draw it if somebody wants it drawn.
pub(super) fn watch(page: Option<&Path>) -> Watch {
    Watch { story: page.is_some(), ..Watch::default() }
}

/// Writes the page, if somebody wants one.
pub(super) fn draw(
    page: Option<&Path>,
    plan: &Plan,
    outcome: &Outcome,
    title: String,
    about: String,
) -> Result<(), Failure> {
    let drawn = page.zip(outcome.page(plan, title, about));
    drawn.map_or(Ok(()), |(path, page)| fs::write(path, page).map_err(|error| file_failure("write", path, &error)))
}
