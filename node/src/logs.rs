//! Logs: to standard error, as text or as JSON, coloured only where somebody sees the colours.

use crate::{exit::Failure, output::Output};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use std::io;
use tracing_subscriber::EnvFilter;

/// The form of a log line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON document a line.
    Json,
}

/// Sends the process's logs to standard error. `filter` is in the syntax of `RUST_LOG`.
pub fn init(filter: &str, format: LogFormat, output: &Output) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        Failure::usage(format!("log filter `{filter}`: {error}")).hint("--log info, or --log quorate=debug,libp2p=warn")
    })?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let set = match format {
        LogFormat::Text => builder.with_ansi(output.colors_stderr()).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).with_ansi(false).try_init(),
    };
    set.map_err(|error| Failure::failed(format!("cannot set up logging: {error}")))
}
