//! The validators' processes: started, watched, and stopped by us, and nobody else's ever touched.
//!
//! Each is in a process group of its own, so that Ctrl-C reaches the testnet alone and the end is orderly; and each holds
//! the other end of a pipe from us and stops when it closes, so that none outlives a testnet that was killed. One that stands still
//! cannot see that; the kernel ends it, because its process group is then without a parent (`setpgid(2)`, orphaned process groups).

mod process;

use super::{layout::TestnetHome, manifest::NodeEntry};
use crate::exit::Failure;
use process::Process;
use std::{
    collections::BTreeMap,
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
};
use tokio::{
    process::{Child, Command},
    sync::mpsc,
};

/// How much of a dead validator's log is shown.
const TAIL_BYTES: u64 = 4096;
/// And how many lines of that.
const TAIL_LINES: usize = 8;

/// A validator's process that has ended, though nobody asked it to.
#[derive(Clone, Debug)]
pub(crate) struct Died {
    pub(crate) name: String,
    pub(crate) pid: u32,
    pub(crate) status: ExitStatus,
    pub(crate) log_tail: String,
}

/// All processes started.
pub(crate) struct Children {
    program: PathBuf,
    command: String,
    home: TestnetHome,
    passed_on: Vec<String>,
    running: BTreeMap<String, Process>,
    report: mpsc::UnboundedSender<Died>,
}

/// Those that die by themselves, as they do.
pub(crate) struct Deaths(mpsc::UnboundedReceiver<Died>);

impl Deaths {
    /// The next validator that dies by itself. Waits for ever when all have been told of.
    pub(crate) async fn next(&mut self) -> Died {
        match self.0.recv().await {
            Some(died) => died,
            None => std::future::pending().await,
        }
    }
}

impl Children {
    /// Starts this program's `command` as a process for each validator. `passed_on` is passed on to each.
    pub(crate) fn start(
        command: &str,
        home: &TestnetHome,
        nodes: &[NodeEntry],
        passed_on: &[String],
    ) -> Result<(Self, Deaths), Failure> {
        let program = std::env::current_exe()
            .map_err(|error| Failure::environment(format!("cannot tell where this program lies: {error}")))?;
        // Without a bound: one for each process that was started.
        let (report, deaths) = mpsc::unbounded_channel();
        let mut children = Self {
            program,
            command: command.to_owned(),
            home: home.clone(),
            passed_on: passed_on.to_vec(),
            running: BTreeMap::new(),
            report,
        };
        for node in nodes {
            children.spawn(&node.name)?;
        }
        Ok((children, Deaths(deaths)))
    }

    /// Starts a validator's process, and gives its number.
    pub(crate) fn spawn(&mut self, name: &str) -> Result<u32, Failure> {
        let log = self.home.log(name);
        let mut process = Command::new(&self.program);
        process.arg(&self.command).arg("--home").arg(self.home.node(name).path()).args(&self.passed_on);
        let child =
            spawn(process, &log).map_err(|error| Failure::environment(format!("cannot start {name}: {error}")))?;
        let process = Process::watch(child, name, log, self.report.clone());
        let pid = process.pid();
        self.running.insert(name.to_owned(), process);
        Ok(pid)
    }

    /// The process that was started for a validator last.
    pub(crate) fn pid(&self, name: &str) -> Option<u32> {
        self.running.get(name).map(Process::pid)
    }

    /// Stops those that still run: SIGTERM to all, patience, SIGKILL.
    pub(crate) async fn stop(&mut self) {
        let running: Vec<_> = std::mem::take(&mut self.running).into_values().collect();
        futures::future::join_all(running.into_iter().map(Process::stop)).await;
    }
}

/// What is done to one process on purpose.
#[cfg(feature = "lab")]
impl Children {
    /// Whether a validator's process runs, standing still or not.
    pub(crate) fn runs(&self, name: &str) -> bool {
        self.running.get(name).is_some_and(Process::runs)
    }

    /// Ends a validator's process with SIGKILL; gives its number once it has ended.
    pub(crate) async fn kill(&mut self, name: &str) -> Option<u32> {
        let process = self.running.remove(name)?;
        let pid = process.pid();
        process.kill().await.then_some(pid)
    }

    /// A validator's process stands still: every thread of it. Gives its number once it does.
    pub(crate) async fn pause(&mut self, name: &str) -> Option<u32> {
        let process = self.running.get(name)?;
        process.pause().await.then_some(process.pid())
    }

    /// It goes on.
    pub(crate) async fn resume(&mut self, name: &str) -> Option<u32> {
        let process = self.running.get(name)?;
        process.resume().await.then_some(process.pid())
    }
}

fn spawn(mut command: Command, log: &Path) -> std::io::Result<Child> {
    let log = File::options().create(true).append(true).open(log)?;
    // Settings meant for one validator would put all of them on one port.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("QUORATE_") {
            command.env_remove(name);
        }
    }
    command
        .arg("--until-stdin-closes")
        .stdin(Stdio::piped())
        .stdout(log.try_clone()?)
        .stderr(log)
        .process_group(0)
        .spawn()
}

/// The last lines of a log.
pub(crate) fn tail(path: &Path) -> String {
    let read = || -> std::io::Result<String> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        let mut bytes = Vec::new();
        file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<_> = text.lines().collect();
        Ok(lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n"))
    };
    read().unwrap_or_default()
}

/// How a process ended, in words.
pub(crate) fn shown(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => status.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_the_last_lines() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join("log");
        let text: String = (0..1000).map(|line| format!("line {line}\n")).collect();
        std::fs::write(&path, text).expect("new file");
        let tail = tail(&path);
        assert_eq!(tail.lines().count(), TAIL_LINES);
        assert!(tail.ends_with("line 999"), "{tail}");
        assert_eq!(super::tail(&dir.path().join("none")), "");
    }
}
