//! Plans as scenario files, and back, to the last number.

use super::{
    Attacker, Load, LoadKind, Plan, attacks,
    plan::{Fault, Late},
};
use crate::{DiskOf, disk::DiskFault};
use quorate_ledger::{Election, Protocol};
use quorate_links::LinkSpec;
use quorate_scenario::{self as file, Action, Application, Machine, Moment, Net, Scenario, Step, Votes, Who};
use quorate_types::{ReplicaId, View};
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);
/// Who hands in steady load.
const CLIENTS: usize = 5;

impl Plan {
    /// As a scenario, with the scheme that it is run under.
    pub fn to_scenario(&self, name: &str, about: &str, votes: Votes) -> Scenario {
        let timed = self.faults.iter().map(|(at, fault)| (Moment::At(*at), fault));
        let late = self.late.iter().map(|late| (Moment::When(late.measure, late.least), &late.fault));
        Scenario {
            name: name.to_owned(),
            about: about.to_owned(),
            seed: self.seed,
            net: Net {
                replicas: u16::try_from(self.replicas).expect("a committee is small"),
                protocol: self.protocol,
                votes,
                election: self.election,
                params: self.params,
                application: if self.is_kv { Application::Kv } else { Application::Opaque },
                links: Some(self.links),
            },
            machine: Machine {
                flush: Some(self.flush),
                ledger: Some(self.ledger),
                rotate_after: Some(self.rotate_after),
                sync_every: Some(self.sync_every),
                snapshot_gap: Some(self.snapshot_gap),
            },
            lasts: self.safety_phase,
            attackers: self.attackers.iter().map(attacker_to_file).collect(),
            steps: timed.chain(late).map(|(moment, fault)| Step { moment, action: action(fault) }).collect(),
            load: self.load.iter().map(load_to_file).collect(),
            expect: self.expect.clone(),
            recorded: None,
        }
    }

    /// What a scenario says, for simulated replicas.
    ///
    /// # Errors
    /// If it names an attack that its protocol does not know, or an election that it does not have.
    pub fn of_scenario(scenario: &Scenario) -> Result<Self, String> {
        let (net, machine) = (&scenario.net, &scenario.machine);
        if net.protocol == Protocol::Pbft && net.election != Election::usual(Protocol::Pbft) {
            return Err(format!("net: pbft has its own election, {}", Election::usual(Protocol::Pbft)));
        }
        let mut plan = Self {
            seed: scenario.seed,
            protocol: net.protocol,
            replicas: usize::from(net.replicas),
            election: net.election,
            params: net.params,
            is_kv: net.application == Application::Kv,
            links: net.links.unwrap_or(LinkSpec { jitter: 5 * MS, ..LinkSpec::delay(5 * MS) }),
            flush: machine.flush.unwrap_or((MS / 2, 2 * MS)),
            ledger: machine.ledger.unwrap_or((MS / 10, MS / 2)),
            rotate_after: machine.rotate_after.unwrap_or(256 * 1024),
            sync_every: machine.sync_every.unwrap_or(64),
            snapshot_gap: machine
                .snapshot_gap
                .unwrap_or_else(|| quorate_validator::sync::snapshot_gap(net.params.checkpoint_interval)),
            safety_phase: scenario.lasts,
            attackers: scenario.attackers.iter().map(attacker).collect(),
            faults: Vec::new(),
            late: Vec::new(),
            load: scenario.load.iter().flat_map(|load| loads(load, net.replicas)).collect(),
            expect: scenario.expect.clone(),
        };
        for step in &scenario.steps {
            for fault in faults(&step.action, net.replicas) {
                match step.moment {
                    Moment::At(at) => plan.faults.push((at, fault)),
                    Moment::When(measure, least) => plan.late.push(Late { measure, least, fault }),
                }
            }
        }
        plan.faults.sort_by_key(|(at, _)| *at);
        plan.load.sort_by_key(|load| load.at);
        plan.check_attacks().map(|()| plan)
    }

    fn check_attacks(&self) -> Result<(), String> {
        let known = attacks(self.protocol);
        match self.all_attackers().find(|attacker| !known.contains(&attacker.attack.as_str())) {
            Some(Attacker { attack, .. }) => {
                Err(format!("{} knows no attack `{attack}`; there are {}", self.protocol, known.join(", ")))
            }
            None => Ok(()),
        }
    }
}

fn attacker(written: &file::Attacker) -> Attacker {
    let file::Attacker { replica, attack, from_view, until_view, against } = written.clone();
    Attacker { replica, attack, from: View(from_view), until: until_view.map(View), against }
}

fn attacker_to_file(attacker: &Attacker) -> file::Attacker {
    let Attacker { replica, attack, from, until, against } = attacker.clone();
    file::Attacker { replica, attack, from_view: from.0, until_view: until.map(|view| view.0), against }
}

fn loads(load: &file::Load, replicas: u16) -> Vec<Load> {
    match *load {
        file::Load::Once { at, client, replica, kind } => {
            let kind = match kind {
                file::LoadKind::Once => LoadKind::Once,
                file::LoadKind::Twice(other) => LoadKind::Twice(other),
                file::LoadKind::DoubleSpend(other) => LoadKind::DoubleSpend(other),
            };
            vec![Load { at, client, replica, kind }]
        }
        file::Load::Steady { every, until } => {
            let moments = (1..).map(|turn| every * turn).take_while(|at| *at < until);
            let replica = (0..replicas).cycle().map(ReplicaId);
            let turns = moments.zip(replica).zip((0..CLIENTS).cycle());
            turns.map(|((at, replica), client)| Load { at, client, replica, kind: LoadKind::Once }).collect()
        }
    }
}

