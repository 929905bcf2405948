//! The conformance program as a process.

use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// A running program that is asked and answers.
pub(crate) struct Program {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
    answered: usize,
}

impl Program {
    pub(crate) fn start() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_conformance"));
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the conformance program starts");
        let requests = child.stdin.take().expect("piped");
        let answers = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, requests, answers, answered: 0 }
    }

    pub(crate) fn ask(&mut self, request: &Value) -> Value {
        writeln!(self.requests, "{request}").expect("the program reads");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the program answers");
        self.answered += 1;
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{request} was answered {line:?}: {error}"))
    }

    /// How many requests there were: whoever counts notices vectors that went missing.
    pub(crate) fn answered(&self) -> usize {
        self.answered
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}
