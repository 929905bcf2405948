//! What a report says in words: each formula beside what was counted, and how each count grows.

use super::plots::{each, scheme};
use crate::complexity::{
    Backend, Fault, Row, Stretches,
    fit::{Fit, fit, slopes},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// One protocol's count as a function of `n`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// The protocol.
    pub protocol: String,
    /// The vote scheme.
    pub scheme: String,
    /// What was counted: `messages` or `authenticators`, of agreement, for one decision, without faults.
    pub what: &'static str,
    /// Simulated or on real processes.
    pub backend: Backend,
    /// The polynomial.
    pub fit: Fit,
    /// `(n, n, exponent)` between neighbours.
    pub slopes: Vec<(f64, f64, f64)>,
    /// What theory says, if it says anything.
    pub formula: String,
    /// Rows whose count is the formula's, to the last message; of how many that have one. Of a testnet's rows those in which that is so in
    /// one stretch at least, and none is above.
    pub met: usize,
    /// See `met`.
    pub of: usize,
    /// Of all rows, if they are a testnet's.
    pub stretches: Option<Stretches>,
}

impl Finding {
    /// Whether theory had something to say, and every row agrees.
    pub fn is_confirmed(&self) -> bool {
        self.of > 0 && self.met == self.of
    }

    /// What there is to say of a testnet's stretches, if they are compared with a formula: to be read after how many rows have met it.
    pub fn in_stretches(&self) -> String {
        match self.stretches.filter(|_| self.of > 0) {
            Some(Stretches { of, exact, above }) => format!("; {exact} of {of} stretches exactly, {above} above"),
            None => String::new(),
        }
    }

    /// In a word.
    pub fn verdict(&self) -> &'static str {
        match (self.of, self.is_confirmed()) {
            (0, _) => "no formula",
            (_, true) => "confirmed",
            (_, false) => "NOT MET",
        }
    }
}

/// All of them.
pub fn findings(rows: &[Row]) -> Vec<Finding> {
    let mut groups: BTreeMap<(&str, &str, Backend), Vec<&Row>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.fault == Fault::None) {
        groups.entry((&row.protocol, scheme(row), row.backend)).or_default().push(row);
    }
    groups.values_mut().for_each(|rows| rows.sort_by_key(|row| row.n));
    let of = |what, counted: fn(&Row) -> u64, theory: fn(&Row) -> Option<u64>| {
        let groups = groups.iter();
        groups.map(move |((protocol, scheme, backend), rows)| {
            let points: Vec<_> = rows.iter().map(|row| (row.n as f64, each(row, counted(row)))).collect();
            let compared: Vec<_> =
                rows.iter().filter_map(|row| Some(is_met(row, counted(row), theory(row)?))).collect();
            Finding {
                protocol: (*protocol).to_owned(),
                scheme: (*scheme).to_owned(),
                what,
                backend: *backend,
                fit: fit(&points),
                slopes: slopes(&points),
                formula: rows.first().map_or(String::new(), |row| row.theory.formula.clone()),
                met: compared.iter().filter(|is_met| **is_met).count(),
                of: compared.len(),
                stretches: stretches(rows),
            }
        })
    };
    let messages = of("messages", |row| row.ordering.messages, |row| row.theory.messages);
    let authenticators = of("authenticators", |row| row.ordering.authenticators, |row| row.theory.authenticators);
    messages.chain(authenticators).collect()
}

/// On real processes whoever lags skips votes that nobody needs: there a formula is met that some stretch costs exactly, and none exceeds.
fn is_met(row: &Row, counted: u64, theory: u64) -> bool {
    row.real.map_or(counted == theory, |real| real.stretches.exact > 0 && real.stretches.above == 0)
}

fn stretches(rows: &[&Row]) -> Option<Stretches> {
    let all = rows.iter().filter_map(|row| Some(row.real?.stretches));
    all.reduce(|mut sum, stretches| {
        sum += stretches;
        sum
    })
}

/// A difference in processor time that means something: it is measured, and what differs by less may be the other way about the next time.
const CLEAR: f64 = 1.1;

/// A pair of schemes and the size from which the second one costs clearly less processor time for a decision.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Crossover {
    /// The protocol.
    pub protocol: String,
    /// Cheaper at the smaller size.
    pub from: String,
    /// Cheaper at the larger.
    pub to: String,
    /// The measured sizes between which they cross: at the first and the second the difference is clear.
    pub between: (usize, usize),
}

/// Where schemes change places in processor time.
pub fn crossovers(rows: &[Row]) -> Vec<Crossover> {
    let mut costs: BTreeMap<(&str, &str), BTreeMap<usize, f64>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.fault == Fault::None && row.backend == Backend::Sim) {
        if let Some(micros) = row.cpu_micros {
            costs.entry((&row.protocol, scheme(row))).or_default().insert(row.n, micros);
        }
    }
    let mut found = Vec::new();
    for ((protocol, left), left_costs) in &costs {
        let others = costs.iter().filter(|((other, right), _)| protocol == other && left != right);
        for ((_, right), right_costs) in others {
            let (mut from, mut is_left) = (0, false);
            for (n, cost) in left_costs {
                let ratio = right_costs.get(n).map_or(1.0, |other| other / cost);
                if ratio > CLEAR {
                    (from, is_left) = (*n, true);
                } else if ratio < 1.0 / CLEAR {
                    if is_left {
                        let (from_scheme, to) = ((*left).to_owned(), (*right).to_owned());
                        found.push(Crossover {
                            protocol: (*protocol).to_owned(),
                            from: from_scheme,
                            to,
                            between: (from, *n),
                        });
                    }
                    is_left = false;
                }
            }
        }
    }
    found
}
