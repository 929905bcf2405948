//! Two result files side by side.

use super::{Figure, LoadReport, Series, VERSION, figures::shown};
use serde::{Deserialize, Serialize};

/// A result file that can be compared.
#[derive(Clone, Debug, PartialEq)]
pub enum Document {
    /// Of `bench load`.
    Load(Box<LoadReport>),
    /// Of `bench run`.
    Series(Box<Series>),
}

/// Why two files cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompareError {
    /// Not the JSON of any result.
    #[error("{file} is no result file: {why}")]
    NotAResult {
        /// Which file.
        file: String,
        /// What is wrong with it.
        why: String,
    },
    /// A result that is compared in no such way.
    #[error("{file} is a file of kind {kind:?}; those that can be compared are \"load\" and \"run\"")]
    UnknownKind {
        /// Which file.
        file: String,
        /// Its kind.
        kind: String,
    },
    /// Of another version of this program.
    #[error("{file} has version {version}; this program compares version {VERSION}")]
    Version {
        /// Which file.
        file: String,
        /// Its version.
        version: u64,
    },
    /// One of each.
    #[error("one is a file of kind {first:?} and the other of kind {second:?}: only like can be compared with like")]
    Kinds {
        /// The first file's.
        first: &'static str,
        /// The second file's.
        second: &'static str,
    },
}

/// What comes before all else in each file.
#[derive(Deserialize)]
struct Preamble {
    kind: String,
    version: u64,
}

impl Document {
    /// Reads a file's text; `file` is its name, for errors.
    pub fn read(file: &str, text: &str) -> Result<Self, CompareError> {
        let bad = |error: serde_json::Error| CompareError::NotAResult { file: file.to_owned(), why: error.to_string() };
        let Preamble { kind, version } = serde_json::from_str(text).map_err(bad)?;
        if ![LoadReport::KIND, Series::KIND].contains(&kind.as_str()) {
            return Err(CompareError::UnknownKind { file: file.to_owned(), kind });
        }
        if version != u64::from(VERSION) {
            return Err(CompareError::Version { file: file.to_owned(), version });
        }
        match kind == LoadReport::KIND {
            true => serde_json::from_str(text).map(|load| Self::Load(Box::new(load))).map_err(bad),
            false => serde_json::from_str(text).map(|series| Self::Series(Box::new(series))).map_err(bad),
        }
    }

    /// What kind of file it is.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Load(_) => LoadReport::KIND,
            Self::Series(_) => Series::KIND,
        }
    }

    fn figures(&self) -> Vec<Figure> {
        match self {
            Self::Load(load) => load.figures(),
            Self::Series(series) => series.figures(),
        }
    }

    /// What it was measured under, by name.
    fn settings(&self) -> Vec<(String, String)> {
        let load = match self {
            Self::Load(load) => Some(&**load),
            Self::Series(series) => series.loads.first(),
        };
        let setting = load.and_then(|load| serde_json::to_value(&load.setting).ok());
        let fields = setting.as_ref().and_then(serde_json::Value::as_object).into_iter().flatten();
        let is_own = |name: &str| self.kind() == LoadReport::KIND || !["protocol", "scheme"].contains(&name);
        fields.filter(|(name, _)| is_own(name)).map(|(name, value)| (name.clone(), value.to_string())).collect()
    }

    fn refusals(&self) -> Vec<String> {
        match self {
            Self::Load(load) => load.refusals.clone(),
            Self::Series(_) => Vec::new(),
        }
    }
}

/// Two results side by side.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// What differs in what they were measured under: name, first, second. Each such line is a reason why the figures differ.
    pub differences: Vec<(String, String, String)>,
    /// Figure by figure.
    pub pairs: Vec<Pair>,
    /// What refuses one of them: `first: why`.
    pub refusals: Vec<String>,
}

/// One figure of both.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pair {
    /// What it is.
    pub name: String,
    /// In what it is counted.
    pub unit: String,
    /// In the first file.
    pub first: Option<f64>,
    /// In the second.
    pub second: Option<f64>,
    /// The second divided by the first, where that says something.
    pub ratio: Option<f64>,
}

