//! What `bench load` writes: `load.json`, `load.md`, `load.csv`.

use super::{Figure, Knee, Run, VERSION, figures::shown};
use crate::Provenance;
use serde::{Deserialize, Serialize};

/// Under what a load ran.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// How the validators agree.
    pub protocol: String,
    /// What they sign votes with.
    pub scheme: String,
    /// How many there are.
    pub validators: usize,
    /// What the chain runs: `opaque` or `kv`.
    pub application: String,
    /// Whether clients sign their transactions.
    pub client_signatures: bool,
    /// When promises reach the disk.
    pub durability: String,
    /// Bytes of each transaction's payload.
    pub payload_bytes: usize,
    /// Client accounts that take turns.
    pub accounts: u32,
    /// What the accounts are made from.
    pub seed: u64,
    /// Seconds before the window.
    pub warm_up_seconds: f64,
    /// Whether the testnet was started for the load, on this machine; it was connected to, otherwise.
    pub started: bool,
}

/// The result of one load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoadReport {
    /// What file this is: `load`.
    pub kind: String,
    /// Of the file's form.
    pub version: u32,
    /// What made it, where and how.
    pub provenance: Provenance,
    /// Under what.
    pub setting: Setting,
    /// What was measured.
    pub run: Run,
    /// Why the run is no result; empty if it is one.
    pub refusals: Vec<String>,
    /// The search for the knee, if that was what the rate came from.
    pub knee: Option<Knee>,
}

impl LoadReport {
    /// The name of this kind of file.
    pub const KIND: &'static str = "load";

    /// The report of a run.
    pub fn new(provenance: Provenance, setting: Setting, run: Run, knee: Option<Knee>) -> Self {
        let refusals = run.refusals();
        Self { kind: Self::KIND.to_owned(), version: VERSION, provenance, setting, run, refusals, knee }
    }

    /// `load.csv`: a line for each short run of a search, and one for the run itself.
    pub fn csv(&self) -> String {
        let columns = "step,due_per_second,committed_per_second,p50_ms,p90_ms,p99_ms,max_ms,consensus_p50_ms,consensus_p99_ms,\
            blocks_per_second,tx_per_block,cpu_s_per_1000_tx,client_cpu_s_per_1000_tx,flushes_per_block,view_changes,refused,\
            sent_late_p99_ms,verdict";
        let mut lines = vec![columns.to_owned()];
        let probes = self.knee.iter().flat_map(|knee| &knee.probes);
        lines.extend(probes.map(|probe| line("probe", &probe.run, probe.missed.as_deref().unwrap_or("carried"))));
        let verdict = if self.refusals.is_empty() { "result".to_owned() } else { self.refusals.join("; ") };
        lines.push(line("run", &self.run, &verdict));
        lines.join("\n") + "\n"
    }

    /// `load.md`.
    pub fn markdown(&self) -> String {
        let mut text = format!("# Load\n\n{}\n\n", self.heading().join("  \n"));
        if !self.refusals.is_empty() {
            let reasons: Vec<_> = self.refusals.iter().map(|reason| format!("- {reason}\n")).collect();
            text.push_str(&format!("**No result**, because\n\n{}\n", reasons.concat()));
        }
        text.push_str("| figure | value | unit |\n|---|---:|---|\n");
        for Figure { name, unit, value } in self.figures() {
            text.push_str(&format!("| {name} | {} | {unit} |\n", shown(value)));
        }
        if let Some(knee) = &self.knee {
            text.push_str(&format!("\n## The search for the knee\n\nThe rule: {}.\n\n", knee.rule));
            text.push_str("| due tx/s | committed tx/s | p50 ms | p99 ms | carried |\n|---:|---:|---:|---:|---|\n");
            for probe in &knee.probes {
                text.push_str(&format!("| {} |\n", probe.cells().join(" | ")));
            }
        }
        text + &provenance(&self.provenance)
    }
}

/// The last part of a page: where the figures come from.
pub(super) fn provenance(of: &Provenance) -> String {
    let lines: Vec<_> = of.lines().into_iter().map(|(name, value)| format!("- {name}: {value}\n")).collect();
    format!("\n## Provenance\n\n{}", lines.concat())
}

