//! How a command ends: its exit code and, if it failed, a message that says what, where, why and what to try.

use std::{fmt, process::ExitCode};

/// The documented exit codes. See [`Exit::HELP`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It worked.
    Success = 0,
    /// It did not work: the answer was no, a file is damaged, a proof does not hold.
    Failure = 1,
    /// The command line makes no sense (clap's code, too).
    Usage = 2,
    /// Two ledgers differ. Nothing is worse.
    Diverged = 3,
    /// It took too long.
    NoProgress = 4,
    /// The surroundings are not fit: a port in use, a missing file, a full disk, a node that does not answer.
    Environment = 5,
    /// Ctrl-C.
    Interrupted = 130,
}

impl Exit {
    /// Shown below `--help`.
    pub const HELP: &'static str = "Exit codes:\n  0    ok\n  1    failure: the answer is no, a proof or a file is \
        bad\n  2    usage: the command line makes no sense\n  3    safety violation: ledgers differ\n  4    no progress, \
        or not in time\n  5    environment: port in use, missing file, full disk, node not reachable\n  130  \
        interrupted (Ctrl-C)";
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// A command that did not end well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The process's exit code.
    pub exit: Exit,
    /// What went wrong, where and why. Empty when there is nobody left to tell.
    pub what: String,
    /// What to try, a line each.
    pub hints: Vec<String>,
}

impl Failure {
    /// A failure with a code of its own.
    pub fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self { exit, what: what.into(), hints: Vec::new() }
    }

    /// The answer is no.
    pub fn failed(what: impl Into<String>) -> Self {
        Self::new(Exit::Failure, what)
    }

    /// The command line makes no sense.
    pub fn usage(what: impl Into<String>) -> Self {
        Self::new(Exit::Usage, what)
    }

    /// The surroundings are not fit.
    pub fn environment(what: impl Into<String>) -> Self {
        Self::new(Exit::Environment, what)
    }

    /// The reader of our standard output has gone: end quietly, as `head` expects.
    pub fn reader_gone() -> Self {
        Self::new(Exit::Success, "")
    }

    /// Adds a line on what to try.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.what.is_empty() {
            return Ok(());
        }
        write!(f, "error: {}", self.what)?;
        for hint in &self.hints {
            write!(f, "\n  try: {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_what_to_try() {
        let failure = Failure::environment("port 26700 is in use").hint("quorate testnet --base-port 27000");
        assert_eq!(failure.to_string(), "error: port 26700 is in use\n  try: quorate testnet --base-port 27000");
    }

    #[test]
    fn a_reader_who_left_is_not_told_so() {
        assert_eq!(Failure::reader_gone().to_string(), "");
        assert_eq!(Failure::reader_gone().exit, Exit::Success);
    }
}
