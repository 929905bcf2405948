//! The summary for people: one screen.

use super::{LATE_MS, Ledgers, LoadReport, Quantiles, figures::shown};

impl LoadReport {
    /// One screen. Without throughput and latencies, if something refuses them.
    pub fn text(&self) -> String {
        let mut lines = self.heading();
        lines.push(String::new());
        if self.refusals.is_empty() {
            lines.extend(self.headline());
        } else {
            lines.push("NO RESULT, because".to_owned());
            lines.extend(self.refusals.iter().map(|reason| format!("  - {reason}")));
        }
        lines.extend(self.details());
        lines.extend(self.search());
        lines.join("\n")
    }

    /// What ran, in two lines.
    pub(super) fn heading(&self) -> Vec<String> {
        let (setting, run) = (&self.setting, &self.run);
        let origin = if setting.started { "a testnet on this machine" } else { "a network that was there" };
        let signatures = if setting.client_signatures { "signed" } else { "not signed" };
        vec![
            format!(
                "Load on {origin}: {} validators, {} with {}, durability {}",
                setting.validators, setting.protocol, setting.scheme, setting.durability
            ),
            format!(
                "  {} transactions/s of {} bytes, {signatures} by their clients, application {}, for {} s after a warm-up of {} s",
                shown(f64::from(run.rate)),
                setting.payload_bytes,
                setting.application,
                shown(run.seconds),
                shown(setting.warm_up_seconds)
            ),
        ]
    }

    fn headline(&self) -> Vec<String> {
        let run = &self.run;
        vec![
            format!(
                "  committed    {} tx/s, {} MB/s ({} of {} accepted, {} refusals)",
                shown(run.committed_per_second()),
                shown(run.megabytes_per_second(self.setting.payload_bytes)),
                shown(run.committed as f64),
                shown(run.accepted as f64),
                shown(run.refused as f64)
            ),
            format!("  end to end   {}  from due to reported committed", quantiles(run.end_to_end)),
            format!("  consensus    {}  from proposed to reported committed", quantiles(run.consensus)),
        ]
    }

    fn details(&self) -> Vec<String> {
        let run = &self.run;
        let percent = |of: Option<f64>| of.map_or_else(|| "-".to_owned(), |percent| format!("{} %", shown(percent)));
        let seconds = |of: Option<f64>| of.map_or_else(|| "-".to_owned(), |cpu| format!("{} s", shown(cpu)));
        let rss = run.rss_mib().map_or_else(
            || "not on this machine".to_owned(),
            |(least, greatest)| format!("{} to {} MiB resident, each validator", shown(least), shown(greatest)),
        );
        vec![
            format!(
                "  blocks       {}/s of {} transactions (largest {}) in {} batches, view changes {}",
                shown(run.blocks_per_second()),
                shown(run.transactions_per_block()),
                shown(run.largest_block as f64),
                shown(run.batches_per_block()),
                run.view_changes()
            ),
            format!(
                "  CPU          {} per 1,000 tx on the validators, client {}; each validator {} of a core, idle {}",
                seconds(run.cpu_per_thousand()),
                seconds(Some(run.client_cpu_per_thousand())),
                percent(run.loaded_percent()),
                percent(run.idle_percent())
            ),
            format!("  memory       {rss}"),
            format!("  disk         {} per block on each validator", self.flushes()),
            format!("  client       {}  from due to sent (bound for p99: {LATE_MS:.0} ms)", quantiles(run.lateness)),
            format!("  ledgers      {}", ledgers(&run.ledgers)),
        ]
    }

    /// With durability `none`, what is written is not asked onto the disk.
    fn flushes(&self) -> String {
        let what = if self.setting.durability == "none" { "journal writes, no fsyncs," } else { "fsyncs" };
        format!("{} {what}", shown(self.run.flushes_per_block()))
    }

    fn search(&self) -> Vec<String> {
        let Some(knee) = &self.knee else { return Vec::new() };
        let found = knee
            .rate
            .map_or_else(|| "no rate was carried".to_owned(), |rate| format!("{} tx/s", shown(f64::from(rate))));
        let mut lines = vec![String::new(), format!("  knee         {found} in {} short runs", knee.probes.len())];
        let row = |[due, committed, p50, p99, verdict]: [String; 5]| {
            format!("    {due:>9} {committed:>9} {p50:>8} {p99:>8}   {verdict}")
        };
        lines.push(row(["due/s", "done/s", "p50 ms", "p99 ms", "carried"].map(str::to_owned)));
        lines.extend(knee.probes.iter().map(|probe| row(probe.cells())));
        lines.extend(knee.ended.iter().map(|why| format!("  the search ended: {why}")));
        lines
    }
}

fn quantiles(of: Option<Quantiles>) -> String {
    let Some(of) = of else { return "nothing was measured".to_owned() };
    let [p50, p90, p99, max] = [of.p50_ms, of.p90_ms, of.p99_ms, of.max_ms].map(shown);
    format!("p50 {p50}  p90 {p90}  p99 {p99}  max {max} ms")
}

fn ledgers(of: &Ledgers) -> String {
    match of {
        Ledgers::Agree { height } => format!("all agree up to height {}", shown(*height as f64)),
        Ledgers::Differ { how } => format!("DIFFER: {how}"),
        Ledgers::Unread { why } => format!("could not all be compared: {why}"),
        Ledgers::NotCompared => "were not compared".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::tests::report;

    #[test]
    fn a_result_fits_a_screen_and_says_all_that_was_asked() {
        let text = report().text();
        assert!(text.lines().count() <= 24, "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 140), "{text}");
        for part in [
            "hotstuff with ed25519",
            "999 tx/s, 0.5115 MB/s",
            "p50 12",
            "p99 24",
            "200/s of 5 transactions",
            "fsyncs",
            "view changes 0",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn a_refused_run_shows_neither_throughput_nor_latencies() {
        let mut refused = report();
        refused.run.committed = 1;
        refused.refusals = refused.run.refusals();
        let text = refused.text();
        assert!(text.contains("NO RESULT, because") && text.contains("1 of 10000 accepted"), "{text}");
        assert!(!text.contains("end to end") && !text.contains("MB/s"), "{text}");
    }
}
