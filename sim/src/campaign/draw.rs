//! What a seed draws.
//!
//! Each seed has its own *distribution* of faults: half of the kinds are absent from it, the others have drawn weights. Two faults that
//! rarely come together in a uniform mixture fill whole runs of some seeds, and a kind that hides what another would show is
//! missing from others (swarm testing: Groce et al., ISSTA 2012).
//!
//! At most `f` replicas are faulty in the sense of the protocols: those that lie and those that lose what they promised, with
//! their disks or with a sector. Crashes from which a replica comes back with its disks, stand-stills, cuts and slow links may hit
//! everybody.

use super::plan::{Attacker, Fault, Load, LoadKind, Plan};
use crate::{Rng, cluster::DiskOf, disk::DiskFault};
use quorate_byzantine::{Attacks, Known};
use quorate_ledger::{Election, Params, Protocol};
use quorate_links::LinkSpec;
use quorate_scenario::Expectation;
use quorate_types::{ReplicaId, View};
use std::time::Duration;

/// Kinds of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Crash,
    CrashAfter,
    CrashAll,
    Pause,
    LoseDisks,
    SyncFails,
    DiskFull,
    PowerFails,
    Sectors,
    Partition,
    Flap,
    OneWay,
    Links,
    Skew,
}

const KINDS: [Kind; 14] = [
    Kind::Crash,
    Kind::CrashAfter,
    Kind::CrashAll,
    Kind::Pause,
    Kind::LoseDisks,
    Kind::SyncFails,
    Kind::DiskFull,
    Kind::PowerFails,
    Kind::Sectors,
    Kind::Partition,
    Kind::Flap,
    Kind::OneWay,
    Kind::Links,
    Kind::Skew,
];

/// Names of the attacks on a protocol.
pub fn attacks(protocol: Protocol) -> Vec<&'static str> {
    fn names<P: Attacks>() -> Vec<&'static str> {
        P::attacks().into_iter().map(|known: Known<P>| known.name).collect()
    }
    match protocol {
        Protocol::Hotstuff => names::<crate::SymbolicHotStuff>(),
        Protocol::Pbft => names::<crate::SymbolicPbft>(),
    }
}

/// A plan as it grows.
struct Draw {
    plan: Plan,
    base: Duration,
    rng: Rng,
    /// Those that may lose what they promised.
    fragile: Vec<ReplicaId>,
}

impl Plan {
    /// The plan of a seed. Attackers use the `attacks` of these names, each as likely as any other; without names nobody lies.
    pub fn draw<A: AsRef<str>>(protocol: Protocol, replicas: usize, attacks: &[A], seed: u64) -> Self {
        let mut rng = Rng::new(seed ^ 0x706c_616e);
        let base = [60, 120, 250, 500][rng.below(4)];
        let params = Params {
            timeout_base_ms: base,
            timeout_max_ms: base * rng.within(1..=8),
            block_interval_ms: rng.percent(15).then_some(base / 2),
            max_block_batches: [1, 4, 32][rng.below(3)],
            ..Params::default()
        };
        let base = Duration::from_millis(base);
        let plan = Self {
            seed,
            protocol,
            replicas,
            election: Election::usual(protocol),
            params,
            is_kv: rng.percent(50),
            links: links(base, &mut rng),
            flush: latency(base, &mut rng),
            ledger: latency(base / 4, &mut rng),
            rotate_after: [4 * 1024, 16 * 1024, 1024 * 1024][rng.below(3)],
            sync_every: [1, 8, 1024][rng.below(3)],
            snapshot_gap: [4, 32, 1024][rng.below(3)],
            // Many short runs find more than a few long ones in the same time; what needs long ones has a fifth of them.
            safety_phase: base * small(if rng.percent(20) { rng.within(17..=30) } else { rng.within(4..=16) }),
            attackers: Vec::new(),
            faults: Vec::new(),
            late: Vec::new(),
            load: Vec::new(),
            expect: vec![Expectation::Agree, Expectation::Recovers, Expectation::Quiet],
        };
        let mut draw = Draw { plan, base, rng, fragile: Vec::new() };
        draw.attackers(attacks);
        draw.faults();
        draw.load();
        draw.choices();
        draw.plan
    }
}

