//! Which charts a report has.

use super::chart::{Chart, Scale, Series, Stroke, THEORY};
use crate::complexity::{
    Backend, Fault, Row,
    theory::{faulty, raft},
};
use std::collections::BTreeMap;

/// What a row is drawn with others of: protocol, scheme, fault, backend.
type Group = (String, String, Fault, Backend);

/// All charts for which there are rows.
pub(super) fn charts(rows: &[Row]) -> Vec<Chart> {
    vec![
        messages(rows),
        authenticators(rows),
        bytes(rows),
        certificates(rows),
        processor(rows),
        faults(rows),
        latency(rows),
    ]
}

/// A total over decisions, for one of them.
pub fn each(row: &Row, total: u64) -> f64 {
    total as f64 / row.decisions.max(1) as f64
}

/// Symbolic signatures that have a scheme's lengths stand for it in counts and bytes.
pub(super) fn scheme(row: &Row) -> &str {
    row.scheme.strip_prefix("symbolic as ").unwrap_or(&row.scheme)
}

fn groups<'a>(rows: impl IntoIterator<Item = &'a Row>) -> BTreeMap<Group, Vec<&'a Row>> {
    let mut groups: BTreeMap<Group, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        let group = (row.protocol.clone(), scheme(row).to_owned(), row.fault, row.backend);
        groups.entry(group).or_default().push(row);
    }
    groups.values_mut().for_each(|rows| rows.sort_by_key(|row| row.n));
    groups
}

/// Messages do not depend on the scheme: of each protocol, fault and backend the first one stands for all.
fn of_first_scheme(rows: &[Row]) -> BTreeMap<Group, Vec<&Row>> {
    let mut seen = BTreeMap::new();
    let mut groups = groups(rows);
    groups.retain(|(protocol, scheme, fault, backend), _| {
        seen.entry((protocol.clone(), *fault, *backend)).or_insert_with(|| scheme.clone()) == scheme
    });
    groups
}

fn fault_free(rows: &[Row]) -> impl Iterator<Item = &Row> {
    rows.iter().filter(|row| row.fault == Fault::None)
}

fn line(name: String, colour: usize, rows: &[&Row], value: impl Fn(&Row) -> Option<f64>) -> Series {
    let points = rows.iter().filter_map(|row| Some((row.n as f64, value(row)?))).collect();
    Series { name, stroke: Stroke::Measured, colour, points }
}

fn theory(name: String, rows: &[&Row], value: impl Fn(&Row) -> Option<u64>) -> Option<Series> {
    let points: Vec<_> = rows.iter().filter_map(|row| Some((row.n as f64, each(row, value(row)?)))).collect();
    (!points.is_empty()).then_some(Series { name, stroke: Stroke::Theory, colour: THEORY, points })
}

fn backend(backend: Backend) -> &'static str {
    match backend {
        Backend::Sim => "",
        Backend::Testnet => ", testnet",
    }
}

/// Messages for one entry in a Raft cluster that survives as many crashes as `n` replicas survive lies. From the formula: nothing was run.
pub(super) fn raft_messages(n: usize) -> u64 {
    raft::entry(raft::replicas(faulty(n as u64)))
}

fn messages(rows: &[Row]) -> Chart {
    let mut series = Vec::new();
    let mut sizes: Vec<usize> = fault_free(rows).map(|row| row.n).collect();
    sizes.sort_unstable();
    sizes.dedup();
    for (colour, ((protocol, _, fault, place), rows)) in of_first_scheme(rows).iter().enumerate() {
        if *fault == Fault::None {
            let name = format!("{protocol}{}, counted", backend(*place));
            series.push(line(name, colour, rows, |row| Some(each(row, row.ordering.messages))));
            let formula = rows.first().map_or(String::new(), |row| row.theory.formula.clone());
            let name = format!("{protocol}{}, theory: {formula}", backend(*place));
            series.extend(theory(name, rows, |row| row.theory.messages));
        }
    }
    let raft = sizes.iter().map(|n| (*n as f64, raft_messages(*n) as f64)).filter(|point| point.1 > 0.0).collect();
    let name = "Raft of 2f+1, crashes only: 4f (not run)".to_owned();
    series.push(Series { name, stroke: Stroke::Theory, colour: 3, points: raft });
    Chart {
        name: "messages",
        title: "Messages of agreement for one decision, without faults".to_owned(),
        about: "Both axes are logarithmic. Counted where messages leave, one for each receiver; batches of transactions, which both \
                protocols spread alike, are not in it."
            .to_owned(),
        values: "messages",
        scale: Scale::Logarithmic,
        series,
    }
}

