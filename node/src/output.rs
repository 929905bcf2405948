//! What commands print: data on standard output in the format asked for, everything else on standard error.
//!
//! A reader that closes the pipe early ends the command quietly with code 0; nothing here panics on EPIPE.

use crate::exit::{Exit, Failure};
use clap::ValueEnum;
use serde::Serialize;
use std::io::{self, IsTerminal, Write};

/// How data is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON document, indented.
    Json,
    /// One JSON document a line.
    Ndjson,
}

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set; always if `CLICOLOR_FORCE` is.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Where a command's words go.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// How data is printed.
    pub format: Format,
    /// Leave out remarks on standard error; errors are still told.
    pub quiet: bool,
    /// When to colour.
    pub color: Color,
}

impl Output {
    /// Prints one piece of data: as JSON, or the text that `text` makes of it.
    pub fn data<T: Serialize>(&self, value: &T, text: impl FnOnce(&T) -> String) -> Result<(), Failure> {
        let broken = |error: serde_json::Error| Failure::failed(format!("could not print the answer as JSON: {error}"));
        let line = match self.format {
            Format::Text => text(value),
            Format::Json => serde_json::to_string_pretty(value).map_err(broken)?,
            Format::Ndjson => serde_json::to_string(value).map_err(broken)?,
        };
        print(&format!("{}\n", line.trim_end_matches('\n')))
    }

    /// A remark for people, on standard error.
    pub fn note(&self, text: impl AsRef<str>) {
        if !self.quiet {
            complain(text.as_ref());
        }
    }

    /// Whether to send colours to standard error.
    pub fn colors_stderr(&self) -> bool {
        self.colors(io::stderr().is_terminal())
    }

    /// Whether to send colours and redraws to standard output.
    pub fn colors_stdout(&self) -> bool {
        self.colors(io::stdout().is_terminal())
    }

    fn colors(&self, terminal: bool) -> bool {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0");
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => set("CLICOLOR_FORCE") || (terminal && !set("NO_COLOR")),
        }
    }
}

/// Writes bytes of data to standard output.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::reader_gone(),
        _ => Failure::new(Exit::Environment, format!("cannot write to standard output: {error}")),
    })
}

/// Writes a line to standard error, if anybody reads it.
pub fn complain(text: &str) {
    if !text.is_empty() {
        let _ = writeln!(io::stderr().lock(), "{text}");
    }
}
