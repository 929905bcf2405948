//! A report of what decisions cost, as files that people and programs read: one HTML page, the charts, comma-separated values, JSON,
//! Markdown.

mod chart;
mod findings;
mod page;
mod plots;
mod table;

pub use findings::{Crossover, Finding, crossovers, findings};
pub use plots::each;
pub use table::number;

use crate::{Provenance, complexity::Row};
use serde::Serialize;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The form of `report.json`: a reader refuses another.
pub const FORMAT: &str = "quorate-complexity-1";

/// Rows, and what follows from them.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// [`FORMAT`].
    pub format: &'static str,
    /// Above everything.
    pub title: String,
    /// Where it comes from.
    pub provenance: Provenance,
    /// What its reader has to know, a sentence each.
    pub notes: Vec<String>,
    /// What was measured.
    pub rows: Vec<Row>,
    /// Each formula beside what was counted.
    pub findings: Vec<Finding>,
    /// Where schemes change places.
    pub crossovers: Vec<Crossover>,
}

impl Report {
    /// The report of these rows.
    pub fn new(title: String, provenance: Provenance, notes: Vec<String>, rows: Vec<Row>) -> Self {
        let (findings, crossovers) = (findings(&rows), crossovers(&rows));
        Self { format: FORMAT, title, provenance, notes, rows, findings, crossovers }
    }

    /// The report in Markdown.
    pub fn markdown(&self) -> String {
        table::markdown(self)
    }

    /// Writes `report.html`, `report.md`, `report.csv`, `report.json` and `plots/*.svg` into `folder`, which is made if it is not there.
    /// What is there under these names is overwritten.
    ///
    /// # Errors
    /// What the file system says, with the path; or what drawing says.
    pub fn write(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        let drawn = self.drawn()?;
        let json = serde_json::to_string_pretty(self).map_err(io::Error::other)? + "\n";
        let mut files = vec![
            (folder.join("report.html"), page::page(self, &drawn)),
            (folder.join("report.md"), self.markdown()),
            (folder.join("report.csv"), table::csv(&self.rows)),
            (folder.join("report.json"), json),
        ];
        let plots = folder.join("plots");
        files.extend(drawn.into_iter().map(|(name, _, svg)| (plots.join(format!("{name}.svg")), svg)));
        let at = |path: &Path, error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        fs::create_dir_all(&plots).map_err(|error| at(&plots, error))?;
        for (path, content) in &files {
            fs::write(path, content).map_err(|error| at(path, error))?;
        }
        Ok(files.into_iter().map(|(path, _)| path).collect())
    }

    fn drawn(&self) -> io::Result<Vec<(String, String, String)>> {
        let mut drawn = Vec::new();
        for chart in plots::charts(&self.rows) {
            let svg = chart.svg().map_err(|error| io::Error::other(format!("the chart `{}`: {error}", chart.name)))?;
            drawn.extend(svg.map(|svg| (chart.name.to_owned(), chart.about.clone(), svg)));
        }
        Ok(drawn)
    }
}

#[cfg(test)]
mod tests;
