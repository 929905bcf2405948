use super::*;
use crate::{
    Built,
    complexity::{Backend, Costs, Fault, Kinds, Real, Stretches, Theory},
};

fn row(protocol: &str, scheme: &str, n: u64, messages: u64, theory: u64) -> Row {
    let cpu_micros = Some(if scheme == "ed25519" { 40 * n * n } else { 400 * n + 1500 } as f64);
    Row {
        protocol: protocol.to_owned(),
        scheme: scheme.to_owned(),
        n: n as usize,
        fault: Fault::None,
        backend: Backend::Sim,
        decisions: 10,
        views: 12,
        failed_views: 0,
        ordering: Costs {
            messages: 10 * messages,
            bytes: 1_000 * messages,
            authenticators: 20 * messages,
            ..Costs::default()
        },
        dissemination: Costs { messages: 10 * (n - 1), bytes: 5_000, ..Costs::default() },
        theory: Theory { messages: Some(10 * theory), authenticators: None, formula: "2n(n-1) a block".to_owned() },
        kinds: vec![Kinds {
            kind: "commit".to_owned(),
            phase: "commit".to_owned(),
            role: "other".to_owned(),
            outcome: "decided".to_owned(),
            messages: 10 * messages,
            bytes: 1_000 * messages,
            authenticators: 20 * messages,
        }],
        latency_delays: Some(3.0),
        certificate_bytes: 64 * n,
        cpu_micros,
        seed: 7,
        real: None,
        millis: 12,
    }
}

fn report(rows: Vec<Row>) -> Report {
    let built = Built { version: "1.2.3", commit: "abc", rustc: "rustc 1.95" };
    let provenance = Provenance::of(built, Some(7), ["bench".to_owned(), "<complexity> & \"more\"".to_owned()]);
    Report::new("What decisions cost".to_owned(), provenance, vec!["A note.".to_owned()], rows)
}

fn quadratic() -> Vec<Row> {
    let sizes = [4u64, 7, 10, 16, 31, 64];
    let rows =
        sizes.map(|n| ["ed25519", "bls-multi"].map(|scheme| row("pbft", scheme, n, 2 * n * (n - 1), 2 * n * (n - 1))));
    rows.into_iter().flatten().collect()
}

#[test]
fn a_formula_that_every_row_meets_is_confirmed_and_one_message_more_is_not() {
    let confirmed = findings(&quadratic());
    let messages = |finding: &&Finding| finding.what == "messages" && finding.scheme == "ed25519";
    let finding = confirmed.iter().find(messages).expect("messages of pbft");
    assert_eq!((finding.fit.to_string().as_str(), finding.verdict()), ("exactly 2n^2 - 2n", "confirmed"));

    let mut rows = quadratic();
    rows[4].ordering.messages += 1;
    let finding = findings(&rows).into_iter().find(|finding| messages(&finding)).expect("messages of pbft");
    assert_eq!((finding.met, finding.of, finding.verdict()), (5, 6, "NOT MET"));
}

#[test]
fn schemes_cross_where_the_other_one_becomes_cheaper() {
    let crossovers = crossovers(&quadratic());
    // 40 n^2 = 400 n + 1500 between 13 and 14.
    assert_eq!(crossovers.len(), 1);
    assert_eq!((crossovers[0].from.as_str(), crossovers[0].to.as_str()), ("ed25519", "bls-multi"));
    assert_eq!(crossovers[0].between, (10, 16));
}

#[test]
fn a_report_is_a_page_its_charts_and_three_forms_for_programs() {
    let folder = tempfile::tempdir().expect("a folder");
    let written = report(quadratic()).write(&folder.path().join("new")).expect("written");
    let names: Vec<_> = written.iter().filter_map(|path| path.file_name()?.to_str()).collect();
    for name in ["report.html", "report.md", "report.csv", "report.json", "messages.svg", "bytes.svg", "latency.svg"] {
        assert!(names.contains(&name), "{name} in {names:?}");
    }
    assert!(!names.contains(&"faults.svg"), "there are no rows with faults");
    let read = |name: &str| std::fs::read_to_string(folder.path().join("new").join(name)).expect("text");
    let page = read("report.html");
    assert!(page.contains("&lt;complexity&gt; &amp; &quot;more&quot;") && !page.contains("<complexity>"), "escaped");
    assert!(page.contains("exactly 2n^2 - 2n") && page.contains("<svg role=\"img\"") && !page.contains("http-equiv"));
    assert!(!page.contains("<script") && !page.contains("src="), "no other file");
    let csv = read("report.csv");
    let columns: Vec<_> = csv.lines().map(|line| line.split(',').count()).collect();
    assert!(columns.len() == 13 && columns.iter().all(|count| *count == columns[0]), "{columns:?}");
    let json: serde_json::Value = serde_json::from_str(&read("report.json")).expect("json");
    assert_eq!((&json["format"], &json["rows"][0]["n"]), (&FORMAT.into(), &4.into()));
}

#[test]
fn an_empty_report_is_one_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let written = report(Vec::new()).write(folder.path()).expect("written");
    assert_eq!(written.len(), 4);
}

#[test]
fn a_folder_that_cannot_be_made_is_named_in_the_error() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let error = report(quadratic()).write(&file.path().join("inside")).expect_err("a file is no folder");
    assert!(error.to_string().contains("inside"), "{error}");
}

#[test]
fn a_testnet_meets_a_formula_that_some_stretch_costs_exactly_and_none_exceeds() {
    let real = |exact, above| {
        let stretches = Stretches { of: 10, exact, above };
        let real = Some(Real { stretches, libp2p_bytes: 70_000, commit_millis: 12.34 });
        // A vote that nobody needed was skipped.
        Row {
            backend: Backend::Testnet,
            real,
            latency_delays: None,
            cpu_micros: None,
            ..row("pbft", "ed25519", 4, 23, 24)
        }
    };
    let verdict = |rows: &[Row]| {
        let finding = findings(rows).into_iter().find(|finding| finding.what == "messages").expect("messages");
        format!("{} {} of {}{}", finding.verdict(), finding.met, finding.of, finding.in_stretches())
    };
    assert_eq!(verdict(&[real(9, 0)]), "confirmed 1 of 1; 9 of 10 stretches exactly, 0 above");
    assert_eq!(verdict(&[real(0, 0)]), "NOT MET 0 of 1; 0 of 10 stretches exactly, 0 above");
    assert_eq!(verdict(&[real(9, 0), real(8, 1)]), "NOT MET 1 of 2; 17 of 20 stretches exactly, 1 above");
    assert_eq!(verdict(&[row("pbft", "ed25519", 4, 23, 24)]), "NOT MET 0 of 1", "in the simulator nobody lags");

    let folder = tempfile::tempdir().expect("a folder");
    report(vec![real(9, 0)]).write(folder.path()).expect("written");
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect("text");
    for name in ["report.md", "report.html"] {
        assert!(read(name).contains("On real processes") && read(name).contains("A note."), "{name}");
    }
    let csv = read("report.csv");
    assert!(csv.lines().nth(1).is_some_and(|line| line.ends_with(",10,9,0,70000,12.3")), "{csv}");
}