impl Draw {
    /// What only one of the protocols knows.
    fn choices(&mut self) {
        match self.plan.protocol {
            // Short intervals bring checkpoints into short runs.
            Protocol::Pbft => self.plan.params.checkpoint_interval = [1, 2, 4, 16, 64][self.rng.below(5)],
            Protocol::Hotstuff => {
                let [round_robin, stable, reputation] = Election::ALL;
                self.plan.election = [round_robin, round_robin, stable, reputation][self.rng.below(4)];
            }
        }
    }

    fn all(&self) -> impl Iterator<Item = ReplicaId> + use<> {
        (0..self.plan.replicas).filter_map(|index| u16::try_from(index).ok()).map(ReplicaId)
    }

    fn replica(&mut self) -> ReplicaId {
        ReplicaId(u16::try_from(self.rng.below(self.plan.replicas)).expect("a committee is small"))
    }

    fn moment(&mut self) -> Duration {
        let nanos = u64::try_from(self.plan.safety_phase.as_nanos()).unwrap_or(u64::MAX);
        Duration::from_nanos(self.rng.within(0..=nanos))
    }

    /// Of the `f` that may be faulty, some lie and the rest may lose their disks. In half of the seeds with liars all use one attack.
    fn attackers<A: AsRef<str>>(&mut self, attacks: &[A]) {
        let mut all: Vec<_> = self.all().collect();
        self.rng.shuffle(&mut all);
        let mut faulty = all.split_off(all.len() - (self.plan.replicas - 1) / 3);
        let liars = if self.rng.percent(60) { self.rng.below(faulty.len() + 1) } else { 0 };
        self.fragile = faulty.split_off(liars);
        let common = self.rng.percent(50).then(|| self.rng.below(attacks.len()));
        for replica in faulty {
            let choice = self.rng.below(attacks.len());
            let Some(attack) = attacks.get(common.unwrap_or(choice)) else { return };
            let from = View([0, 0, 1, 2, 5][self.rng.below(5)]);
            let until = self.rng.percent(20).then(|| View(from.0 + self.rng.within(1..=20)));
            let is_partial = self.rng.percent(30);
            let others: Vec<_> = self.all().filter(|other| *other != replica).collect();
            let against = others.into_iter().filter(|_| is_partial && self.rng.percent(50)).collect();
            self.plan.attackers.push(Attacker { replica, attack: attack.as_ref().to_owned(), from, until, against });
        }
    }

    fn load(&mut self) {
        for _ in 0..self.rng.within(8..=24) {
            let (at, replica, other) = (self.moment(), self.replica(), self.replica());
            let (client, kind) = match self.rng.below(10) {
                0 => (self.rng.below(4), LoadKind::Twice(other)),
                1 => (4, LoadKind::DoubleSpend(other)),
                _ => (self.rng.below(4), LoadKind::Once),
            };
            self.plan.load.push(Load { at, client, replica, kind });
        }
        self.plan.load.sort_by_key(|load| load.at);
    }

    fn faults(&mut self) {
        let swarm: Vec<(Kind, u64)> = KINDS.iter().map(|kind| (*kind, self.weight())).collect();
        let total: u64 = swarm.iter().map(|(_, weight)| weight).sum();
        if total == 0 {
            return;
        }
        for _ in 0..self.rng.within(0..=8) {
            let mut ticket = self.rng.within(0..=total - 1);
            let drawn = swarm.iter().find(|(_, weight)| {
                let is_here = ticket < *weight;
                ticket = ticket.saturating_sub(*weight);
                is_here
            });
            if let Some((kind, _)) = drawn {
                self.fault(*kind);
            }
        }
        self.plan.faults.sort_by_key(|(at, _)| *at);
    }

    fn weight(&mut self) -> u64 {
        if self.rng.percent(50) { 0 } else { self.rng.within(1..=10) }
    }

    fn push(&mut self, at: Duration, fault: Fault) {
        self.plan.faults.push((at, fault));
    }

