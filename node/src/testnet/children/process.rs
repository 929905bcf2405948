//! One process of ours, from its start to its end.
//!
//! A task owns it, waits for it, and does to it what is asked. Signals are sent by that task alone: it has not reaped the process yet,
//! so the number is still this process', and nobody else's.

use super::{Died, tail};
use rustix::process::{Pid, Signal, kill_process};
use std::{path::PathBuf, time::Duration};
#[cfg(feature = "lab")]
use tokio::sync::oneshot;
use tokio::{process::Child, sync::mpsc, task::JoinHandle};

/// How long a validator may take to stop before it is killed.
const PATIENCE: Duration = Duration::from_secs(10);

/// A process that was started.
pub(super) struct Process {
    pid: u32,
    asks: mpsc::Sender<Ask>,
    task: JoinHandle<()>,
}

/// What is asked of it.
enum Ask {
    /// To end in order, or else at once.
    Stop,
    /// To end at once.
    #[cfg(feature = "lab")]
    Kill,
    /// To stand still.
    #[cfg(feature = "lab")]
    Pause(oneshot::Sender<bool>),
    /// To go on.
    #[cfg(feature = "lab")]
    Resume(oneshot::Sender<bool>),
}

impl Process {
    /// Watches a process that has just been started. Should it end by itself, `report` tells.
    pub(super) fn watch(child: Child, name: &str, log: PathBuf, report: mpsc::UnboundedSender<Died>) -> Self {
        let pid = child.id().unwrap_or_default();
        let (asks, asked) = mpsc::channel(1);
        let task = tokio::spawn(watch(child, asked, Watched { pid, name: name.to_owned(), log, report }));
        Self { pid, asks, task }
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// Ends it in order: SIGTERM, patience, SIGKILL.
    pub(super) async fn stop(self) {
        self.end(Ask::Stop).await;
    }

    /// Whether it was still there to be asked.
    async fn end(self, ask: Ask) -> bool {
        let asked = self.asks.send(ask).await.is_ok();
        let _ = self.task.await;
        asked
    }
}

#[cfg(feature = "lab")]
impl Process {
    /// Whether it has not ended.
    pub(super) fn runs(&self) -> bool {
        !self.asks.is_closed()
    }

    /// Ends it at once. Whether it was still there.
    pub(super) async fn kill(self) -> bool {
        self.end(Ask::Kill).await
    }

    /// Whether it stands still now.
    pub(super) async fn pause(&self) -> bool {
        self.ask(Ask::Pause).await
    }

    /// Whether it goes on now.
    pub(super) async fn resume(&self) -> bool {
        self.ask(Ask::Resume).await
    }

    async fn ask(&self, ask: fn(oneshot::Sender<bool>) -> Ask) -> bool {
        let (done, is_done) = oneshot::channel();
        self.asks.send(ask(done)).await.is_ok() && is_done.await.unwrap_or(false)
    }
}

/// Whom to tell what of it.
struct Watched {
    pid: u32,
    name: String,
    log: PathBuf,
    report: mpsc::UnboundedSender<Died>,
}

#[cfg_attr(
    not(feature = "lab"),
    allow(clippy::never_loop, reason = "without the lab there is nothing to ask for but to stop")
)]
async fn watch(mut child: Child, mut asked: mpsc::Receiver<Ask>, watched: Watched) {
    // Taken out, or waiting would close it.
    let _lifeline = child.stdin.take();
    loop {
        let ask = tokio::select! {
            ended = child.wait() => {
                // Before anybody is told: whoever is told may ask whether it runs.
                asked.close();
                if let Ok(status) = ended {
                    let Watched { pid, name, log, report } = watched;
                    let _ = report.send(Died { name, pid, status, log_tail: tail(&log) });
                }
                return;
            }
            ask = asked.recv() => ask.unwrap_or(Ask::Stop),
        };
        match ask {
            Ask::Stop => return terminate(&mut child).await,
            #[cfg(feature = "lab")]
            Ask::Kill => {
                let _ = child.kill().await;
                return;
            }
            #[cfg(feature = "lab")]
            Ask::Pause(done) => drop(done.send(send(&child, Signal::STOP) && stands_still(&child).await)),
            #[cfg(feature = "lab")]
            Ask::Resume(done) => drop(done.send(send(&child, Signal::CONT))),
        }
    }
}

async fn terminate(child: &mut Child) {
    send(child, Signal::TERM);
    // One that stands still hears nothing until it goes on.
    send(child, Signal::CONT);
    if tokio::time::timeout(PATIENCE, child.wait()).await.is_err() {
        let _ = child.kill().await;
    }
}

/// Whether the signal was sent.
fn send(child: &Child, signal: Signal) -> bool {
    number(child).is_some_and(|pid| kill_process(pid, signal).is_ok())
}

fn number(child: &Child) -> Option<Pid> {
    child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw)
}

/// Waits until the kernel says that a process stands still: SIGSTOP takes effect a moment after it was sent.
#[cfg(feature = "lab")]
async fn stands_still(child: &Child) -> bool {
    use rustix::process::{WaitId, WaitIdOptions, waitid};
    let Some(pid) = number(child) else { return false };
    for _ in 0..500 {
        match waitid(WaitId::Pid(pid), WaitIdOptions::STOPPED | WaitIdOptions::NOHANG) {
            Ok(Some(_)) => return true,
            Ok(None) => tokio::time::sleep(Duration::from_millis(2)).await,
            Err(_) => return false,
        }
    }
    false
}
