//! Playing a scenario: what happens when, then healing, then quiet.

use super::{clients::Clients, samples::Samples};
use crate::{
    api::model::PeerView,
    client::Api,
    exit::{Exit, Failure},
    signals::Signals,
    testnet::{
        Testnet,
        children::Died,
        console::{Console, Order},
    },
};
use futures::future::join_all;
use quorate_scenario::{Action, Expectation, Measure, Moment, Scenario, Step};
use quorate_sim::campaign::Plan;
use quorate_types::ReplicaId;
use serde_json::json;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// How often it is looked whether something is due.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// What was seen of a scenario while it was played.
pub(super) struct Played {
    /// When each greatest height of anybody honest was first seen.
    pub(super) heights: Vec<(Duration, u64)>,
    pub(super) until: Duration,
    pub(super) recovered: Option<Result<String, String>>,
    pub(super) quiet: Option<Result<String, String>>,
    /// Transactions that clients signed.
    pub(super) signed: u64,
    /// Validators that ended by themselves, though nothing that was done to them explains it.
    pub(super) ended: Vec<Died>,
    /// Those who did and are honest.
    pub(super) stopped: Vec<String>,
}

/// What playing needs.
struct Stage {
    console: Arc<Console>,
    apis: Vec<Api>,
    honest: Vec<ReplicaId>,
    clients: Arc<Clients>,
    samples: Samples,
    began: Instant,
    base: Duration,
}

impl Testnet<'_> {
    /// Plays it to its end; nothing if somebody interrupted it.
    pub(super) async fn play(
        &mut self,
        scenario: &Scenario,
        plan: &Plan,
        signals: &mut Signals,
    ) -> Result<Option<Played>, Failure> {
        let stage = self.set(scenario, plan).await?;
        let load = tokio::spawn(Arc::clone(&stage.clients).act(plan.load.clone(), stage.began, stage.base * 4));
        let phases = stage.play(scenario, plan);
        tokio::pin!(phases);
        let ran = loop {
            tokio::select! {
                ran = &mut phases => break ran.map(Some),
                died = self.deaths.next() => self.note_death(died).await?,
                _ = signals.next() => break Ok(None),
            }
        };
        load.abort();
        let Some((until, recovered, quiet)) = ran? else { return Ok(None) };
        let name = |id: &ReplicaId| self.prepared.manifest.nodes[id.index()].name.clone();
        let gone = stage.console.ended();
        Ok(Some(Played {
            heights: stage.samples.heights(),
            until,
            recovered,
            quiet,
            signed: stage.clients.signed(),
            ended: std::mem::take(&mut self.died),
            stopped: stage.honest.iter().map(name).filter(|name| gone.contains(name)).collect(),
        }))
    }

    /// Puts everything in place that is there from the first moment on.
    async fn set(&mut self, scenario: &Scenario, plan: &Plan) -> Result<Stage, Failure> {
        let lab = self.lab.as_ref().ok_or_else(|| Failure::failed("there is no fault console"))?;
        let console = Arc::clone(&lab.console);
        let links = scenario.net.links.map(Action::Links);
        let attacks = scenario.attackers.iter().cloned().map(Action::Attack);
        carry_out(&console, links.into_iter().chain(attacks).collect()).await?;
        let nodes = &self.prepared.manifest.nodes;
        let apis = nodes.iter().map(|node| Api::new(&node.api.to_string())).collect::<Result<Vec<_>, _>>()?;
        let liars = plan.liars();
        let began = Instant::now();
        Ok(Stage {
            console,
            honest: (0..scenario.net.replicas).map(ReplicaId).filter(|id| !liars.contains(id)).collect(),
            clients: Arc::new(Clients::new(&self.prepared, apis.clone(), &plan.load)),
            samples: Samples::take(&apis, |id| !liars.contains(&id), began),
            apis,
            began,
            base: Duration::from_millis(scenario.net.params.timeout_base_ms),
        })
    }
}

/// Scenarios say how many are faulty, and mean it.
async fn carry_out(console: &Arc<Console>, actions: Vec<Action>) -> Result<(), Failure> {
    if actions.is_empty() {
        return Ok(());
    }
    let done = console.apply(&Order { actions, beyond_f: true }).await;
    done.map(drop).map_err(|refused| Failure::failed(refused.to_string()))
}

type Phases = (Duration, Option<Result<String, String>>, Option<Result<String, String>>);

