//! How far many runs are: a line that redraws on a terminal; with `--output ndjson` documents; elsewhere nothing.

use super::rate;
use crate::output::{Format, Output, complain, print};
use serde_json::json;
use std::{
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

/// Between two looks at a terminal.
const EVERY: Duration = Duration::from_millis(250);
/// Characters of the bar.
const BAR: u64 = 30;

/// The bar, its numbers, and where they go.
pub(in crate::cli) struct Gauge {
    output: Output,
    /// Whether a line is redrawn.
    live: bool,
    /// What is counted, in the plural.
    what: &'static str,
    of: u64,
    began: Instant,
}

impl Gauge {
    pub(in crate::cli) fn new(output: Output, what: &'static str, of: u64) -> Self {
        let terminal = io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let live = terminal && output.format == Format::Text && !output.quiet;
        Self { output, live, what, of, began: Instant::now() }
    }

    /// Whether anybody would see it.
    pub(in crate::cli) fn is_seen(&self) -> bool {
        self.live || self.output.format == Format::Ndjson
    }

    /// Between two looks: documents are fewer.
    pub(in crate::cli) fn every(&self) -> Duration {
        if self.live { EVERY } else { EVERY * 4 }
    }

    pub(in crate::cli) fn show(&self, done: u64, failed: u64) {
        let (what, of, rate) = (self.what, self.of, rate(done, self.began));
        let left = of.saturating_sub(done) as f64 / rate.max(0.1);
        if self.live {
            let bar = bar(done, of);
            let line = format!("[{bar}] {done}/{of} {what}, {failed} failed, {rate} a second, {} left", clock(left));
            let _ = write!(io::stderr().lock(), "\r\x1b[2K{line}");
            let _ = io::stderr().flush();
        } else if self.output.format == Format::Ndjson {
            let mut line = json!({
                "type": "progress", "done": done, "of": of, "failed": failed, "left": left.round(),
            });
            line[format!("{what}_a_second")] = json!(rate);
            // A reader that has gone stops nothing here; the report at the end will notice.
            let _ = print(&format!("{line}\n"));
        }
    }

    /// A remark above the line.
    pub(in crate::cli) fn remark(&self, text: &str) {
        if self.live {
            self.clear();
            complain(text);
        }
    }

    /// Leaves no half line behind.
    pub(in crate::cli) fn clear(&self) {
        if self.live {
            let _ = write!(io::stderr().lock(), "\r\x1b[2K");
            let _ = io::stderr().flush();
        }
    }
}

fn bar(done: u64, of: u64) -> String {
    let full = BAR * done / of.max(1);
    (0..BAR).map(|at| if at < full { '#' } else { '.' }).collect()
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
