//! Whether a scenario makes sense, as far as the format can know.

use crate::{Action, Attacker, Expectation, Load, LoadKind, Net, Scenario, Step, Who};
use quorate_types::ReplicaId;
use std::{collections::BTreeSet, time::Duration};

/// Clients that a scenario may have.
const CLIENTS: usize = 5;
/// Acts of steady load: more is a slip of the pen.
const ACTS: u128 = 100_000;

pub(crate) fn net(net: &Net) -> Result<(), String> {
    let params = &net.params;
    match () {
        () if !(1..=100).contains(&net.replicas) => Err(format!("net: replicas is 1 to 100, not {}", net.replicas)),
        () if params.timeout_base_ms == 0 => Err("net: timeout is more than nothing".to_owned()),
        () if params.timeout_max_ms < params.timeout_base_ms => Err("net: timeout-max is less than timeout".to_owned()),
        () if params.checkpoint_interval == 0 => Err("net: checkpoint-interval is 1 or more".to_owned()),
        () if params.max_block_batches == 0 => Err("net: max-block-batches is 1 or more".to_owned()),
        () => Ok(()),
    }
}

fn member(replica: ReplicaId, size: u16) -> Result<(), String> {
    if replica.0 < size { Ok(()) } else { Err(format!("there is no replica {}: the last is {}", replica.0, size - 1)) }
}

fn members<'a>(mut replicas: impl Iterator<Item = &'a ReplicaId>, size: u16) -> Result<(), String> {
    replicas.try_for_each(|replica| member(*replica, size))
}

pub(crate) fn attacker(attacker: &Attacker, size: u16) -> Result<(), String> {
    member(attacker.replica, size)?;
    members(attacker.against.iter(), size)
}

pub(crate) fn step(step: &Step, size: u16) -> Result<(), String> {
    step.action.check(size)
}

impl Action {
    /// Refuses replicas that a network of so many does not have.
    pub fn check(&self, size: u16) -> Result<(), String> {
        action(self, size)
    }
}

fn action(action: &Action, size: u16) -> Result<(), String> {
    match action {
        Action::Crash(who)
        | Action::Restart(who)
        | Action::Wipe(who)
        | Action::ReplaceDisks(who)
        | Action::Pause(who)
        | Action::Resume(who) => match who {
            Who::All => Ok(()),
            Who::These(these) => members(these.iter(), size),
        },
        Action::CrashAfter(replica, _)
        | Action::Disk(replica, _, _)
        | Action::Skew(replica, _)
        | Action::StopAttack(replica) => member(*replica, size),
        Action::Partition(groups) => members(groups.iter().flatten(), size),
        Action::OneWay(from, to) | Action::Link(from, to, _) => members([from, to].into_iter(), size),
        Action::Attack(who) => attacker(who, size),
        Action::Heal | Action::Links(_) | Action::Wan(_) => Ok(()),
    }
}

pub(crate) fn load(load: &Load, size: u16) -> Result<(), String> {
    match load {
        Load::Once { client, .. } if *client >= CLIENTS => Err(format!("clients are 0 to {}", CLIENTS - 1)),
        Load::Once { replica, kind, .. } => {
            member(*replica, size)?;
            match kind {
                LoadKind::Once => Ok(()),
                LoadKind::Twice(other) | LoadKind::DoubleSpend(other) => member(*other, size),
            }
        }
        Load::Steady { every, .. } if *every == Duration::ZERO => Err("`every` is more than nothing".to_owned()),
        Load::Steady { every, until } if until.as_nanos() / every.as_nanos() > ACTS => {
            Err(format!("more than {ACTS} transactions: make `every` longer or `until` earlier"))
        }
        Load::Steady { .. } => Ok(()),
    }
}

pub(crate) fn expectation(expectation: Expectation, size: u16) -> Result<(), String> {
    match expectation {
        Expectation::Evidence(replica) | Expectation::Convicts(replica) => member(replica, size),
        Expectation::Agree
        | Expectation::Recovers
        | Expectation::Quiet
        | Expectation::Commits { .. }
        | Expectation::NoEvidence
        | Expectation::Stops => Ok(()),
    }
}

/// What no single line can know.
pub(crate) fn whole(scenario: &Scenario) -> Result<(), String> {
    if scenario.expect.contains(&Expectation::Quiet) && !scenario.expect.contains(&Expectation::Recovers) {
        return Err("`quiet` can be expected after `recovers` only".to_owned());
    }
    let stops = scenario.expect.contains(&Expectation::Stops);
    if stops && !scenario.is_beyond_f() {
        return Err(format!("`stops` can be expected of more than f = {} liars only", most(scenario.net.replicas)));
    }
    if stops && scenario.expect.contains(&Expectation::Recovers) {
        return Err("what `stops` never `recovers`: it cannot be told which of two chains is the right one".to_owned());
    }
    Ok(())
}

/// How many of so many may be faulty.
fn most(replicas: u16) -> usize {
    usize::from(replicas.saturating_sub(1) / 3)
}

impl Scenario {
    /// Who lies, from the first moment on or from a later one.
    pub fn liars(&self) -> BTreeSet<ReplicaId> {
        let later = self.steps.iter().filter_map(|step| match &step.action {
            Action::Attack(attacker) => Some(attacker.replica),
            _ => None,
        });
        self.attackers.iter().map(|attacker| attacker.replica).chain(later).collect()
    }

    /// Whether more lie than the protocols bear.
    pub fn is_beyond_f(&self) -> bool {
        self.liars().len() > most(self.net.replicas)
    }
}