impl Stage {
    async fn play(&self, scenario: &Scenario, plan: &Plan) -> Result<Phases, Failure> {
        self.let_it_happen(&scenario.steps, plan.end()).await?;
        let (mut recovered, mut quiet) = (None, None);
        if scenario.expect.contains(&Expectation::Recovers) {
            recovered = Some(self.recover(scenario).await?);
        }
        if scenario.expect.contains(&Expectation::Quiet) && matches!(recovered, Some(Ok(_))) {
            quiet = Some(self.be_quiet(scenario, plan).await);
        }
        Ok((self.began.elapsed(), recovered, quiet))
    }

    /// Each step once, at its time or as soon as its figure is reached.
    async fn let_it_happen(&self, steps: &[Step], end: Duration) -> Result<(), Failure> {
        let mut waiting: Vec<&Step> = steps.iter().collect();
        // Of two steps the one that is due first; of one moment, in the order in which they are written.
        waiting.sort_by_key(|step| match step.moment {
            Moment::At(at) => at,
            Moment::When(..) => Duration::ZERO,
        });
        loop {
            let now = self.began.elapsed();
            let (due, later): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|step| self.is_due(step.moment, now));
            waiting = later;
            for step in due {
                tracing::info!(step = ?step.action, at = ?now, "a step of the scenario");
                carry_out(&self.console, vec![step.action.clone()]).await?;
            }
            if now >= end {
                return Ok(());
            }
            tokio::time::sleep(LOOK_EVERY.min(end.saturating_sub(now))).await;
        }
    }

    fn is_due(&self, moment: Moment, now: Duration) -> bool {
        match moment {
            Moment::At(at) => at <= now,
            Moment::When(Measure::Height, least) => self.samples.height() >= least,
            Moment::When(Measure::View, least) => self.samples.view() >= least,
            Moment::When(Measure::Evidence, least) => self.samples.evidence() >= least,
        }
    }

    /// Everything heals. Then everything submitted must take effect, at all honest validators; in the time that the simulator gives.
    async fn recover(&self, scenario: &Scenario) -> Result<Result<String, String>, Failure> {
        let mended = self.console.mend().await;
        mended.map_err(|refused| Failure::new(Exit::Failure, refused.to_string()))?;
        let longest = Duration::from_millis(scenario.net.params.timeout_max_ms);
        let limit = self.base * 100 + longest * 6 * u32::from(scenario.net.replicas);
        let healed = Instant::now();
        while healed.elapsed() < limit {
            let asked = self.honest.iter().map(|id| self.clients.all_took_effect_at(*id));
            if join_all(asked).await.into_iter().all(|took| took) {
                return Ok(Ok(format!("all took effect {:.3} s after healing", healed.elapsed().as_secs_f64())));
            }
            tokio::time::sleep(LOOK_EVERY * 4).await;
        }
        Ok(Err(format!("not everything submitted took effect everywhere within {limit:?} after healing")))
    }

    /// Without work there are polls, and little else.
    async fn be_quiet(&self, scenario: &Scenario, plan: &Plan) -> Result<String, String> {
        if scenario.net.params.block_interval_ms.is_some() || !plan.liars().is_empty() {
            return Ok("not counted: there are empty blocks, or liars".to_owned());
        }
        tokio::time::sleep(self.base * 40).await;
        let before = self.said().await?;
        tokio::time::sleep(self.base * 32).await;
        let sent = self.said().await?.saturating_sub(before);
        let n = u64::from(scenario.net.replicas);
        let allowed = 5 * 2 * n * n;
        let what = format!("{sent} messages in 32 base timeouts without work; {allowed} are plenty");
        if sent <= allowed { Ok(what) } else { Err(what) }
    }

    /// Messages that all of them have given to their links.
    async fn said(&self) -> Result<u64, String> {
        let asked = self.apis.iter().map(|api| api.get::<Vec<PeerView>>("/v1/peers"));
        let answers = join_all(asked).await.into_iter().collect::<Result<Vec<_>, _>>();
        let peers = answers.map_err(|error| format!("a validator does not answer: {error}"))?;
        let counted = |(kind, count): (&String, &u64)| if kind == "echo" { 0 } else { *count };
        Ok(peers.iter().flatten().flat_map(|peer| &peer.sent).map(counted).sum())
    }
}

impl Played {
    /// For programs.
    pub(super) fn json(&self) -> serde_json::Value {
        let heights: Vec<_> = self.heights.iter().map(|(at, height)| (at.as_secs_f64(), height)).collect();
        json!({ "lasted": self.until.as_secs_f64(), "signed": self.signed, "heights": heights, "stopped": self.stopped })
    }
}