impl Comparison {
    /// Compares two results of one kind.
    pub fn of(first: &Document, second: &Document) -> Result<Self, CompareError> {
        if first.kind() != second.kind() {
            return Err(CompareError::Kinds { first: first.kind(), second: second.kind() });
        }
        let pairs = join(first.figures(), second.figures());
        let ours = first.settings().into_iter().zip(second.settings());
        let differences = ours.filter(|((_, a), (_, b))| a != b).map(|((name, a), (_, b))| (name, a, b)).collect();
        let told = |which: &'static str, of: &Document| {
            of.refusals().into_iter().map(move |why| format!("{which}: {why}")).collect::<Vec<_>>()
        };
        Ok(Self { differences, pairs, refusals: [told("first", first), told("second", second)].concat() })
    }

    /// The rows of a table, its heading first.
    pub fn rows(&self) -> Vec<[String; 5]> {
        let text = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), shown);
        let ratio = |ratio: Option<f64>| ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"));
        let heading = ["", "first", "second", "ratio", ""].map(str::to_owned);
        let row = |pair: &Pair| {
            [pair.name.clone(), text(pair.first), text(pair.second), ratio(pair.ratio), pair.unit.clone()]
        };
        std::iter::once(heading).chain(self.pairs.iter().map(row)).collect()
    }
}

fn join(first: Vec<Figure>, second: Vec<Figure>) -> Vec<Pair> {
    let value = |of: &[Figure], name: &str| of.iter().find(|figure| figure.name == name).map(|figure| figure.value);
    let only_second: Vec<_> = second.iter().filter(|figure| value(&first, &figure.name).is_none()).cloned().collect();
    let all = first.iter().cloned().chain(only_second);
    let pairs = all.map(|Figure { name, unit, .. }| {
        let (a, b) = (value(&first, &name), value(&second, &name));
        let ratio = a.zip(b).filter(|(a, _)| *a != 0.0).map(|(a, b)| b / a);
        Pair { name, unit, first: a, second: b, ratio }
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::{
        super::report::tests::{origin, report},
        *,
    };
    use serde_json::{Value, json};

    fn read(change: impl FnOnce(&mut Value)) -> Result<Document, CompareError> {
        let mut value = serde_json::to_value(report()).expect("JSON");
        change(&mut value);
        Document::read("a.json", &value.to_string())
    }

    #[test]
    fn ratios_are_of_the_second_to_the_first_and_settings_that_differ_are_named() {
        let first = read(|_| {}).expect("good");
        let second = read(|value| {
            value["run"]["committed_in_window"] = json!(19_980);
            value["setting"]["protocol"] = json!("pbft");
            value["run"]["nodes"][1]["cpu_seconds"] = Value::Null;
        });
        let comparison = Comparison::of(&first, &second.expect("good")).expect("of one kind");
        assert_eq!(comparison.differences, [("protocol".into(), "\"hotstuff\"".into(), "\"pbft\"".into())]);
        let pair = |name: &str| comparison.pairs.iter().find(|pair| pair.name == name).expect("there").clone();
        assert_eq!(pair("committed").ratio, Some(2.0));
        assert_eq!((pair("view changes").first, pair("view changes").ratio), (Some(0.0), None));
        assert_eq!((pair("validators' CPU").second, pair("validators' CPU").ratio), (None, None));
    }

    #[test]
    fn other_kinds_and_versions_are_refused_with_what_they_are() {
        let error = |change: fn(&mut Value)| read(change).expect_err("refused").to_string();
        assert!(
            error(|value| value["version"] = json!(2))
                .contains("a.json has version 2; this program compares version 1")
        );
        assert!(error(|value| value["kind"] = json!("complexity")).contains("of kind \"complexity\""));
        assert!(error(|value| value["setting"] = json!(1)).contains("a.json is no result file"));
        assert!(Document::read("b.json", "{}").is_err_and(|error| error.to_string().contains("missing field")));
        let series = Document::Series(Box::new(Series::new(origin(), vec![report()])));
        let error = Comparison::of(&read(|_| {}).expect("good"), &series).expect_err("of two kinds");
        assert!(error.to_string().contains("\"load\" and the other of kind \"run\""), "{error}");
    }
}
