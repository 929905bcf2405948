//! A network of validators on this machine: each a process of its own, with real sockets and real files.
//!
//! The state lies under a home directory and is resumed by the next run. The end is a verdict: the ledgers on disk are read
//! and compared, block by block.

mod accounts;
#[cfg(feature = "lab")]
mod bed;
mod ceremony;
mod children;
#[cfg(feature = "lab")]
pub(crate) mod console;
mod kept;
mod layout;
mod load;
mod manifest;
mod options;
mod ports;
mod prepare;
mod ready;
#[cfg(feature = "lab")]
pub mod scenario;
mod screen;
mod verdict;
mod watch;

#[cfg(feature = "lab")]
pub(crate) use bed::{Bed, Bedded};
pub use layout::{DEFAULT_HOME, TestnetHome};
#[cfg(feature = "lab")]
pub(crate) use load::History;
pub use manifest::{Manifest, NodeEntry};
pub use options::Options;
pub(crate) use verdict::Verdict;

#[cfg(feature = "lab")]
use crate::lab::FaultToken;
use crate::{
    exit::{Exit, Failure},
    lock::DataLock,
    output::Output,
    signals::Signals,
};
use children::{Children, Deaths, Died};
#[cfg(feature = "lab")]
use console::{Console, Endpoint};
use load::Load;
use prepare::Prepared;
use screen::Screen;
use serde_json::json;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use watch::Watch;

/// Validators that are not ready by then are not going to be.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// How long what was begun may take to be committed at the end. With paced empty blocks it never ends.
const SETTLE: Duration = Duration::from_secs(5);

/// The validators' processes, for whoever starts and ends them.
type Shared = Arc<tokio::sync::Mutex<Children>>;

/// Why a testnet stops running.
enum End {
    /// The time is over, or somebody pressed Ctrl-C.
    Orderly,
    /// A second signal: no verdict.
    Impatient,
}

/// Runs a testnet until its time is over or a signal comes; gives the exit code that its verdict calls for. `passed_on` is
/// passed on to the validators.
pub async fn run(options: &Options, passed_on: &[String], output: Output) -> Result<Exit, Failure> {
    let mut signals = Signals::new()?;
    let Some((mut testnet, started)) = Testnet::begin(options, passed_on, output, &mut signals).await? else {
        return Ok(Exit::Interrupted);
    };
    let ran = testnet.until_ready(started, &mut signals).await;
    let ran = match ran {
        Ok(End::Orderly) => testnet.until_the_end(&mut signals).await,
        other => other,
    };
    testnet.finish(ran, &mut signals).await
}

struct Testnet<'a> {
    options: &'a Options,
    prepared: Prepared,
    children: Shared,
    deaths: Deaths,
    /// Where faults are asked for, from when all were ready.
    #[cfg(feature = "lab")]
    lab: Option<Lab>,
    watch: Watch,
    screen: Screen,
    load: Option<Load>,
    died: Vec<Died>,
    _lock: DataLock,
}

/// The fault console and where it listens.
#[cfg(feature = "lab")]
struct Lab {
    console: Arc<Console>,
    endpoint: Endpoint,
}

#[cfg(feature = "lab")]
impl Lab {
    async fn open(home: &TestnetHome, manifest: &Manifest, children: &Shared) -> Result<Self, Failure> {
        let path = home.fault_token();
        let token = FaultToken::load(&path)?
            .ok_or_else(|| Failure::environment(format!("the fault token {} is gone", path.display())))?;
        let console = Arc::new(Console::new(home, manifest, &token, Arc::clone(children))?);
        let endpoint = Endpoint::open(Arc::clone(&console), home, token).await?;
        Ok(Self { console, endpoint })
    }
}

