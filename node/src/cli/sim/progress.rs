//! How far a campaign is: a line that redraws on a terminal; with `--output ndjson` a document a second and one for each failure;
//! elsewhere nothing.

use super::{campaign::FailureView, rate};
use crate::output::{Format, Output, complain, print};
use quorate_sim::campaign::Failure as Failed;
use serde_json::json;
use std::{
    io::{self, IsTerminal, Write},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Between two looks.
const EVERY: Duration = Duration::from_millis(250);
/// Characters of the bar.
const BAR: u64 = 30;

/// Told by many threads.
pub(super) struct Progress {
    output: Output,
    /// Whether a line is redrawn.
    live: bool,
    of: u64,
    began: Instant,
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
        let terminal = io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let live = terminal && output.format == Format::Text && !output.quiet;
        Self { output, live, of, began: Instant::now(), state: Mutex::default() }
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
        let every = if self.live { EVERY } else { EVERY * 4 };
        if state.shown.is_none_or(|shown| shown.elapsed() >= every) {
            state.shown = Some(Instant::now());
            self.show(state.done, state.failed);
        }
    }

    fn tell(&self, failure: &Failed) {
        match self.output.format {
            // A reader that has gone stops nothing here; the report at the end will notice.
            Format::Ndjson => {
                let line = json!({ "type": "failure", "failure": FailureView::from(failure) });
                let _ = print(&format!("{line}\n"));
            }
            Format::Text if self.live => {
                self.erase();
                complain(&format!("SEED={} {}", failure.seed, failure.what.lines().next().unwrap_or_default()));
            }
            Format::Text | Format::Json => {}
        }
    }

    fn show(&self, done: u64, failed: u64) {
        let rate = rate(done, self.began);
        let left = self.of.saturating_sub(done) as f64 / rate.max(0.1);
        if self.live {
            let full = usize::try_from(BAR * done / self.of.max(1)).unwrap_or(0);
            let bar: String =
                (0..BAR).map(|at| if usize::try_from(at).is_ok_and(|at| at < full) { '#' } else { '.' }).collect();
            let line =
                format!("[{bar}] {done}/{} seeds, {failed} failed, {rate} a second, {} left", self.of, clock(left));
            let _ = write!(io::stderr().lock(), "\r\x1b[2K{line}");
            let _ = io::stderr().flush();
        } else if self.output.format == Format::Ndjson {
            let line = json!({
                "type": "progress", "done": done, "of": self.of, "failed": failed, "seeds_a_second": rate, "left": left.round(),
            });
            let _ = print(&format!("{line}\n"));
        }
    }

    /// Leaves no half line behind.
    pub(super) fn clear(&self) {
        if self.live {
            self.erase();
        }
    }

    fn erase(&self) {
        let _ = write!(io::stderr().lock(), "\r\x1b[2K");
        let _ = io::stderr().flush();
    }
}

/// Seconds for people.
fn clock(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3600),
    }
}
