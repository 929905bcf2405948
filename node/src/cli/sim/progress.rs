//! How far a campaign is: its gauge, and with `--output ndjson` a document for each failure.

use super::{campaign::FailureView, gauge::Gauge};
use crate::output::{Format, Output, print};
use quorate_sim::campaign::Failure as Failed;
use serde_json::json;
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// Told by many threads.
pub(super) struct Progress {
    output: Output,
    gauge: Gauge,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    done: u64,
    failed: u64,
    shown: Option<Instant>,
}

impl Progress {
    pub(super) fn new(output: Output, of: u64) -> Self {
        Self { output, gauge: Gauge::new(output, "seeds", of), state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more run has ended.
    pub(super) fn tick(&self, failure: Option<&Failed>) {
        let mut state = self.state();
        state.done += 1;
        state.failed += u64::from(failure.is_some());
        if let Some(failure) = failure {
            self.tell(failure);
        }
        if state.shown.is_none_or(|shown| shown.elapsed() >= self.gauge.every()) {
            state.shown = Some(Instant::now());
            self.gauge.show(state.done, state.failed);
        }
    }

    fn tell(&self, failure: &Failed) {
        if self.output.format == Format::Ndjson {
            let line = json!({ "type": "failure", "failure": FailureView::from(failure) });
            // A reader that has gone stops nothing here; the report at the end will notice.
            let _ = print(&format!("{line}\n"));
        } else {
            let first = failure.what.lines().next().unwrap_or_default();
            self.gauge.remark(&format!("SEED={} {first}", failure.seed));
        }
    }

    /// Leaves no half line behind.
    pub(super) fn clear(&self) {
        self.gauge.clear();
    }
}
