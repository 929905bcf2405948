//! Several configurations under one load, in alternation: `bench run`.

use super::{Figure, LoadReport, VERSION, figures::shown, report::provenance};
use crate::Provenance;
use serde::{Deserialize, Serialize};

/// What `bench run` writes: all its loads, and the medians of each configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// What file this is: `run`.
    pub kind: String,
    /// Of the file's form.
    pub version: u32,
    /// What made it, where and how.
    pub provenance: Provenance,
    /// The loads, in the order in which they ran.
    pub loads: Vec<LoadReport>,
    /// One for each configuration, in the order in which they were asked for.
    pub medians: Vec<Medians>,
}

/// The medians of one configuration's loads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Medians {
    /// Such as `hotstuff, ed25519`.
    pub name: String,
    /// Of how many loads: those with a reason to refuse them are left out.
    pub of: usize,
    /// Loads that were left out.
    pub refused: usize,
    /// Figure by figure.
    pub figures: Vec<Figure>,
}

impl Series {
    /// The name of this kind of file.
    pub const KIND: &'static str = "run";

    /// The series of these loads.
    pub fn new(provenance: Provenance, loads: Vec<LoadReport>) -> Self {
        let mut names: Vec<String> = Vec::new();
        for load in &loads {
            let name = load.name();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let medians = names.into_iter().map(|name| Medians::of(name, &loads)).collect();
        Self { kind: Self::KIND.to_owned(), version: VERSION, provenance, loads, medians }
    }

    /// The figures of all configurations, by their names.
    pub fn figures(&self) -> Vec<Figure> {
        let named = |medians: &Medians| {
            let prefix = medians.name.clone();
            let named = move |figure: &Figure| Figure { name: format!("{prefix}: {}", figure.name), ..figure.clone() };
            medians.figures.iter().map(named).collect::<Vec<_>>()
        };
        self.medians.iter().flat_map(named).collect()
    }

    /// The rows of a table: a figure, its median in each configuration, and the ratio of each to the first.
    pub fn rows(&self) -> Vec<Vec<String>> {
        let Some(first) = self.medians.first() else { return Vec::new() };
        let mut heading = vec![String::new()];
        heading.extend(
            self.medians
                .iter()
                .map(|medians| format!("{} ({} of {})", medians.name, medians.of, medians.of + medians.refused)),
        );
        heading.extend(self.medians.iter().skip(1).map(|_| "ratio".to_owned()));
        let row = |figure: &Figure| {
            let value = |medians: &Medians| medians.figure(&figure.name);
            let text = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), shown);
            let ratio =
                |medians: &Medians| value(medians).filter(|_| figure.value != 0.0).map(|value| value / figure.value);
            let mut row = vec![format!("{} {}", figure.name, figure.unit).trim().to_owned()];
            row.extend(self.medians.iter().map(|medians| text(value(medians))));
            row.extend(self.medians.iter().skip(1).map(|medians| text(ratio(medians))));
            row
        };
        let named = self.medians.iter().find(|medians| !medians.figures.is_empty()).unwrap_or(first);
        std::iter::once(heading).chain(named.figures.iter().map(row)).collect()
    }

    /// `run.csv`: a line for each load.
    pub fn csv(&self) -> String {
        let mut lines = Vec::new();
        for load in &self.loads {
            let csv = load.csv();
            let mut rows = csv.lines();
            let heading = rows.next().unwrap_or_default();
            if lines.is_empty() {
                lines.push(format!("configuration,{heading}"));
            }
            lines.extend(rows.map(|row| format!("\"{}\",{row}", load.name())));
        }
        lines.join("\n") + "\n"
    }

    /// `run.md`.
    pub fn markdown(&self) -> String {
        let mut text = "# Loads side by side\n\nMedians; ratios are to the first column.\n\n".to_owned();
        for (index, row) in self.rows().iter().enumerate() {
            text.push_str(&format!("| {} |\n", row.join(" | ")));
            if index == 0 {
                text.push_str(&format!("|---|{}\n", "---:|".repeat(row.len() - 1)));
            }
        }
        for load in self.loads.iter().filter(|load| !load.refusals.is_empty()) {
            text.push_str(&format!("\nLeft out, of {}: {}\n", load.name(), load.refusals.join("; ")));
        }
        text + &provenance(&self.provenance)
    }
}

impl LoadReport {
    /// What distinguishes it from others of a series.
    pub fn name(&self) -> String {
        format!("{}, {}", self.setting.protocol, self.setting.scheme)
    }
}

impl Medians {
    fn of(name: String, loads: &[LoadReport]) -> Self {
        let of_name: Vec<_> = loads.iter().filter(|load| load.name() == name).collect();
        let good: Vec<_> = of_name.iter().filter(|load| load.refusals.is_empty()).map(|load| load.figures()).collect();
        let figures = good.first().map(|first| first.iter().map(|figure| median(figure, &good)).collect());
        Self { name, of: good.len(), refused: of_name.len() - good.len(), figures: figures.unwrap_or_default() }
    }

    /// The median of one figure.
    pub fn figure(&self, name: &str) -> Option<f64> {
        self.figures.iter().find(|figure| figure.name == name).map(|figure| figure.value)
    }
}

/// The median of what each load says of a figure; of an even number, the mean of the two in the middle.
fn median(figure: &Figure, loads: &[Vec<Figure>]) -> Figure {
    let same = loads.iter().filter_map(|load| load.iter().find(|other| other.name == figure.name));
    let mut values: Vec<_> = same.map(|figure| figure.value).collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let value = match (values.get(middle.wrapping_sub(1)), values.get(middle)) {
        (Some(below), Some(above)) if values.len() % 2 == 0 => f64::midpoint(*below, *above),
        (_, Some(middle)) => *middle,
        _ => figure.value,
    };
    Figure { value, ..figure.clone() }
}

#[cfg(test)]
mod tests {
    use super::{
        super::report::tests::{origin, report},
        *,
    };

    fn load(protocol: &str, committed: u64) -> LoadReport {
        let mut load = report();
        load.setting.protocol = protocol.into();
        load.run.committed_in_window = committed;
        load
    }

    #[test]
    fn medians_are_by_configuration_without_what_is_refused_and_ratios_to_the_first() {
        let mut refused = load("pbft", 1);
        refused.refusals = vec!["for a reason".into()];
        let loads = vec![
            load("pbft", 1000),
            load("hotstuff", 3000),
            load("pbft", 1200),
            load("hotstuff", 1500),
            refused,
            load("hotstuff", 2000),
        ];
        let series = Series::new(origin(), loads);
        let [pbft, hotstuff] = &series.medians[..] else { panic!("two configurations") };
        assert_eq!((pbft.name.as_str(), pbft.of, pbft.refused), ("pbft, ed25519", 2, 1));
        assert_eq!((pbft.figure("committed"), hotstuff.figure("committed")), (Some(110.0), Some(200.0)));
        let row = series.rows().into_iter().find(|row| row[0] == "committed tx/s").expect("a row");
        assert_eq!(row, ["committed tx/s", "110", "200", "1.82"]);
        assert_eq!(series.csv().lines().count(), 7);
        assert!(series.markdown().contains("Left out, of pbft, ed25519: for a reason"));
        let json = serde_json::to_string(&series).expect("JSON");
        let read: Series = serde_json::from_str(&json).expect("reads");
        assert_eq!((read.loads, read.medians.len()), (series.loads, 2));
    }
}
