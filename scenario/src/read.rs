//! From a file to a scenario.

use crate::{
    Action, Load, LoadKind, Moment, Net, Scenario, Step, Votes, check,
    expect::Expectation,
    file::{File, FileLinks, FileLoad, FileNet, FileStep, Seed},
    step::condition,
};
use quorate_ledger::{Election, Params, Protocol};
use quorate_links::LinkSpec;
use serde::{Deserialize, Deserializer, de::Error};
use std::time::Duration;
use toml::Spanned;

/// A file that is no scenario: where and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is no TOML, or has keys that nobody knows, or values of another kind.
    #[error("{0}")]
    Form(String),
    /// A line in it makes no sense.
    #[error("line {line}: {why}")]
    Sense {
        /// Counted from 1.
        line: usize,
        /// And what would.
        why: String,
    },
    /// The whole of it makes no sense.
    #[error("{0}")]
    Whole(String),
}

impl Scenario {
    /// Reads a file.
    pub fn parse(text: &str) -> Result<Self, Unreadable> {
        let file: File = toml::from_str(text).map_err(|error| Unreadable::Form(error.to_string()))?;
        let net = file.net.map_or_else(|| Ok(Net::of(Protocol::default())), |raw| sense(text, raw, |raw| net(&raw)))?;
        let size = net.replicas;
        let scenario = Self {
            name: file.name,
            about: file.about,
            seed: seed(file.seed).map_err(Unreadable::Whole)?,
            net,
            machine: file.machine,
            lasts: file.lasts,
            attackers: each(text, file.attacker, |attacker| check::attacker(&attacker, size).map(|()| attacker))?,
            steps: each(text, file.step, |raw| step(raw).and_then(|step| check::step(&step, size).map(|()| step)))?,
            load: each(text, file.load, |raw| load(&raw).and_then(|load| check::load(&load, size).map(|()| load)))?,
            expect: each(text, file.expect, |line| expectation(&line, size))?,
            recorded: file.recorded,
        };
        check::whole(&scenario).map_err(Unreadable::Whole)?;
        Ok(scenario)
    }
}

/// Reads a part, and says in which line of the file it begins if it makes no sense.
fn sense<T, U>(text: &str, raw: Spanned<T>, read: impl Fn(T) -> Result<U, String>) -> Result<U, Unreadable> {
    let line = text.bytes().take(raw.span().start).filter(|byte| *byte == b'\n').count() + 1;
    read(raw.into_inner()).map_err(|why| Unreadable::Sense { line, why })
}

fn each<T, U>(text: &str, raw: Vec<Spanned<T>>, read: impl Fn(T) -> Result<U, String>) -> Result<Vec<U>, Unreadable> {
    raw.into_iter().map(|raw| sense(text, raw, &read)).collect()
}

fn expectation(line: &str, size: u16) -> Result<Expectation, String> {
    let expectation = Expectation::parse(line)?;
    check::expectation(expectation, size).map(|()| expectation)
}

fn seed(seed: Seed) -> Result<u64, String> {
    match seed {
        Seed::Number(number) => Ok(number),
        Seed::Text(text) => text.parse().map_err(|_| format!("seed: `{text}` is no number below 2^64")),
    }
}

fn milliseconds(what: &str, duration: Duration) -> Result<u64, String> {
    let whole = u64::try_from(duration.as_millis()).ok().filter(|ms| Duration::from_millis(*ms) == duration);
    whole.ok_or_else(|| format!("net: {what} is in whole milliseconds"))
}

fn net(raw: &FileNet) -> Result<Net, String> {
    let usual = Params::default();
    let timeout_base_ms = raw.timeout.map_or(Ok(usual.timeout_base_ms), |timeout| milliseconds("timeout", timeout))?;
    let greatest = usual.timeout_max_ms.max(timeout_base_ms);
    let params = Params {
        timeout_base_ms,
        timeout_max_ms: raw.timeout_max.map_or(Ok(greatest), |timeout| milliseconds("timeout-max", timeout))?,
        block_interval_ms: raw.block_interval.map(|pace| milliseconds("block-interval", pace)).transpose()?,
        max_block_batches: raw.max_block_batches.unwrap_or(usual.max_block_batches),
        checkpoint_interval: raw.checkpoint_interval.unwrap_or(usual.checkpoint_interval),
    };
    let net = Net {
        replicas: raw.replicas.unwrap_or(4),
        protocol: raw.protocol,
        votes: raw.scheme.as_deref().map_or(Ok(Votes::default()), Votes::parse).map_err(|why| format!("net: {why}"))?,
        election: raw.election.unwrap_or(Election::usual(raw.protocol)),
        params,
        application: raw.application.unwrap_or_default(),
        links: raw.links.map(links).transpose().map_err(|why| format!("net: links: {why}"))?,
    };
    check::net(&net).map(|()| net)
}