impl<'a> Testnet<'a> {
    /// Makes or finds the files and starts the validators; nothing if somebody interrupted it. When they were started stands beside it.
    async fn begin(
        options: &'a Options,
        passed_on: &[String],
        output: Output,
        signals: &mut Signals,
    ) -> Result<Option<(Self, Instant)>, Failure> {
        let lock = DataLock::take_file(&options.home.lock())?;
        let mut screen = Screen::new(output);
        let files = prepare::files(options, &output)?;
        if files.lack_a_key() && !ceremony::run(options, &files.manifest, passed_on, &mut screen, signals).await? {
            output.note("interrupted; the next run begins anew, with other keys");
            return Ok(None);
        }
        let prepared = files.complete(options)?;
        let started = Instant::now();
        let (children, deaths) = Children::start("node", &options.home, &prepared.manifest.nodes, passed_on)?;
        let testnet = Self {
            watch: Watch::new(&prepared.manifest, &children)?,
            screen,
            options,
            prepared,
            children: Arc::new(tokio::sync::Mutex::new(children)),
            deaths,
            #[cfg(feature = "lab")]
            lab: None,
            load: None,
            died: Vec::new(),
            _lock: lock,
        };
        Ok(Some((testnet, started)))
    }
}

impl Testnet<'_> {
    /// Waits until every validator is ready, and says so.
    async fn until_ready(&mut self, started: Instant, signals: &mut Signals) -> Result<End, Failure> {
        loop {
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(50)) => self.watch.refresh().await,
                died = self.deaths.next() => return Err(self.not_started(died)),
                _ = signals.next() => return Ok(End::Impatient),
            }
            if self.watch.all_ready() {
                break;
            }
            if started.elapsed() > READY_WITHIN {
                let what = format!("not ready within {READY_WITHIN:?}: {}", self.watch.missing());
                let logs = self.options.home.path().join("node*.log");
                return Err(Failure::new(Exit::NoProgress, what).hint(format!("look at {}", logs.display())));
            }
        }
        let took = started.elapsed();
        #[cfg(feature = "lab")]
        {
            self.lab = Some(Lab::open(&self.options.home, &self.prepared.manifest, &self.children).await?);
        }
        let (text, event) = {
            let children = self.children.lock().await;
            let text = ready::text(self.options, &self.prepared, &children, took);
            (text, ready::event(self.options, &self.prepared, &children, took))
        };
        self.screen.tell(&text, &event)?;
        Ok(End::Orderly)
    }

    fn not_started(&self, died: Died) -> Failure {
        let how = children::shown(died.status);
        let what = format!("{} did not start ({how}); the last lines of its log:\n{}", died.name, died.log_tail);
        let exit = if died.status.code() == Some(Exit::Environment as i32) { Exit::Environment } else { Exit::Failure };
        Failure::new(exit, what).hint(format!("see {}", self.options.home.log(&died.name).display()))
    }

    /// Shows how things are until the time is over or a signal comes.
    async fn until_the_end(&mut self, signals: &mut Signals) -> Result<End, Failure> {
        if let Some(rate) = self.options.load {
            let (manifest, genesis) = (&self.prepared.manifest, &self.prepared.genesis);
            self.load = Some(Load::start(manifest, genesis.chain_id(), &self.prepared.client, rate)?);
        }
        let deadline = self.options.duration.map(|duration| tokio::time::Instant::now() + duration);
        let over = async move {
            match deadline {
                Some(deadline) => tokio::time::sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(over);
        let mut ticks = tokio::time::interval(Duration::from_secs(self.screen.pace()));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {
                    self.watch.refresh().await;
                    let load = self.load.as_ref().map(Load::summary);
                    self.screen.status(&self.watch.lines(), load.as_ref())?;
                }
                died = self.deaths.next() => self.note_death(died).await?,
                () = &mut over => return Ok(End::Orderly),
                _ = signals.next() => return Ok(End::Orderly),
            }
        }
    }

    /// Tells that a validator has ended by itself. If what was done to it explains that, it is held against nobody.
    async fn note_death(&mut self, died: Died) -> Result<(), Failure> {
        #[cfg(feature = "lab")]
        let is_explained = match &self.lab {
            Some(lab) => lab.console.died(&died).await,
            None => false,
        };
        #[cfg(not(feature = "lab"))]
        let is_explained = false;
        self.screen.died(&died, &ready::restart(self.options, &died.name))?;
        if !is_explained {
            self.died.push(died);
        }
        Ok(())
    }

    /// Stops what was started, whatever happened before; then compares and reports.
    async fn finish(mut self, ran: Result<End, Failure>, signals: &mut Signals) -> Result<Exit, Failure> {
        let orderly = matches!(ran, Ok(End::Orderly));
        let load = match (orderly, self.load.take()) {
            (true, Some(load)) => tokio::select! {
                finished = load.finish() => Some(finished),
                _ = signals.next() => None,
            },
            _ => None,
        };
        if orderly {
            self.settle(signals).await;
        }
        let lines = self.watch.lines();
        self.stop_all().await;
        if !orderly {
            return ran.map(|_| Exit::Interrupted);
        }
        let Prepared { manifest, genesis, .. } = &self.prepared;
        let compare = async {
            let verdict = verdict::compare(&self.options.home, manifest, genesis).await;
            let (load, history) = load.unzip();
            let kept = match history {
                Some(history) => Some(kept::look(&self.options.home, manifest, genesis, history).await),
                None => None,
            };
            (verdict, load, kept)
        };
        let (verdict, load, kept) = tokio::select! {
            compared = compare => compared,
            _ = signals.next() => return Ok(Exit::Interrupted),
        };
        let mut text = watch::table(&lines);
        if let Some(load) = &load {
            let (nodes, app) = (self.prepared.manifest.nodes.len(), &self.prepared.manifest.app);
            let (protocol, scheme) = (self.prepared.genesis.protocol, self.prepared.genesis.scheme);
            let interval = options::shown_interval(self.prepared.manifest.block_interval_ms);
            let durability = self.options.durability;
            text.push_str(&load.text());
            text.push_str(&format!(
                "\n      with {nodes} validators, {protocol} with {scheme}, application {app}, durability {durability}, block interval {interval}\n"
            ));
        }
        if let Some(kept) = &kept {
            text.push_str(&format!("{}\n", kept.text()));
        }
        text.push_str(&verdict.text());
        let event = json!({ "event": "end", "validators": lines, "load": load, "history": kept, "result": verdict });
        self.screen.tell(&text, &event)?;
        self.judge(&verdict, load.as_ref(), kept.as_ref())
    }

    /// Stops the validators.
    async fn stop_all(&mut self) {
        // First, or one could be started again.
        #[cfg(feature = "lab")]
        if let Some(lab) = self.lab.take() {
            lab.endpoint.close().await;
        }
        self.children.lock().await.stop().await;
    }

    /// Waits a little until nobody commits any more. The ledgers need not end at the same height: who leads last learns of the
    /// last commit first.
    async fn settle(&mut self, signals: &mut Signals) {
        let deadline = Instant::now() + SETTLE;
        let mut heights = None;
        loop {
            self.watch.refresh().await;
            let now = Some(self.watch.heights());
            if (self.watch.idle() && now == heights) || Instant::now() > deadline {
                return;
            }
            heights = now;
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(250)) => {}
                _ = signals.next() => return,
            }
        }
    }

    /// The exit code: what the ledgers say comes first.
    fn judge(
        &self,
        verdict: &Verdict,
        load: Option<&load::Summary>,
        kept: Option<&kept::Kept>,
    ) -> Result<Exit, Failure> {
        if verdict.exit() != Exit::Success {
            return Ok(verdict.exit());
        }
        // Ledgers that agree may agree on having lost something.
        if let Some(lost) = kept.map(kept::Kept::lost).filter(|lost| *lost > 0) {
            return Err(Failure::new(
                Exit::Diverged,
                format!("{lost} transactions that were reported committed are lost"),
            ));
        }
        // One that was killed was killed by somebody; one that ended with an error of its own is a failure.
        if let Some(died) = self.died.iter().find(|died| died.status.code().is_some_and(|code| code != 0)) {
            let how = children::shown(died.status);
            return Err(Failure::failed(format!("{} ended by itself with {how}", died.name))
                .hint(format!("see {}", self.options.home.log(&died.name).display())));
        }
        match load {
            Some(load) if load.submitted > 0 && load.committed == 0 => {
                Err(Failure::new(Exit::NoProgress, "no transaction was committed"))
            }
            _ => Ok(Exit::Success),
        }
    }
}
