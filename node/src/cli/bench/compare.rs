//! `quorate bench compare`.

use super::super::Context;
use crate::{
    exit::{Exit, Failure},
    home::read_text,
    table::Table,
};
use clap::Args;
use quorate_bench::load::{Comparison, Document};
use std::path::{Path, PathBuf};

/// Compare two result files, figure by figure
///
/// Two load.json of `bench load`, or two run.json of `bench run`. What they were measured under and differs is told first.
#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// The first: ratios are to this one
    first: PathBuf,
    /// The second
    second: PathBuf,
}

pub(super) fn run(args: &CompareArgs, context: &Context) -> Result<Exit, Failure> {
    let failed = |error: quorate_bench::load::CompareError| {
        Failure::failed(error.to_string()).hint("two files of the same command and version")
    };
    let read = |path: &Path| Document::read(&path.display().to_string(), &read_text(path)?).map_err(failed);
    let comparison = Comparison::of(&read(&args.first)?, &read(&args.second)?).map_err(failed)?;
    context.output.data(&comparison, text)?;
    Ok(Exit::Success)
}

fn text(comparison: &Comparison) -> String {
    let mut lines: Vec<String> = comparison
        .differences
        .iter()
        .map(|(name, first, second)| format!("differs: {name} is {first} in the first and {second} in the second"))
        .collect();
    lines.extend(comparison.refusals.iter().map(|why| format!("no result: {why}")));
    let mut rows = comparison.rows().into_iter();
    let heading = rows.next().unwrap_or_default();
    let mut table = Table::new(heading.each_ref().map(String::as_str));
    rows.for_each(|row| table.row(row));
    lines.push(table.to_string());
    lines.join("\n")
}
