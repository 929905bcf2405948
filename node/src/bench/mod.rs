//! Measuring real validators: `quorate bench load` and `quorate bench run`, and `quorate bench complexity` on testnets. What is pure of it
//! (figures, refusals, the search for the knee, comparisons, rows of what was counted) is in the crate `quorate-bench`.
//!
//! `field` is the network under load, `crowd` makes transactions, `pump` sends each when it is due, `ears` hear which are committed,
//! `book` joins the two, `gauges` read what processes use, `drive` is one run. `decisions`
//! counts what one decision after the other costs.

mod book;
mod crowd;
mod decisions;
mod drive;
mod ears;
mod field;
mod gauges;
mod pump;
mod search;

use crate::{
    config::DurabilityChoice,
    exit::{Exit, Failure},
    output::Output,
    signals::Signals,
    testnet::History,
};
use crowd::Crowd;
pub(crate) use decisions::{Ground, decisions};
use drive::Plan;
use field::Field;
use quorate_bench::{
    Provenance,
    load::{Knee, LoadReport, Run, Setting},
};
use quorate_ledger::{Protocol, SchemeKind};
use std::{path::PathBuf, time::Duration};

/// What a load is asked to be.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// Validators that run already; a testnet is started if there are none.
    pub(crate) connect: Vec<String>,
    /// Where the testnet that is started lives.
    pub(crate) home: PathBuf,
    /// How its validators agree.
    pub(crate) protocol: Protocol,
    /// What they sign votes with.
    pub(crate) scheme: SchemeKind,
    /// How many there are.
    pub(crate) validators: usize,
    /// When promises reach the disk.
    pub(crate) durability: DurabilityChoice,
    /// `kv` or `opaque`.
    pub(crate) application: String,
    /// Whether clients sign.
    pub(crate) client_signatures: bool,
    /// Length of the first view; the usual one unless told.
    pub(crate) timeout: Option<Duration>,
    /// Transactions a second; of a search the first.
    pub(crate) rate: u32,
    /// Look for the greatest rate that is carried, then run at that.
    pub(crate) find_knee: bool,
    /// Bytes of a payload.
    pub(crate) payload: usize,
    /// Client accounts.
    pub(crate) accounts: u32,
    /// What the accounts are made from.
    pub(crate) seed: u64,
    /// Length of the window.
    pub(crate) duration: Duration,
    /// Time before it.
    pub(crate) warm_up: Duration,
    /// What is passed on to validators that are started.
    pub(crate) passed_on: Vec<String>,
}

/// Runs a load and gives its report; `None` if somebody pressed Ctrl-C.
pub(crate) async fn load(
    wanted: &Wanted,
    provenance: Provenance,
    output: Output,
) -> Result<Option<LoadReport>, Failure> {
    let mut signals = Signals::new()?;
    let mut field = tokio::select! {
        field = Field::prepare(wanted, output) => field?,
        _ = signals.next() => return Ok(None),
    };
    let measured = tokio::select! {
        measured = measure(&mut field, wanted, output) => measured,
        _ = signals.next() => {
            field.abandon().await;
            return Ok(None);
        }
    };
    let (mut run, knee, history) = match measured {
        Ok(measured) => measured,
        Err(failure) => {
            field.abandon().await;
            return Err(failure);
        }
    };
    let setting = field.setting(wanted);
    (run.ledgers, run.lost) = field.judge(history).await?;
    Ok(Some(LoadReport::new(provenance, setting, run, knee)))
}

/// The exit code that a report calls for.
pub(crate) fn exit(report: &LoadReport) -> Exit {
    use quorate_bench::load::Ledgers;
    match report.run.ledgers {
        Ledgers::Differ { .. } => Exit::Diverged,
        _ if report.run.lost > 0 => Exit::Diverged,
        _ if report.refusals.is_empty() => Exit::Success,
        _ => Exit::Failure,
    }
}

async fn measure(field: &mut Field, wanted: &Wanted, output: Output) -> Result<(Run, Option<Knee>, History), Failure> {
    let mut crowd = Crowd::gather(field, wanted).await?;
    let idle = field.idle().await?;
    let mut history = History::default();
    let (mut run, knee) = if wanted.find_knee {
        let (run, knee) = search::knee(field, &mut crowd, wanted, &mut history, output).await?;
        (run, Some(knee))
    } else {
        let plan = Plan { rate: wanted.rate, warm_up: wanted.warm_up, window: wanted.duration };
        output.note(format!("{} transactions a second for {:?}", plan.rate, plan.warm_up + plan.window));
        (drive::run(field, &mut crowd, plan, &mut history).await?, None)
    };
    for (node, percent) in run.nodes.iter_mut().zip(idle) {
        node.idle_percent = percent;
    }
    Ok((run, knee, history))
}

impl Field {
    fn setting(&self, wanted: &Wanted) -> Setting {
        Setting {
            protocol: self.protocol.clone(),
            scheme: self.scheme.clone(),
            validators: self.nodes.len(),
            application: if self.application == "unsigned" { "opaque".into() } else { self.application.clone() },
            client_signatures: self.application != "unsigned",
            durability: self.durability.to_string(),
            payload_bytes: wanted.payload,
            accounts: wanted.accounts,
            seed: wanted.seed,
            warm_up_seconds: wanted.warm_up.as_secs_f64(),
            started: self.is_started(),
        }
    }
}
