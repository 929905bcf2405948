//! Faults at random, for a soak.

mod draw;

use super::{At, console::Remote};
use crate::{
    cli::{Context, duration::duration},
    exit::{Exit, Failure},
    signals::Signals,
    testnet::{
        Manifest,
        console::{Order, Status},
    },
};
use clap::{Args, ValueEnum};
use draw::{Event, Kind, Wish};
use quorate_scenario::Action;
use quorate_types::ReplicaId;
use serde::Serialize;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// Do one thing after the other at random, within the fault budget
///
/// Each step begins a fault, which ends a while later, or sooner if another needs its place. The same seed draws the same steps. In the end everything is in order again. The testnet's verdict tells what came of it; with --load, whether every transaction that was reported committed is on every ledger.
#[derive(Debug, Args)]
pub(in crate::cli) struct RandomArgs {
    /// How many faults
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    steps: u32,
    /// In how much time
    #[arg(long, value_name = "TIME", default_value = "20m", value_parser = duration)]
    over: Duration,
    /// What to draw; a new one unless told
    #[arg(long)]
    seed: Option<u64>,
    /// Which kinds; several with commas [default: all that so many validators bear]
    #[arg(long, value_enum, value_delimiter = ',')]
    kinds: Vec<Kind>,
    #[command(flatten)]
    at: At,
}

/// One line: what happened at one time.
#[derive(Debug, Default, Serialize)]
struct Line {
    /// Seconds since the start.
    at_s: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<u32>,
    /// What was done.
    did: Vec<String>,
    /// Why something was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
}

/// What was done in all.
#[derive(Debug, Serialize)]
struct Sum {
    seed: u64,
    steps: u32,
    seconds: u64,
    kinds: BTreeMap<String, u32>,
    refused: u32,
}

pub(super) fn run(args: &RandomArgs, context: &Context) -> Result<(), Failure> {
    let protocol = Manifest::load(&args.at.home())?.map(|manifest| manifest.protocol).unwrap_or_default();
    let seed = args.seed.map_or_else(new_seed, Ok)?;
    context.block_on(async {
        let mut signals = Signals::new()?;
        let remote = args.at.remote()?;
        let wish = wish(args, quorate_sim::campaign::attacks(protocol), &remote.status().await?)?;
        let liars: Vec<_> = wish.liars.iter().map(|id| format!("node{}", id.0)).collect();
        context.output.note(format!("seed {seed}"));
        if !liars.is_empty() {
            context.output.note(format!("who lied before in this run: {}; no others will", liars.join(", ")));
        }
        let mut play = Play { remote, context, steps: wish.steps, start: Instant::now(), refused: 0 };
        let events = draw::draw(&wish, seed);
        let played = tokio::select! {
            played = play.all(&events, wish.over) => played,
            _ = signals.next() => Err(Failure::new(Exit::Interrupted, "interrupted; everything is in order again")),
        };
        // Whatever happened: nothing is left in force.
        let reset = play.reset().await;
        played.and(reset)?;
        play.sum(seed, &events)
    })
}

fn new_seed() -> Result<u64, Failure> {
    let mut bytes = [0; 4];
    let bad = |error| Failure::environment(format!("the system gives no random numbers: {error}"));
    getrandom::fill(&mut bytes).map_err(bad)?;
    Ok(u32::from_le_bytes(bytes).into())
}