fn by_scheme(rows: &[Row], value: impl Fn(&Row) -> Option<f64>) -> Vec<Series> {
    let named = groups(fault_free(rows)).into_iter().enumerate();
    let series = named.map(|(colour, ((protocol, scheme, _, place), rows))| {
        line(format!("{protocol}, {scheme}{}", backend(place)), colour, &rows, &value)
    });
    series.filter(|series| !series.points.is_empty()).collect()
}

fn authenticators(rows: &[Row]) -> Chart {
    let mut series = by_scheme(rows, |row| Some(each(row, row.ordering.authenticators)));
    let mut name = "theory, of each".to_owned();
    for (_, rows) in groups(fault_free(rows)) {
        series.extend(theory(std::mem::take(&mut name), &rows, |row| row.theory.authenticators));
    }
    Chart {
        name: "authenticators",
        title: "Authenticators received for one decision, without faults".to_owned(),
        about: "Signatures, partial or combined, in the messages that replicas receive: a list certificate counts as many as it holds, a \
                combined one counts one."
            .to_owned(),
        values: "authenticators",
        scale: Scale::Logarithmic,
        series,
    }
}

fn bytes(rows: &[Row]) -> Chart {
    Chart {
        name: "bytes",
        title: "Bytes of agreement for one decision, without faults".to_owned(),
        about: "As encoded, before framing and encryption, without batches of transactions.".to_owned(),
        values: "bytes",
        scale: Scale::Logarithmic,
        series: by_scheme(rows, |row| Some(each(row, row.ordering.bytes))),
    }
}

fn certificates(rows: &[Row]) -> Chart {
    let mut schemes: BTreeMap<&str, BTreeMap<usize, u64>> = BTreeMap::new();
    for row in fault_free(rows) {
        schemes.entry(scheme(row)).or_default().entry(row.n).or_insert(row.certificate_bytes);
    }
    let series = schemes.into_iter().enumerate().map(|(colour, (scheme, sizes))| Series {
        name: scheme.to_owned(),
        stroke: Stroke::Measured,
        colour,
        points: sizes.into_iter().map(|(n, bytes)| (n as f64, bytes as f64)).collect(),
    });
    Chart {
        name: "certificates",
        title: "Bytes of one quorum's certificate".to_owned(),
        about: "The proof alone, without the statement that it certifies.".to_owned(),
        values: "bytes",
        scale: Scale::Logarithmic,
        series: series.collect(),
    }
}

fn processor(rows: &[Row]) -> Chart {
    Chart {
        name: "processor",
        title: "Processor time of votes and certificates for one decision".to_owned(),
        about: "Of all replicas together: operations as counted, times what each costs on this machine. Where two lines cross, the other \
                scheme becomes the cheaper one."
            .to_owned(),
        values: "microseconds",
        scale: Scale::Logarithmic,
        series: by_scheme(rows, |row| row.cpu_micros),
    }
}

fn by_fault(rows: &[Row], value: impl Fn(&Row) -> Option<f64>) -> Vec<Series> {
    let named = of_first_scheme(rows).into_iter().enumerate();
    let series = named.map(|(colour, ((protocol, _, fault, place), rows))| {
        line(format!("{protocol}, {fault}{}", backend(place)), colour, &rows, &value)
    });
    series.filter(|series| !series.points.is_empty()).collect()
}

fn faults(rows: &[Row]) -> Chart {
    let has_faults = rows.iter().any(|row| row.fault != Fault::None);
    let series = if has_faults { by_fault(rows, |row| Some(each(row, row.ordering.messages))) } else { Vec::new() };
    Chart {
        name: "faults",
        title: "Messages for one decision, by fault".to_owned(),
        about: "What view changes and what replaces lost messages are part of it, over the whole range.".to_owned(),
        values: "messages",
        scale: Scale::Logarithmic,
        series,
    }
}

fn latency(rows: &[Row]) -> Chart {
    Chart {
        name: "latency",
        title: "From a block's proposal to its first commit".to_owned(),
        about: "Median, in network delays: every message takes one, nothing else takes time. Timeouts count in the same unit.".to_owned(),
        values: "network delays",
        scale: Scale::Linear,
        series: by_fault(rows, |row| row.latency_delays),
    }
}