fn links(raw: FileLinks) -> Result<LinkSpec, String> {
    let spec = LinkSpec {
        delay: raw.delay.unwrap_or_default(),
        jitter: raw.jitter.unwrap_or_default(),
        loss: raw.loss.unwrap_or_default(),
        duplicate: raw.duplicate.unwrap_or_default(),
        reorder: raw.reorder.unwrap_or_default(),
        bandwidth: raw.bandwidth,
        cut: raw.cut.unwrap_or_default(),
    };
    spec.check().map(|()| spec).map_err(|error| error.to_string())
}

fn step(raw: FileStep) -> Result<Step, String> {
    let moment = match (raw.at, &raw.when) {
        (Some(at), None) => Moment::At(at),
        (None, Some(when)) => condition(when)?,
        (None, None) => return Err("a step says when: `at = \"5s\"` or `when = \"height >= 20\"`".to_owned()),
        (Some(_), Some(_)) => return Err("a step has `at` or `when`, not both".to_owned()),
    };
    action(raw).map(|action| Step { moment, action })
}

fn action(raw: FileStep) -> Result<Action, String> {
    let mut actions = actions(raw)?;
    match (actions.pop(), actions.is_empty()) {
        (Some(action), true) => Ok(action),
        (Some(_), false) => Err("a step does one thing: write another step for the other".to_owned()),
        (None, _) => Err("a step does something, such as `crash = 2`".to_owned()),
    }
}

/// An action alone is written as a step without its moment.
impl<'de> Deserialize<'de> for Action {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = FileStep::deserialize(deserializer)?;
        if raw.at.is_some() || raw.when.is_some() {
            return Err(D::Error::custom("an action says nothing of when"));
        }
        action(raw).map_err(D::Error::custom)
    }
}

fn actions(raw: FileStep) -> Result<Vec<Action>, String> {
    if raw.heal == Some(false) {
        return Err("`heal = true` mends all cuts; there is no `heal = false`".to_owned());
    }
    let all_links = raw.links.map(links).transpose()?.map(Action::Links);
    let link = raw.link.map(|link| links(link.is).map(|spec| Action::Link(link.from, link.to, spec))).transpose()?;
    let all = [
        raw.crash.map(Action::Crash),
        raw.crash_after.map(|after| Action::CrashAfter(after.replica, after.actions)),
        raw.restart.map(Action::Restart),
        raw.wipe.map(Action::Wipe),
        raw.replace_disks.map(Action::ReplaceDisks),
        raw.disk.map(|disk| Action::Disk(disk.replica, disk.of, disk.fault)),
        raw.pause.map(Action::Pause),
        raw.resume.map(Action::Resume),
        raw.partition.map(Action::Partition),
        raw.one_way.map(|pair| Action::OneWay(pair.from, pair.to)),
        raw.heal.map(|_| Action::Heal),
        all_links,
        link,
        raw.wan.map(Action::Wan),
        raw.skew.map(|skew| Action::Skew(skew.replica, skew.ms)),
        raw.attack.map(Action::Attack),
        raw.stop_attack.map(Action::StopAttack),
    ];
    Ok(all.into_iter().flatten().collect())
}

fn load(raw: &FileLoad) -> Result<Load, String> {
    let kind = match (raw.also, raw.double_spend) {
        (None, None) => LoadKind::Once,
        (Some(replica), None) => LoadKind::Twice(replica),
        (None, Some(replica)) => LoadKind::DoubleSpend(replica),
        (Some(_), Some(_)) => return Err("`also` or `double-spend`, not both".to_owned()),
    };
    match (raw.at, raw.client, raw.replica, raw.every, raw.until) {
        (Some(at), Some(client), Some(replica), None, None) => Ok(Load::Once { at, client, replica, kind }),
        (None, None, None, Some(every), Some(until)) if kind == LoadKind::Once => Ok(Load::Steady { every, until }),
        _ => Err("load is `at`, `client`, `replica`, or `every` and `until`".to_owned()),
    }
}