fn wish(args: &RandomArgs, attacks: Vec<&'static str>, status: &Status) -> Result<Wish, Failure> {
    let nodes = u16::try_from(status.nodes.len()).unwrap_or(u16::MAX);
    let asked = if args.kinds.is_empty() { Kind::value_variants() } else { &args.kinds };
    let kinds: Vec<_> = asked.iter().copied().filter(|kind| kind.fits(nodes)).collect();
    let unfit = asked.iter().find(|kind| !args.kinds.is_empty() && !kind.fits(nodes));
    if let Some(kind) = unfit {
        return Err(Failure::usage(format!("{nodes} validators do not bear {}", name(*kind))));
    }
    let lies = |(index, node): (u16, &crate::testnet::console::NodeLine)| {
        (node.attack.is_some() || status.budget.lied_before.contains(&node.name)).then_some(ReplicaId(index))
    };
    let liars = (0..nodes).zip(&status.nodes).filter_map(lies).collect();
    let attacks = attacks.into_iter().map(str::to_owned).collect();
    Ok(Wish { nodes, steps: args.steps, over: args.over, kinds, attacks, liars })
}

fn name(kind: Kind) -> String {
    kind.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// A plan as it is played.
struct Play<'a> {
    remote: Remote,
    context: &'a Context,
    steps: u32,
    start: Instant,
    refused: u32,
}

impl Play<'_> {
    async fn all(&mut self, events: &[Event], over: Duration) -> Result<(), Failure> {
        self.reset().await?;
        self.start = Instant::now();
        for event in events {
            tokio::time::sleep_until((self.start + event.at).into()).await;
            self.play(event).await?;
        }
        tokio::time::sleep_until((self.start + over).into()).await;
        Ok(())
    }

    /// What is refused is told; then everything is put in order, so that what comes next finds what it was drawn for. A testnet that has
    /// ended is the end.
    async fn play(&mut self, event: &Event) -> Result<(), Failure> {
        let mut line = Line { step: event.step.map(|(step, _)| step), ..Line::default() };
        for actions in [&event.ends, &event.begins] {
            match self.order(actions).await {
                Ok(did) => line.did.extend(did),
                Err(failure) if failure.exit == Exit::Environment => return Err(failure),
                Err(failure) => {
                    self.refused += 1;
                    line.refused = Some(failure.what);
                    self.remote.reset().await?;
                    break;
                }
            }
        }
        self.tell(line)
    }

    async fn order(&self, actions: &[Action]) -> Result<Vec<String>, Failure> {
        if actions.is_empty() {
            return Ok(Vec::new());
        }
        let order = Order { actions: actions.to_vec(), beyond_f: false };
        Ok(self.remote.order(&order).await?.did)
    }

    async fn reset(&self) -> Result<(), Failure> {
        let did = self.remote.reset().await?.did;
        self.tell(Line { did, ..Line::default() })
    }

    fn tell(&self, line: Line) -> Result<(), Failure> {
        let line = Line { at_s: self.start.elapsed().as_secs(), ..line };
        self.context.output.data(&line, |line| line.text(self.steps))
    }

    fn sum(&self, seed: u64, events: &[Event]) -> Result<(), Failure> {
        let mut kinds = BTreeMap::new();
        for (_, kind) in events.iter().filter_map(|event| event.step) {
            *kinds.entry(name(kind)).or_insert(0) += 1;
        }
        let (steps, refused) = (kinds.values().sum(), self.refused);
        let sum = Sum { seed, steps, seconds: self.start.elapsed().as_secs(), kinds, refused };
        self.context.output.data(&sum, Sum::text)?;
        match refused {
            0 => Ok(()),
            _ => Err(Failure::failed(format!("{refused} orders were not carried out"))),
        }
    }
}

impl Line {
    fn text(&self, steps: u32) -> String {
        let (minutes, seconds) = (self.at_s / 60, self.at_s % 60);
        let step = self.step.map_or_else(|| " ".repeat(7), |step| format!("{step:>3}/{steps:<3}"));
        let mut words = self.did.clone();
        words.extend(self.refused.as_ref().map(|why| format!("NOT DONE: {why}")));
        format!("{minutes:02}:{seconds:02} {step} {}", words.join("; "))
    }
}

impl Sum {
    fn text(&self) -> String {
        let kinds: Vec<_> = self.kinds.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        format!("{} steps in {} s with seed {}: {}", self.steps, self.seconds, self.seed, kinds.join(", "))
    }
}