fn load_to_file(load: &Load) -> file::Load {
    let kind = match load.kind {
        LoadKind::Once => file::LoadKind::Once,
        LoadKind::Twice(other) => file::LoadKind::Twice(other),
        LoadKind::DoubleSpend(other) => file::LoadKind::DoubleSpend(other),
    };
    file::Load::Once { at: load.at, client: load.client, replica: load.replica, kind }
}

fn faults(action: &Action, replicas: u16) -> Vec<Fault> {
    let each = |who: &Who, fault: fn(ReplicaId) -> Fault| who.of(replicas).into_iter().map(fault).collect();
    match action {
        Action::Crash(Who::All) => vec![Fault::CrashAll],
        Action::Restart(Who::All) => vec![Fault::RestartAll],
        Action::Crash(who) => each(who, Fault::Crash),
        Action::Restart(who) => each(who, Fault::Restart),
        Action::Wipe(who) => each(who, Fault::Wipe),
        Action::ReplaceDisks(who) => each(who, Fault::LoseDisks),
        Action::Pause(who) => each(who, Fault::Pause),
        Action::Resume(who) => each(who, Fault::Resume),
        Action::CrashAfter(who, actions) => vec![Fault::CrashAfter(*who, *actions)],
        Action::Disk(who, of, fault) => vec![Fault::Disk(*who, disk_of(*of), disk_fault(*fault))],
        Action::Partition(groups) => vec![Fault::Partition(groups.clone())],
        Action::OneWay(from, to) => vec![Fault::OneWay(*from, *to)],
        Action::Heal => vec![Fault::Heal],
        Action::Links(spec) => vec![Fault::Links(*spec)],
        Action::Wan(wan) => {
            wan.links(replicas).into_iter().map(|(from, to, spec)| Fault::Link(from, to, spec)).collect()
        }
        Action::Link(from, to, spec) => vec![Fault::Link(*from, *to, *spec)],
        Action::Skew(who, milliseconds) => vec![Fault::Skew(*who, *milliseconds)],
        Action::Attack(written) => vec![Fault::Attack(attacker(written))],
        Action::StopAttack(who) => vec![Fault::StopAttack(*who)],
    }
}

fn action(fault: &Fault) -> Action {
    match fault {
        Fault::Crash(who) => Action::Crash(Who::one(*who)),
        Fault::CrashAll => Action::Crash(Who::All),
        Fault::CrashAfter(who, actions) => Action::CrashAfter(*who, *actions),
        Fault::Restart(who) => Action::Restart(Who::one(*who)),
        Fault::RestartAll => Action::Restart(Who::All),
        Fault::Wipe(who) => Action::Wipe(Who::one(*who)),
        Fault::LoseDisks(who) => Action::ReplaceDisks(Who::one(*who)),
        Fault::Pause(who) => Action::Pause(Who::one(*who)),
        Fault::Resume(who) => Action::Resume(Who::one(*who)),
        Fault::Disk(who, of, fault) => Action::Disk(*who, disk_of_to_file(*of), disk_fault_to_file(*fault)),
        Fault::Partition(groups) => Action::Partition(groups.clone()),
        Fault::OneWay(from, to) => Action::OneWay(*from, *to),
        Fault::Heal => Action::Heal,
        Fault::Links(spec) => Action::Links(*spec),
        Fault::Link(from, to, spec) => Action::Link(*from, *to, *spec),
        Fault::Skew(who, milliseconds) => Action::Skew(*who, *milliseconds),
        Fault::Attack(attacker) => Action::Attack(attacker_to_file(attacker)),
        Fault::StopAttack(who) => Action::StopAttack(*who),
    }
}

fn disk_of(of: file::DiskOf) -> DiskOf {
    match of {
        file::DiskOf::Journal => DiskOf::Journal,
        file::DiskOf::Blocks => DiskOf::Blocks,
    }
}

fn disk_of_to_file(of: DiskOf) -> file::DiskOf {
    match of {
        DiskOf::Journal => file::DiskOf::Journal,
        DiskOf::Blocks => file::DiskOf::Blocks,
    }
}

fn disk_fault(fault: file::DiskFault) -> DiskFault {
    match fault {
        file::DiskFault::SyncFails => DiskFault::SyncFails,
        file::DiskFault::FullAfter(bytes) => DiskFault::FullAfter(bytes),
        file::DiskFault::PowerFailsBefore(changes) => DiskFault::PowerFailsBefore(changes),
        file::DiskFault::StaleSector(sector) => DiskFault::StaleSector(sector),
        file::DiskFault::MisdirectedSector(meant, hit) => DiskFault::MisdirectedSector(meant, hit),
        file::DiskFault::Slow(by) => DiskFault::Slow(by),
    }
}

fn disk_fault_to_file(fault: DiskFault) -> file::DiskFault {
    match fault {
        DiskFault::SyncFails => file::DiskFault::SyncFails,
        DiskFault::FullAfter(bytes) => file::DiskFault::FullAfter(bytes),
        DiskFault::PowerFailsBefore(changes) => file::DiskFault::PowerFailsBefore(changes),
        DiskFault::StaleSector(sector) => file::DiskFault::StaleSector(sector),
        DiskFault::MisdirectedSector(meant, hit) => file::DiskFault::MisdirectedSector(meant, hit),
        DiskFault::Slow(by) => file::DiskFault::Slow(by),
    }
}
