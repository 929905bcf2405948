//! What a testnet prints: for people, with a table that redraws on a terminal, or one JSON document a line.

use super::{children::Died, load::Summary, watch};
use crate::{
    exit::Failure,
    output::{Format, Output, print},
};
use serde_json::{Value, json};
use std::io::{self, IsTerminal};

/// Where a testnet's words go.
pub(crate) struct Screen {
    output: Output,
    /// Redraw the table in place.
    live: bool,
    /// Lines of the table that stand at the bottom now.
    drawn: usize,
}

impl Screen {
    pub(crate) fn new(output: Output) -> Self {
        let terminal = io::stdout().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        Self { output, live: terminal && output.format == Format::Text, drawn: 0 }
    }

    /// Something that happened: text for people, `event` for programs.
    pub(crate) fn tell(&mut self, text: &str, event: &Value) -> Result<(), Failure> {
        match self.output.format {
            Format::Text => {
                let erase = self.erase();
                print(&format!("{erase}{}\n", text.trim_end()))
            }
            Format::Json | Format::Ndjson => print(&format!("{event}\n")),
        }
    }

    /// A remark for people.
    pub(crate) fn note(&self, text: String) {
        self.output.note(text);
    }

    /// A validator that died by itself.
    pub(crate) fn died(&mut self, died: &Died, restart: &str) -> Result<(), Failure> {
        let how = super::children::shown(died.status);
        let tail: Vec<_> = died.log_tail.lines().map(|line| format!("    {line}")).collect();
        let text = format!(
            "{} (pid {}) ended with {how}; the last lines of its log:\n{}\n  restart it with: {restart}\n",
            died.name,
            died.pid,
            tail.join("\n")
        );
        let event = json!({
            "event": "died", "validator": died.name, "pid": died.pid, "how": how, "log_tail": died.log_tail, "restart": restart,
        });
        self.tell(&text, &event)
    }

    /// How things are: a redrawn table on a terminal, else a line of JSON.
    pub(crate) fn status(&mut self, lines: &[watch::Line], load: Option<&Summary>) -> Result<(), Failure> {
        if !self.live {
            return print(&format!("{}\n", json!({ "event": "status", "validators": lines, "load": load })));
        }
        let mut text = watch::table(lines);
        if let Some(load) = load {
            text.push_str(&load.text());
            text.push('\n');
        }
        text.push_str("Ctrl-C stops the testnet and compares the ledgers\n");
        let erase = self.erase();
        self.drawn = text.lines().count();
        // Long lines would wrap and spoil the count: no wrapping while we draw.
        print(&format!("{erase}\x1b[?7l{text}\x1b[?7h"))
    }

    /// How often [`Self::status`] is worth calling, in seconds.
    pub(crate) fn pace(&self) -> u64 {
        if self.live { 1 } else { 5 }
    }

    /// Moves up over the table and clears to the end of the screen.
    fn erase(&mut self) -> String {
        match std::mem::take(&mut self.drawn) {
            0 => String::new(),
            lines => format!("\x1b[{lines}A\x1b[J"),
        }
    }
}
