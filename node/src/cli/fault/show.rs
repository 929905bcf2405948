//! What is in force, and ending all of it.

use super::At;
use crate::{
    cli::Context,
    exit::Failure,
    table::Table,
    testnet::console::{Answer, Measured, NodeLine, Status, shown},
};
use clap::Args;
use quorate_scenario::show_time;
use std::time::Duration;

/// Tell all that is in force, and how much of the fault budget is used
///
/// With n validators the protocols bear f = (n-1)/3 faulty ones at a time: down, paused, with lost or failing disks, lying. Links, cuts and clocks are not counted.
#[derive(Debug, Args)]
pub(in crate::cli) struct StatusArgs {
    #[command(flatten)]
    at: At,
}

/// Show every link as configured, beside the round trips measured on it
#[derive(Debug, Args)]
pub(in crate::cli) struct LinksArgs {
    #[command(flatten)]
    at: At,
}

/// End everything: nobody lies, all links and disks are good, everybody runs
#[derive(Debug, Args)]
pub(in crate::cli) struct ResetArgs {
    #[command(flatten)]
    at: At,
}

pub(super) fn status(args: &StatusArgs, context: &Context) -> Result<(), Failure> {
    let status = context.block_on(async { args.at.remote()?.status().await })?;
    context.output.data(&status, in_force)
}

pub(super) fn links(args: &LinksArgs, context: &Context) -> Result<(), Failure> {
    let links = context.block_on(async { args.at.remote()?.links().await })?;
    context.output.data(&links, |links| measured(links))
}

pub(super) fn reset(args: &ResetArgs, context: &Context) -> Result<(), Failure> {
    let done = context.block_on(async { args.at.remote()?.reset().await })?;
    context.output.data(&done, answer)
}

/// What came of an order.
pub(super) fn answer(answer: &Answer) -> String {
    let mut text: String = answer.did.iter().map(|line| format!("{line}\n")).collect();
    text += &format!("{}\n", answer.budget.text());
    if !answer.look.is_empty() {
        text += "look at:\n";
        text.extend(answer.look.iter().map(|line| format!("  {line}\n")));
    }
    text
}

fn in_force(status: &Status) -> String {
    let mut table = Table::new(["validator", "process", "pid", "lies", "deeds", "disks", "clock"]);
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    for node in &status.nodes {
        table.row([
            node.name.clone(),
            if node.rejoins { format!("{}, rejoins", node.process) } else { node.process.clone() },
            or_dash(node.pid.map(|pid| pid.to_string())),
            or_dash(node.attack.as_ref().map(|attacker| attacker.attack.clone())),
            or_dash(node.deeds.map(|deeds| deeds.to_string())),
            or_dash(disks(node)),
            or_dash(Some(node.skew_ms).filter(|skew| *skew != 0).map(clock)),
        ]);
    }
    let mut text = format!("{}\n", status.budget.text());
    if !status.budget.lied_before.is_empty() {
        text += &format!("lied before, in this run: {}\n", status.budget.lied_before.join(", "));
    }
    text += &format!("\n{table}");
    if !status.cuts.is_empty() {
        let cuts: Vec<_> = status.cuts.iter().map(|(from, to)| format!("{}>{}", from.0, to.0)).collect();
        text += &format!("\ncut: {}\n", cuts.join(" "));
    }
    if !status.links.is_empty() {
        text += "\nlinks:\n";
        text.extend(
            status.links.iter().map(|link| format!("  {}>{}  {}\n", link.from.0, link.to.0, shown(&link.spec))),
        );
    }
    text
}

fn disks(node: &NodeLine) -> Option<String> {
    let disk = |name: &str, disk: &crate::lab::DiskFaults| {
        let mut words = Vec::new();
        words
            .extend((disk.delay_ms > 0).then(|| format!("{} slower", show_time(Duration::from_millis(disk.delay_ms)))));
        words.extend(disk.full_after.map(|bytes| format!("full after {bytes} B")));
        words.extend(disk.sync_fails.then(|| "syncs fail".to_owned()));
        (!words.is_empty()).then(|| format!("{name} {}", words.join(", ")))
    };
    let both: Vec<_> =
        [disk("journal", &node.disks.journal), disk("blocks", &node.disks.blocks)].into_iter().flatten().collect();
    (!both.is_empty()).then(|| both.join("; "))
}

fn clock(skew_ms: i64) -> String {
    let sign = if skew_ms < 0 { "-" } else { "+" };
    format!("{sign}{}", show_time(Duration::from_millis(skew_ms.unsigned_abs())))
}

fn measured(links: &[Measured]) -> String {
    let mut table = Table::new(["link", "configured", "round trip configured", "measured (median)", "samples"]);
    let milliseconds = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.1} ms"));
    for measured in links {
        table.row([
            format!("{}>{}", measured.link.from.0, measured.link.to.0),
            shown(&measured.link.spec),
            milliseconds(measured.meant_ms),
            milliseconds(measured.median_ms),
            measured.samples.to_string(),
        ]);
    }
    table.to_string()
}
