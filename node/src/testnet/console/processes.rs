//! Doing to processes what is wanted of them. Only what this testnet started is ever touched.

use super::{Console, Refused, wanted::Deed};
use crate::{
    home::{Home, file_failure},
    lock::DataLock,
    testnet::children::tail,
};
use quorate_types::ReplicaId;
use std::{
    fs,
    io::ErrorKind,
    sync::Arc,
    time::{Duration, Instant},
};

/// A validator that does not answer by then is not going to.
const UP_WITHIN: Duration = Duration::from_secs(60);
/// How often one that starts is asked whether it is there.
const ASK_EVERY: Duration = Duration::from_millis(20);

impl Console {
    /// Does one thing, and says what was done once it is.
    pub(super) async fn enact(self: &Arc<Self>, deed: Deed) -> Result<String, Refused> {
        match deed {
            Deed::Kill(id) => self.kill(id).await,
            Deed::KillAfter(id, messages) => {
                self.kill_after(id, messages);
                Ok(format!("{} will be killed after {messages} more messages", self.name(id)))
            }
            Deed::Start(id) => self.spawn(id).await,
            Deed::Wipe(id) => self.wipe(id).await,
            Deed::Pause(id) => match self.children.lock().await.pause(self.name(id)).await {
                Some(pid) => Ok(format!("{} (pid {pid}) stands still (SIGSTOP)", self.name(id))),
                None => Err(self.gone(id)),
            },
            Deed::Resume(id) => match self.children.lock().await.resume(self.name(id)).await {
                Some(pid) => Ok(format!("{} (pid {pid}) goes on (SIGCONT)", self.name(id))),
                None => Err(self.gone(id)),
            },
        }
    }

    async fn kill(&self, id: ReplicaId) -> Result<String, Refused> {
        self.forget(id);
        match self.children.lock().await.kill(self.name(id)).await {
            Some(pid) => Ok(format!("{} (pid {pid}) killed (SIGKILL)", self.name(id))),
            None => Err(self.gone(id)),
        }
    }

    async fn spawn(&self, id: ReplicaId) -> Result<String, Refused> {
        let name = self.name(id);
        self.refuse_foreign(id)?;
        self.forget(id);
        let pid = self.children.lock().await.spawn(name).map_err(|failure| Refused::Failed(failure.what))?;
        let began = Instant::now();
        while began.elapsed() < UP_WITHIN {
            if !self.children.lock().await.runs(name) {
                let log = tail(&self.home.log(name));
                return Err(Refused::Failed(format!("{name} did not start; the last lines of its log:\n{log}")));
            }
            match self.api(id).status().await {
                Ok(status) if status.pid == pid => {
                    return Ok(format!("{name} (pid {pid}) started in {:.1} s", began.elapsed().as_secs_f64()));
                }
                Ok(_) | Err(_) => tokio::time::sleep(ASK_EVERY).await,
            }
        }
        Err(Refused::Failed(format!("{name} (pid {pid}) does not answer within {UP_WITHIN:?}")))
    }

    async fn wipe(&self, id: ReplicaId) -> Result<String, Refused> {
        let name = self.name(id);
        let killed = self.children.lock().await.kill(name).await;
        self.forget(id);
        self.refuse_foreign(id)?;
        remove_data(&self.home.node(name)).map_err(|failure| Refused::Failed(failure.what))?;
        let killed = killed.map(|pid| format!(" (pid {pid}) killed (SIGKILL), and")).unwrap_or_default();
        Ok(format!("{name}{killed} has lost its disks: journal, blocks and index are gone, its keys are not"))
    }

    /// Somebody may have started a validator by hand, after it was killed: it is not ours.
    fn refuse_foreign(&self, id: ReplicaId) -> Result<(), Refused> {
        let home = self.home.node(self.name(id));
        if !DataLock::is_taken(&home) {
            return Ok(());
        }
        let pid = fs::read_to_string(home.lock()).unwrap_or_default();
        let what = format!(
            "another process ({}) has the data of {}, and this testnet did not start it",
            pid.trim(),
            self.name(id)
        );
        Err(Refused::Foreign(what))
    }

    /// Its process ended before it could be told.
    fn gone(&self, id: ReplicaId) -> Refused {
        Refused::Failed(format!(
            "{} has just ended by itself; its log: {}",
            self.name(id),
            self.home.log(self.name(id)).display()
        ))
    }
}

/// Takes away what a lost disk takes away.
fn remove_data(home: &Home) -> Result<(), crate::exit::Failure> {
    for directory in [home.journal(), home.blocks(), home.evidence()] {
        absent(fs::remove_dir_all(&directory)).map_err(|error| file_failure("remove", &directory, &error))?;
    }
    absent(fs::remove_file(home.index())).map_err(|error| file_failure("remove", &home.index(), &error))
}

fn absent(removed: std::io::Result<()>) -> std::io::Result<()> {
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
