//! From a scenario to a file: a line for each step, attacker and transaction.

use crate::{
    Action, Load, LoadKind, Moment, Scenario, Step,
    file::{FileCrashAfter, FileDisk, FileLink, FileLinks, FileLoad, FileNet, FilePair, FileSkew, FileStep},
    time,
};
use quorate_ledger::Params;
use quorate_links::LinkSpec;
use serde::{Serialize, Serializer};
use std::time::Duration;

impl Scenario {
    /// Writes a file that reads as this scenario.
    pub fn to_text(&self) -> String {
        let mut text = format!("name = {}\n", inline(&self.name));
        if !self.about.is_empty() {
            text += &format!("about = {}\n", inline(&self.about));
        }
        let seed = i64::try_from(self.seed).map_or_else(|_| inline(&self.seed.to_string()), |seed| seed.to_string());
        text += &format!("seed = {seed}\nlasts = \"{}\"\n", time::show(self.lasts));
        text += &format!("expect = {}\n", list(self.expect.iter().map(ToString::to_string)));
        if !self.attackers.is_empty() {
            text += &format!("attacker = {}\n", list(&self.attackers));
        }
        text += &format!("step = {}\n", list(self.steps.iter().map(step)));
        text += &format!("load = {}\n", list(self.load.iter().map(load)));
        text += &format!("\n[net]\n{}", table(&net(self)));
        text += &format!("\n[machine]\n{}", table(&self.machine));
        if let Some(recorded) = &self.recorded {
            text += &format!("\n[recorded]\n{}", table(recorded));
        }
        text
    }
}

fn inline(value: &impl Serialize) -> String {
    toml::Value::try_from(value).expect("strings, numbers, lists and tables have a TOML form").to_string()
}

fn table(value: &impl Serialize) -> String {
    let value = toml::Value::try_from(value).expect("strings, numbers, lists and tables have a TOML form");
    let entries = value.as_table().into_iter().flatten();
    entries.map(|(key, value)| format!("{key} = {value}\n")).collect()
}

fn list<T: Serialize>(items: impl IntoIterator<Item = T>) -> String {
    let lines: String = items.into_iter().map(|item| format!("  {},\n", inline(&item))).collect();
    if lines.is_empty() { "[]".to_owned() } else { format!("[\n{lines}]") }
}

fn links(spec: LinkSpec) -> FileLinks {
    let time = |duration| Some(duration).filter(|duration| *duration != Duration::ZERO);
    let chance = |chance| Some(chance).filter(|chance| *chance != 0.0);
    FileLinks {
        delay: time(spec.delay),
        jitter: time(spec.jitter),
        loss: chance(spec.loss),
        duplicate: chance(spec.duplicate),
        reorder: chance(spec.reorder),
        bandwidth: spec.bandwidth,
        cut: spec.cut.then_some(true),
    }
}

fn net(scenario: &Scenario) -> FileNet {
    let net = &scenario.net;
    let Params { timeout_base_ms, timeout_max_ms, block_interval_ms, max_block_batches, checkpoint_interval } =
        net.params;
    FileNet {
        replicas: Some(net.replicas),
        protocol: net.protocol,
        scheme: Some(net.votes.name().to_owned()),
        election: Some(net.election),
        application: Some(net.application),
        timeout: Some(Duration::from_millis(timeout_base_ms)),
        timeout_max: Some(Duration::from_millis(timeout_max_ms)),
        block_interval: block_interval_ms.map(Duration::from_millis),
        max_block_batches: Some(max_block_batches),
        checkpoint_interval: Some(checkpoint_interval),
        links: net.links.map(links),
    }
}

fn step(step: &Step) -> FileStep {
    let mut raw = action(&step.action);
    match step.moment {
        Moment::At(at) => raw.at = Some(at),
        Moment::When(..) => raw.when = Some(step.moment.to_string()),
    }
    raw
}

/// As a step without its moment.
impl Serialize for Action {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        action(self).serialize(serializer)
    }
}

fn action(action: &Action) -> FileStep {
    let mut raw = FileStep::default();
    match action.clone() {
        Action::Crash(who) => raw.crash = Some(who),
        Action::CrashAfter(replica, actions) => raw.crash_after = Some(FileCrashAfter { replica, actions }),
        Action::Restart(who) => raw.restart = Some(who),
        Action::Wipe(who) => raw.wipe = Some(who),
        Action::ReplaceDisks(who) => raw.replace_disks = Some(who),
        Action::Disk(replica, of, fault) => raw.disk = Some(FileDisk { replica, of, fault }),
        Action::Pause(who) => raw.pause = Some(who),
        Action::Resume(who) => raw.resume = Some(who),
        Action::Partition(groups) => raw.partition = Some(groups),
        Action::OneWay(from, to) => raw.one_way = Some(FilePair { from, to }),
        Action::Heal => raw.heal = Some(true),
        Action::Links(spec) => raw.links = Some(links(spec)),
        Action::Link(from, to, spec) => raw.link = Some(FileLink { from, to, is: links(spec) }),
        Action::Wan(wan) => raw.wan = Some(wan),
        Action::Skew(replica, ms) => raw.skew = Some(FileSkew { replica, ms }),
        Action::Attack(attacker) => raw.attack = Some(attacker),
        Action::StopAttack(replica) => raw.stop_attack = Some(replica),
    }
    raw
}

fn load(load: &Load) -> FileLoad {
    match *load {
        Load::Steady { every, until } => FileLoad { every: Some(every), until: Some(until), ..FileLoad::default() },
        Load::Once { at, client, replica, kind } => {
            let (also, double_spend) = match kind {
                LoadKind::Once => (None, None),
                LoadKind::Twice(other) => (Some(other), None),
                LoadKind::DoubleSpend(other) => (None, Some(other)),
            };
            let (at, client, replica) = (Some(at), Some(client), Some(replica));
            FileLoad { at, client, replica, also, double_spend, ..FileLoad::default() }
        }
    }
}