    fn fault(&mut self, kind: Kind) {
        let at = self.moment();
        let lasts = self.base * small(self.rng.within(0..=6)) / 2;
        let who = self.replica();
        match kind {
            Kind::Crash => self.down(at, lasts, who, Fault::Crash(who)),
            Kind::CrashAfter => {
                let actions = small(self.rng.within(0..=20));
                self.down(at, lasts, who, Fault::CrashAfter(who, actions));
            }
            Kind::CrashAll => {
                self.push(at, Fault::CrashAll);
                self.push(at + lasts / 4, Fault::RestartAll);
            }
            Kind::Pause => {
                self.push(at, Fault::Pause(who));
                self.push(at + lasts, Fault::Resume(who));
            }
            Kind::LoseDisks => {
                if let Some(who) = self.rng.pick(&self.fragile).copied() {
                    self.down(at, lasts, who, Fault::LoseDisks(who));
                }
            }
            Kind::SyncFails => self.disk(at, lasts, who, DiskFault::SyncFails),
            Kind::DiskFull => {
                let bytes = self.rng.within(0..=20_000);
                self.disk(at, lasts, who, DiskFault::FullAfter(bytes));
            }
            Kind::PowerFails => {
                let changes = small(self.rng.within(0..=30));
                self.disk(at, lasts, who, DiskFault::PowerFailsBefore(changes));
            }
            Kind::Sectors => {
                let (one, other) = (small(self.rng.within(0..=63)), small(self.rng.within(0..=63)));
                let fault = match self.rng.percent(50) {
                    true => DiskFault::StaleSector(one),
                    false => DiskFault::MisdirectedSector(one, other),
                };
                if let Some(who) = self.rng.pick(&self.fragile).copied() {
                    self.disk(at, lasts, who, fault);
                }
            }
            Kind::Partition => {
                let groups = self.groups();
                self.push(at, Fault::Partition(groups));
                self.push(at + lasts, Fault::Heal);
            }
            Kind::Flap => self.flap(at, lasts),
            Kind::OneWay => {
                for _ in 0..self.rng.within(1..=4) {
                    let (from, to) = (self.replica(), self.replica());
                    self.push(at, Fault::OneWay(from, to));
                }
                self.push(at + lasts, Fault::Heal);
            }
            Kind::Links => {
                let links = links(self.base, &mut self.rng);
                self.push(at, Fault::Links(links));
            }
            Kind::Skew => {
                let skew = if self.rng.percent(50) { 3_600_000 } else { -3_600_000 };
                self.push(at, Fault::Skew(who, skew));
            }
        }
    }

    fn disk(&mut self, at: Duration, lasts: Duration, who: ReplicaId, fault: DiskFault) {
        let disk = if self.rng.percent(60) { DiskOf::Journal } else { DiskOf::Blocks };
        self.down(at, lasts, who, Fault::Disk(who, disk, fault));
    }

    /// After a fault the power fails, if it has not yet, and the replica starts again.
    fn down(&mut self, at: Duration, lasts: Duration, who: ReplicaId, fault: Fault) {
        self.push(at, fault);
        self.push(at + lasts, Fault::Crash(who));
        self.push(at + lasts, Fault::Restart(who));
    }

    /// Two or three groups, now and then with a replica in two of them.
    fn groups(&mut self) -> Vec<Vec<ReplicaId>> {
        let count = 2 + self.rng.below(2);
        let mut groups = vec![Vec::new(); count];
        for replica in self.all() {
            groups[self.rng.below(count)].push(replica);
            if self.rng.percent(15) {
                groups[self.rng.below(count)].push(replica);
            }
        }
        groups
    }

    /// A partition that comes and goes.
    fn flap(&mut self, at: Duration, lasts: Duration) {
        let pause = Duration::from_millis(100);
        let mut now = at;
        while now < at + lasts {
            let groups = self.groups();
            self.push(now, Fault::Partition(groups));
            self.push(now + pause / 2, Fault::Heal);
            now += pause;
        }
    }
}

fn small(number: u64) -> u32 {
    u32::try_from(number).expect("small")
}

/// From good to terrible: loss up to 30 %.
fn links(base: Duration, rng: &mut Rng) -> LinkSpec {
    let part = |rng: &mut Rng, most: u64| base * small(rng.within(0..=most)) / 100;
    let percent = |rng: &mut Rng, most: u64| if rng.percent(50) { rng.within(0..=most) as f64 / 100.0 } else { 0.0 };
    LinkSpec {
        delay: Duration::from_micros(200) + part(rng, 12),
        jitter: part(rng, 25),
        loss: percent(rng, 30),
        duplicate: percent(rng, 50),
        reorder: percent(rng, 50),
        bandwidth: None,
        cut: false,
    }
}

fn latency(base: Duration, rng: &mut Rng) -> (Duration, Duration) {
    let least = base * small(rng.within(0..=3)) / 100;
    (least, least + base * small(rng.within(0..=8)) / 100)
}
