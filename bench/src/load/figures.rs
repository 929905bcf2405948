//! A run as named numbers: what tables, CSV and comparisons are made of.

use super::{LoadReport, Run};
use serde::{Deserialize, Serialize};

/// One number of a result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// What it is.
    pub name: String,
    /// In what it is counted.
    pub unit: String,
    /// The number.
    pub value: f64,
}

impl Run {
    /// All its numbers, always in the same order; those that are not known are left out.
    pub fn figures(&self, payload_bytes: usize) -> Vec<Figure> {
        let quantiles = |of: &str, quantiles: Option<super::Quantiles>| {
            let named = move |name: &'static str, value| (format!("{of} {name}"), "ms", Some(value));
            quantiles.map(|q| {
                [named("p50", q.p50_ms), named("p90", q.p90_ms), named("p99", q.p99_ms), named("max", q.max_ms)]
            })
        };
        let rss = self.rss_mib();
        let plain = |name: &str, unit: &'static str, value: f64| (name.to_owned(), unit, Some(value));
        let known = |name: &str, unit: &'static str, value: Option<f64>| (name.to_owned(), unit, value);
        let mut all = vec![
            plain("due", "tx/s", f64::from(self.rate)),
            plain("committed", "tx/s", self.committed_per_second()),
            plain("payload committed", "MB/s", self.megabytes_per_second(payload_bytes)),
        ];
        all.extend(quantiles("end to end", self.end_to_end).into_iter().flatten());
        all.extend(quantiles("consensus", self.consensus).into_iter().flatten());
        all.extend([
            plain("blocks", "1/s", self.blocks_per_second()),
            plain("block size", "tx", self.transactions_per_block()),
            plain("largest block", "tx", self.largest_block as f64),
            plain("batches", "per block", self.batches_per_block()),
            plain("view changes", "", self.view_changes() as f64),
            known("validators' CPU", "s per 1,000 tx", self.cpu_per_thousand()),
            known("CPU of a validator, loaded", "% of a core", self.loaded_percent()),
            known("CPU of a validator, idle", "% of a core", self.idle_percent()),
            plain("client's CPU", "s per 1,000 tx", self.client_cpu_per_thousand()),
            known("RSS of a validator, least", "MiB", rss.map(|(least, _)| least)),
            known("RSS of a validator, greatest", "MiB", rss.map(|(_, greatest)| greatest)),
            plain("journal flushes", "per block", self.flushes_per_block()),
            plain("refused", "tx", self.refused as f64),
        ]);
        if let Some(lateness) = self.lateness {
            all.push(plain("sent after due, p99", "ms", lateness.p99_ms));
        }
        let figure = |(name, unit, value): (String, &str, Option<f64>)| {
            Some(Figure { name, unit: unit.to_owned(), value: value? })
        };
        all.into_iter().filter_map(figure).collect()
    }
}

impl LoadReport {
    /// The figures of its run.
    pub fn figures(&self) -> Vec<Figure> {
        self.run.figures(self.setting.payload_bytes)
    }
}

/// A number with as many digits as are worth reading.
pub(super) fn shown(value: f64) -> String {
    let digits = match value.abs() {
        large if large >= 1000.0 => 0,
        large if large >= 10.0 => 1,
        small if small >= 1.0 || small == 0.0 => 2,
        _ => 4,
    };
    let text = format!("{value:.digits$}");
    let (whole, rest) = text.split_once('.').map_or((text.as_str(), None), |(whole, rest)| (whole, Some(rest)));
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |whole| ("-", whole));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    match rest.map(|rest| rest.trim_end_matches('0')).filter(|rest| !rest.is_empty()) {
        Some(rest) => format!("{sign}{grouped}.{rest}"),
        None => format!("{sign}{grouped}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::run::tests::good, *};

    #[test]
    fn numbers_are_shown_with_the_digits_that_are_worth_reading() {
        let cases =
            [(0.0, "0"), (0.00123, "0.0012"), (3.456, "3.46"), (12.34, "12.3"), (1234.5, "1,234"), (1e6, "1,000,000")];
        for (value, text) in cases {
            assert_eq!(shown(value), text);
        }
        assert_eq!(shown(-1500.0), "-1,500");
    }

    #[test]
    fn unknown_figures_are_left_out_and_the_others_keep_their_order() {
        let names = |run: &Run| run.figures(512).into_iter().map(|figure| figure.name).collect::<Vec<_>>();
        let all = names(&good());
        assert!(all.starts_with(&[
            "due".into(),
            "committed".into(),
            "payload committed".into(),
            "end to end p50".into()
        ]));
        let mut unknown = good();
        unknown.nodes.iter_mut().for_each(|node| node.cpu_seconds = None);
        let fewer = names(&unknown);
        assert_eq!(fewer.len(), all.len() - 2);
        assert!(!fewer.iter().any(|name| name.contains("validators' CPU")));
    }
}
