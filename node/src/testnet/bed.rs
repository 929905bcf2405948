//! A testnet for a measurement: new, nothing but its validators; stopped and judged as any other at the end.

use super::{
    READY_WITHIN,
    children::{self, Children, Deaths, Died},
    kept,
    load::History,
    options::Options,
    prepare::{self, Prepared},
    verdict::{self, Verdict},
    watch::Watch,
};
use crate::{
    exit::{Exit, Failure},
    home::file_failure,
    lock::DataLock,
    output::Output,
};
use quorate_ledger::Genesis;
use std::{
    fs,
    time::{Duration, Instant},
};

/// A testnet that runs to be measured.
pub(crate) struct Bed {
    options: Options,
    prepared: Prepared,
    children: Children,
    deaths: Deaths,
    _lock: DataLock,
}

/// One of its validators.
#[derive(Clone, Debug)]
pub(crate) struct Bedded {
    /// Its name.
    pub(crate) name: String,
    /// Where clients connect to.
    pub(crate) api: String,
    /// Its process.
    pub(crate) pid: Option<u32>,
}

/// What its ledgers said at the end.
pub(crate) struct Judged {
    /// Whether they are the same.
    pub(crate) verdict: Verdict,
    /// Transactions that were reported committed and that some ledger does not hold there.
    pub(crate) lost: u64,
}

impl Bed {
    /// Makes a testnet anew and waits until its validators are ready. `passed_on` is passed on to them.
    pub(crate) async fn start(options: Options, passed_on: &[String], output: Output) -> Result<Self, Failure> {
        let lock = DataLock::take_file(&options.home.lock())?;
        let quiet = Output { quiet: true, ..output };
        let prepared = prepare::files(&options, &quiet)?.complete(&options)?;
        let (children, deaths) = Children::start("node", &options.home, &prepared.manifest.nodes, passed_on)?;
        let mut bed = Self { options, prepared, children, deaths, _lock: lock };
        match bed.until_ready().await {
            Ok(()) => Ok(bed),
            Err(failure) => {
                bed.children.stop().await;
                Err(failure)
            }
        }
    }

    async fn until_ready(&mut self) -> Result<(), Failure> {
        let started = Instant::now();
        let mut watch = Watch::new(&self.prepared.manifest, &self.children)?;
        while !watch.all_ready() {
            if started.elapsed() > READY_WITHIN {
                let what = format!("not ready within {READY_WITHIN:?}: {}", watch.missing());
                return Err(Failure::new(Exit::NoProgress, what));
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(50)) => watch.refresh().await,
                died = self.deaths.next() => return Err(self.end_of(&died)),
            }
        }
        Ok(())
    }

    /// Its chain.
    pub(crate) fn genesis(&self) -> &Genesis {
        &self.prepared.genesis
    }

    /// Its validators, in the order of the committee.
    pub(crate) fn validators(&self) -> Vec<Bedded> {
        let validator = |node: &super::NodeEntry| Bedded {
            name: node.name.clone(),
            api: node.api.to_string(),
            pid: self.children.pid(&node.name),
        };
        self.prepared.manifest.nodes.iter().map(validator).collect()
    }

    /// Ends a validator with SIGKILL, for good. That is no ending by itself.
    pub(crate) async fn kill(&mut self, name: &str) {
        self.children.kill(name).await;
    }

    /// Waits until a validator ends by itself, and tells how. In a measurement none may.
    pub(crate) async fn broken(&mut self) -> Failure {
        let died = self.deaths.next().await;
        self.end_of(&died)
    }

    fn end_of(&self, died: &Died) -> Failure {
        let (name, how) = (&died.name, children::shown(died.status));
        Failure::failed(format!("{name} ended by itself ({how}); the last lines of its log:\n{}", died.log_tail))
            .hint(format!("see {}", self.options.home.log(name).display()))
    }

    /// Stops its validators and compares their ledgers, with each other and with what was reported committed.
    pub(crate) async fn stop(&mut self, history: History) -> Judged {
        self.children.stop().await;
        let (home, Prepared { manifest, genesis, .. }) = (&self.options.home, &self.prepared);
        let verdict = verdict::compare(home, manifest, genesis).await;
        let lost = kept::look(home, manifest, genesis, history).await.lost();
        Judged { verdict, lost }
    }

    /// Ends it without a verdict.
    pub(crate) async fn abandon(&mut self) {
        self.children.stop().await;
    }

    /// Removes what it made. Once it is stopped.
    pub(crate) fn remove(self) -> Result<(), Failure> {
        let home = &self.options.home;
        self.prepared.manifest.remove(home)?;
        let (file, directory) = (home.lock(), home.path().to_owned());
        drop(self._lock);
        fs::remove_file(&file).map_err(|error| file_failure("remove", &file, &error))?;
        // Whatever else is in it is not ours, and stays.
        let _not_empty = fs::remove_dir(directory);
        Ok(())
    }
}
