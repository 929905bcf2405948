//! A testnet of real processes, and the commands that talk to it.

// Each test program uses a part of it.
#![allow(dead_code, reason = "shared by several test programs")]

use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, ChildStdout, Command, Output, Stdio},
};

pub(crate) fn quorate(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quorate"));
    command.args(arguments).arg("--home").arg(home).env_remove("RUST_LOG").env_remove("QUORATE_NODE");
    command
}

pub(crate) fn run(home: &Path, arguments: &[&str]) -> Output {
    quorate(home, arguments).output().expect("runs")
}

/// Runs a command that must succeed and gives its answer.
pub(crate) fn answer(home: &Path, arguments: &[&str]) -> Value {
    let output = run(home, &[arguments, &["--output", "json"]].concat());
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// A running `quorate testnet`; ended when dropped.
pub(crate) struct Testnet {
    pub(crate) process: Child,
    lines: BufReader<ChildStdout>,
    /// What it said when it was ready.
    pub(crate) ready: Value,
}

impl Testnet {
    pub(crate) fn start(home: &Path, arguments: &[&str]) -> Self {
        let mut command = quorate(home, &[&["testnet", "--output", "ndjson"], arguments].concat());
        let mut process = command.stdout(Stdio::piped()).spawn().expect("runs");
        let lines = BufReader::new(process.stdout.take().expect("piped"));
        let mut testnet = Self { process, lines, ready: Value::Null };
        testnet.ready = testnet.event("ready");
        testnet
    }

    /// The next event of this name.
    pub(crate) fn event(&mut self, name: &str) -> Value {
        loop {
            let mut line = String::new();
            let read = self.lines.read_line(&mut line).expect("readable");
            assert!(read > 0, "the testnet ended before it said `{name}`");
            let event: Value = serde_json::from_str(&line).expect("one JSON document a line");
            if event["event"] == name {
                return event;
            }
        }
    }

    pub(crate) fn pid(&self, node: usize) -> String {
        self.ready["validators"][node]["pid"].to_string()
    }

    /// Ctrl-C, the verdict, and the exit code.
    pub(crate) fn stop(mut self) -> (Value, Option<i32>) {
        signal("-INT", &self.process.id().to_string());
        let end = self.event("end");
        (end, self.process.wait().expect("ends").code())
    }
}

impl Drop for Testnet {
    fn drop(&mut self) {
        // Its validators see their pipe close and stop.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn signal(kind: &str, pid: &str) {
    assert!(Command::new("kill").args([kind, pid]).status().expect("runs").success());
}

/// Waits for a testnet whose time is limited.
pub(crate) fn end_of(mut testnet: Testnet) -> (Value, Option<i32>) {
    let end = testnet.event("end");
    (end, testnet.process.wait().expect("ends").code())
}
