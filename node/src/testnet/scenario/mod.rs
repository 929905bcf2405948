//! A scenario on processes: the same file that the simulator runs, in real time, on real sockets and files, and the same judge.
//!
//! What the simulator does to its replicas the fault console does to processes. Clients sign the same operations at the same times.
//! What differs is what is real: time, links without a delay of their own (unless the scenario gives them one), disks. `[machine]` says
//! nothing to real machines, and chance is not drawn from the seed.

mod clients;
mod drive;
mod report;
mod samples;
mod seen;

use super::{End, Options, Testnet, verdict};
use crate::{
    exit::{Exit, Failure},
    output::Output,
    signals::Signals,
};
use drive::Played;
use quorate_scenario::{Ending, Scenario, judge};
use quorate_sim::campaign::Plan;
use seen::AtTheEnd;
use std::path::Path;

/// Runs a scenario on a new testnet; the exit code is that of its verdict.
pub async fn run(
    file: &Path,
    (options, beyond_f): (&Options, bool),
    passed_on: &[String],
    output: Output,
) -> Result<Exit, Failure> {
    let (scenario, plan) = crate::cli::read_scenario(file, beyond_f)?;
    super::console::check(&scenario).map_err(|why| {
        Failure::usage(format!("{} is for the simulator alone: {why}", file.display()))
            .hint(format!("quorate sim run --scenario {}", file.display()))
    })?;
    if super::Manifest::load(&options.home)?.is_some() && !options.fresh {
        let what =
            format!("there is a testnet in {}, and a scenario begins with a new one", options.home.path().display());
        return Err(Failure::usage(what).hint("--fresh removes it; another --home leaves it alone"));
    }
    let options = asked_for(&scenario, options);
    let mut signals = Signals::new()?;
    let Some((mut testnet, started)) = Testnet::begin(&options, passed_on, output, &mut signals).await? else {
        return Ok(Exit::Interrupted);
    };
    let played = match testnet.until_ready(started, &mut signals).await {
        Ok(End::Orderly) => testnet.play(&scenario, &plan, &mut signals).await,
        Ok(End::Impatient) => Ok(None),
        Err(failure) => Err(failure),
    };
    testnet.stop_all().await;
    match played? {
        Some(played) => testnet.judge_scenario(&scenario, &plan, &played).await,
        None => Ok(Exit::Interrupted),
    }
}

/// The testnet that a scenario is about.
fn asked_for(scenario: &Scenario, options: &Options) -> Options {
    let net = &scenario.net;
    Options {
        nodes: Some(usize::from(net.replicas)),
        protocol: Some(net.protocol),
        scheme: net.votes.real(),
        election: Some(net.election),
        app: Some(match net.application {
            quorate_scenario::Application::Kv => "kv".to_owned(),
            quorate_scenario::Application::Opaque => "opaque".to_owned(),
        }),
        block_interval: net.params.block_interval_ms.map(std::time::Duration::from_millis),
        params: Some(net.params),
        ..options.clone()
    }
}

impl Testnet<'_> {
    /// Reads what the stopped validators left, and judges.
    async fn judge_scenario(&mut self, scenario: &Scenario, plan: &Plan, played: &Played) -> Result<Exit, Failure> {
        let (home, manifest, genesis) = (&self.options.home, &self.prepared.manifest, &self.prepared.genesis);
        // Whoever has lost its disks and was not started since has nothing to compare.
        let counts = |id: u16, name: &str| !is_liar(plan, id) && home.node(name).blocks().exists();
        let nodes = (0..).zip(&manifest.nodes).filter(|(id, node)| counts(*id, &node.name));
        let honest = super::Manifest { nodes: nodes.map(|(_, node)| node.clone()).collect(), ..manifest.clone() };
        let ledgers = verdict::compare(home, &honest, genesis).await;
        let left = seen::left_behind(home, &honest, genesis)?;
        let seen = AtTheEnd { plan, played, ledgers: &ledgers, left: &left };
        let held: Vec<_> = scenario.expect.iter().map(|expectation| judge(*expectation, &seen)).collect();
        // One that ended with an error of its own, though nothing that was done to it explains that.
        let ended = played.ended.iter().find(|died| died.status.code().is_some_and(|code| code != 0));
        let broken = if ended.is_some() && !scenario.is_beyond_f() { Ending::Broken } else { Ending::Pass };
        let diverged = if seen.is_diverged() { Ending::Diverged } else { Ending::Pass };
        let ending =
            held.iter().map(quorate_scenario::Held::ending).max().unwrap_or(Ending::Pass).max(broken).max(diverged);
        let told = report::Told::new(scenario, plan, (ending, &held), played, ended);
        self.screen.tell(&report::text(&told), &serde_json::json!({ "event": "verdict", "scenario": told }))?;
        Ok(crate::verdict::exit_of(ending))
    }
}

fn is_liar(plan: &Plan, id: u16) -> bool {
    plan.liars().contains(&quorate_types::ReplicaId(id))
}
