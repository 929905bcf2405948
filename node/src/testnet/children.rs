//! The validators' processes: started, watched, and stopped by us, and nobody else's ever touched.
//!
//! Each is in a process group of its own, so that Ctrl-C reaches the testnet alone and the end is orderly; and each holds
//! the other end of a pipe from us and stops when it closes, so that none outlives a testnet that was killed.

use super::{layout::TestnetHome, manifest::NodeEntry};
use crate::exit::Failure;
use rustix::process::{Pid, kill_process};
use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};
use tokio::{
    process::{Child, Command},
    sync::mpsc,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

/// How long a validator may take to stop before it is killed.
const PATIENCE: Duration = Duration::from_secs(10);
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
    watched: Vec<Watched>,
    stop: CancellationToken,
    died: mpsc::Receiver<Died>,
}

struct Watched {
    name: String,
    pid: u32,
    task: JoinHandle<()>,
}

impl Children {
    /// Starts this program's `command` as a process for each validator. `passed_on` is passed on to each.
    pub(crate) fn start(
        command: &str,
        home: &TestnetHome,
        nodes: &[NodeEntry],
        passed_on: &[String],
    ) -> Result<Self, Failure> {
        let program = std::env::current_exe()
            .map_err(|error| Failure::environment(format!("cannot tell where this program lies: {error}")))?;
        let stop = CancellationToken::new();
        let (report, died) = mpsc::channel(nodes.len().max(1));
        let mut children = Self { watched: Vec::new(), stop: stop.clone(), died };
        for node in nodes {
            let log = home.log(&node.name);
            let mut process = Command::new(&program);
            process.arg(command).arg("--home").arg(home.node(&node.name).path()).args(passed_on);
            let child = spawn(process, &log)
                .map_err(|error| Failure::environment(format!("cannot start {}: {error}", node.name)))?;
            let pid = child.id().unwrap_or_default();
            let task = tokio::spawn(watch(child, pid, node.name.clone(), log, stop.clone(), report.clone()));
            children.watched.push(Watched { name: node.name.clone(), pid, task });
        }
        Ok(children)
    }

    /// The next validator that dies by itself. Waits for ever when all have been told of.
    pub(crate) async fn died(&mut self) -> Died {
        match self.died.recv().await {
            Some(died) => died,
            None => std::future::pending().await,
        }
    }

    /// The process that was started for a validator.
    pub(crate) fn pid(&self, name: &str) -> Option<u32> {
        self.watched.iter().find(|child| child.name == name).map(|child| child.pid)
    }

    /// Stops those that still run: SIGTERM to all, patience, SIGKILL.
    pub(crate) async fn stop(&mut self) {
        self.stop.cancel();
        for child in self.watched.drain(..) {
            let _ = child.task.await;
        }
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

/// Waits for a process to end, by itself or because we stop it. The process is not reaped before, so its number is its own.
async fn watch(
    mut child: Child,
    pid: u32,
    name: String,
    log: PathBuf,
    stop: CancellationToken,
    report: mpsc::Sender<Died>,
) {
    // Taken out, or waiting would close it.
    let _lifeline = child.stdin.take();
    tokio::select! {
        ended = child.wait() => {
            if let Ok(status) = ended {
                let _ = report.send(Died { name, pid, status, log_tail: tail(&log) }).await;
            }
        }
        () = stop.cancelled() => {
            terminate(&child);
            if tokio::time::timeout(PATIENCE, child.wait()).await.is_err() {
                let _ = child.kill().await;
            }
        }
    }
}

fn terminate(child: &Child) {
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
    if let Some(pid) = pid {
        let _ = kill_process(pid, rustix::process::Signal::TERM);
    }
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