impl super::Probe {
    /// Its row in a table of the search.
    pub(super) fn cells(&self) -> [String; 5] {
        let ms = |of: fn(super::Quantiles) -> f64| self.run.end_to_end.map_or_else(|| "-".to_owned(), |q| shown(of(q)));
        let verdict = self.missed.as_ref().map_or_else(|| "yes".to_owned(), |why| format!("no: {why}"));
        let (due, committed) = (shown(f64::from(self.run.rate)), shown(self.run.committed_per_second()));
        [due, committed, ms(|q| q.p50_ms), ms(|q| q.p99_ms), verdict]
    }
}

fn line(step: &str, run: &Run, verdict: &str) -> String {
    let number = |value: Option<f64>| value.map(|value| format!("{value:.3}")).unwrap_or_default();
    let numbers = [
        Some(f64::from(run.rate)),
        Some(run.committed_per_second()),
        run.end_to_end.map(|q| q.p50_ms),
        run.end_to_end.map(|q| q.p90_ms),
        run.end_to_end.map(|q| q.p99_ms),
        run.end_to_end.map(|q| q.max_ms),
        run.consensus.map(|q| q.p50_ms),
        run.consensus.map(|q| q.p99_ms),
        Some(run.blocks_per_second()),
        Some(run.transactions_per_block()),
        run.cpu_per_thousand(),
        Some(run.client_cpu_per_thousand()),
        Some(run.flushes_per_block()),
        Some(run.view_changes() as f64),
        Some(run.refused as f64),
        run.lateness.map(|q| q.p99_ms),
    ];
    let numbers: Vec<_> = numbers.into_iter().map(number).collect();
    format!("{step},{},\"{}\"", numbers.join(","), verdict.replace('"', "'"))
}

#[cfg(test)]
pub(super) mod tests {
    use super::{
        super::{Probe, RULE, run::tests::good},
        *,
    };

    pub(in super::super) fn origin() -> Provenance {
        let built = crate::Built { version: "0.1.0", commit: "abc", rustc: "rustc 1.95" };
        Provenance::of(built, Some(1), ["bench".to_owned(), "load".to_owned()])
    }

    pub(in super::super) fn report() -> LoadReport {
        let setting = Setting {
            protocol: "hotstuff".into(),
            scheme: "ed25519".into(),
            validators: 4,
            application: "opaque".into(),
            client_signatures: false,
            durability: "always".into(),
            payload_bytes: 512,
            accounts: 256,
            seed: 1,
            warm_up_seconds: 5.0,
            started: true,
        };
        LoadReport::new(origin(), setting, good(), None)
    }

    #[test]
    fn it_reads_back_and_each_line_of_the_csv_has_all_columns() {
        let mut report = report();
        let probe = |missed: Option<&str>| Probe { run: good(), missed: missed.map(str::to_owned) };
        let probes = vec![probe(None), probe(Some("p99, of \"9\" ms"))];
        report.knee = Some(Knee { rule: RULE.into(), probes, rate: Some(1000), ended: None });
        let json = serde_json::to_string(&report).expect("JSON");
        assert_eq!(serde_json::from_str::<LoadReport>(&json).expect("reads"), report);
        let csv = report.csv();
        let commas = |line: &str| line.split('"').step_by(2).map(|part| part.matches(',').count()).sum::<usize>();
        assert_eq!(csv.lines().count(), 4);
        assert!(csv.lines().all(|line| commas(line) == 17), "{csv}");
        assert!(csv.contains("\"p99, of '9' ms\"") && csv.ends_with("\"result\"\n"), "{csv}");
    }

    #[test]
    fn the_page_says_what_refuses_the_result() {
        let mut run = good();
        run.lost = 3;
        let refused = LoadReport { refusals: run.refusals(), run, ..report() };
        assert!(refused.markdown().contains("**No result**, because\n\n- 3 transactions"));
        assert!(!report().markdown().contains("No result"));
    }
}
