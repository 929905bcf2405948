//! When a run is no result.

use super::{Ledgers, Run};

/// Milliseconds after it was due at which a transaction was sent late. If one of a hundred was, the client was the bottleneck.
pub const LATE_MS: f64 = 50.0;

/// The least part of what was accepted that must be committed.
pub const LEAST_COMMITTED: f64 = 0.95;

impl Run {
    /// Why its throughput and latencies must not be quoted. Empty: they may.
    pub fn refusals(&self) -> Vec<String> {
        let reasons =
            [self.client_was_late(), self.reports_were_missed(), self.nodes_disagree(), self.too_few(), self.lost()];
        reasons.into_iter().flatten().collect()
    }

    /// Whether it was the client that could not keep up.
    pub fn client_was_late(&self) -> Option<String> {
        let late = self.lateness.map(|lateness| lateness.p99_ms).filter(|p99| *p99 > LATE_MS)?;
        Some(format!(
            "the client was the bottleneck: one of a hundred transactions was sent {late:.0} ms or more after it was due (bound: {LATE_MS:.0} ms)"
        ))
    }

    fn reports_were_missed(&self) -> Option<String> {
        (self.missed_events > 0).then(|| {
            format!(
                "the client was the bottleneck: it was too slow to read {} of the validators' reports",
                self.missed_events
            )
        })
    }

    fn nodes_disagree(&self) -> Option<String> {
        match &self.ledgers {
            Ledgers::Agree { .. } => None,
            Ledgers::Differ { how } => Some(format!("the nodes disagree: {how}")),
            Ledgers::Unread { why } => Some(format!("not all ledgers could be compared: {why}")),
            Ledgers::NotCompared => Some("the ledgers were not compared".to_owned()),
        }
    }

    fn too_few(&self) -> Option<String> {
        let (committed, accepted) = (self.committed, self.accepted);
        if accepted == 0 {
            return Some(format!("none of {} transactions was accepted", self.due));
        }
        let part = committed as f64 / accepted as f64;
        (part < LEAST_COMMITTED).then(|| {
            format!(
                "{committed} of {accepted} accepted transactions were committed: {:.1} %, and {:.0} % must be",
                part * 100.0,
                LEAST_COMMITTED * 100.0
            )
        })
    }

    fn lost(&self) -> Option<String> {
        (self.lost > 0).then(|| format!("{} transactions that were reported committed are lost", self.lost))
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Quantiles, run::tests::good},
        *,
    };

    fn refused(change: impl FnOnce(&mut Run), why: &str) {
        let mut run = good();
        change(&mut run);
        let refusals = run.refusals();
        assert!(refusals.len() == 1 && refusals[0].contains(why), "{why}: {refusals:?}");
    }

    #[test]
    fn a_good_run_is_a_result() {
        assert_eq!(good().refusals(), Vec::<String>::new());
    }

    #[test]
    fn each_reason_by_itself_refuses_and_says_its_number() {
        let late = Quantiles { count: 9, p50_ms: 0.1, p90_ms: 0.2, p99_ms: LATE_MS + 1.0, max_ms: 90.0 };
        refused(|run| run.lateness = Some(late), "was sent 51 ms or more after it was due (bound: 50 ms)");
        refused(|run| run.missed_events = 3, "too slow to read 3");
        refused(|run| run.ledgers = Ledgers::Differ { how: "at height 7".into() }, "disagree: at height 7");
        refused(|run| run.ledgers = Ledgers::Unread { why: "node3".into() }, "could be compared: node3");
        refused(|run| run.ledgers = Ledgers::NotCompared, "not compared");
        refused(|run| run.committed = 9_499, "9499 of 10000 accepted transactions were committed: 95.0 %");
        refused(|run| (run.accepted, run.committed) = (0, 0), "none of 10000");
        refused(|run| run.lost = 2, "2 transactions that were reported committed are lost");
    }

    #[test]
    fn what_lies_on_the_bound_is_within_it() {
        let mut run = good();
        run.lateness = Some(Quantiles { count: 9, p50_ms: 1.0, p90_ms: 1.0, p99_ms: LATE_MS, max_ms: 400.0 });
        run.committed = 9_500;
        assert_eq!(run.refusals(), Vec::<String>::new());
    }
}
