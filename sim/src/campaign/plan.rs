//! What a seed draws.

use crate::{Rng, cluster::DiskOf, disk::DiskFault};
use quorate_ledger::{Election, Params, Protocol};
use quorate_links::LinkSpec;
use quorate_types::ReplicaId;
use std::time::Duration;

/// One run of a campaign.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Decides everything.
    pub seed: u64,
    /// What the replicas run.
    pub protocol: Protocol,
    /// How many replicas.
    pub replicas: usize,
    /// Who leads.
    pub election: Election,
    /// The genesis' parameters.
    pub params: Params,
    /// Whether transactions are operations on the key-value store.
    pub is_kv: bool,
    /// Links at first.
    pub links: LinkSpec,
    /// A flush takes so long.
    pub flush: (Duration, Duration),
    /// A ledger's task takes so long.
    pub ledger: (Duration, Duration),
    /// Journals are rotated after so many bytes.
    pub rotate_after: u64,
    /// Ledgers are made durable every so many commits.
    pub sync_every: u64,
    /// How long the faults last.
    pub safety_phase: Duration,
    /// In the order of time.
    pub faults: Vec<(Duration, Fault)>,
    /// When which client hands in a transaction at which replica.
    pub load: Vec<(Duration, usize, ReplicaId)>,
}

/// Something that goes wrong, or right again.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Power fails.
    Crash(ReplicaId),
    /// Power fails everywhere.
    CrashAll,
    /// Starts from its disks.
    Restart(ReplicaId),
    /// Everybody who is down starts.
    RestartAll,
    /// The disks are lost; it starts with new ones.
    LoseDisks(ReplicaId),
    /// A disk fails.
    Disk(ReplicaId, DiskOf, DiskFault),
    /// Only members of a group hear each other.
    Partition(Vec<Vec<ReplicaId>>),
    /// Nothing passes from the one to the other.
    OneWay(ReplicaId, ReplicaId),
    /// All cuts are mended.
    Heal,
    /// All links change.
    Links(LinkSpec),
    /// A clock goes wrong.
    Skew(ReplicaId, i64),
}

impl Plan {
    /// The plan of a seed.
    pub fn draw(protocol: Protocol, replicas: usize, seed: u64) -> Self {
        let rng = &mut Rng::new(seed ^ 0x706c_616e);
        let base = [60, 120, 250, 500][rng.below(4)];
        let params = Params {
            timeout_base_ms: base,
            timeout_max_ms: base * rng.within(1..=8),
            block_interval_ms: rng.percent(15).then_some(base / 2),
            max_block_batches: [1, 4, 32][rng.below(3)],
            ..Params::default()
        };
        let base = Duration::from_millis(base);
        let safety_phase = base * u32::try_from(rng.within(8..=30)).expect("small");
        let mut plan = Self {
            seed,
            protocol,
            replicas,
            election: Election::usual(protocol),
            params,
            is_kv: rng.percent(50),
            links: links(base, rng),
            flush: latency(base, rng),
            ledger: latency(base / 4, rng),
            rotate_after: [4 * 1024, 16 * 1024, 1024 * 1024][rng.below(3)],
            sync_every: [1, 8, 1024][rng.below(3)],
            safety_phase,
            faults: Vec::new(),
            load: Vec::new(),
        };
        plan.draw_faults(base, rng);
        plan.draw_load(rng);
        plan.draw_choices(rng);
        plan
    }

    /// What only one of the protocols knows. Drawn last: all else is the same for both.
    fn draw_choices(&mut self, rng: &mut Rng) {
        match self.protocol {
            // Short intervals bring checkpoints into short runs.
            Protocol::Pbft => self.params.checkpoint_interval = [1, 2, 4, 16, 64][rng.below(5)],
            Protocol::Hotstuff => {
                let [round_robin, stable, reputation] = Election::ALL;
                self.election = [round_robin, round_robin, stable, reputation][rng.below(4)];
            }
        }
    }

    fn replica(&self, rng: &mut Rng) -> ReplicaId {
        ReplicaId(u16::try_from(rng.below(self.replicas)).expect("a committee is small"))
    }

    fn draw_load(&mut self, rng: &mut Rng) {
        for _ in 0..rng.within(3..=30) {
            let at = self.moment(rng);
            let load = (at, rng.below(4), self.replica(rng));
            self.load.push(load);
        }
        self.load.sort_by_key(|(at, ..)| *at);
    }

    fn moment(&self, rng: &mut Rng) -> Duration {
        Duration::from_nanos(rng.within(0..=u64::try_from(self.safety_phase.as_nanos()).unwrap_or(u64::MAX)))
    }

    fn draw_faults(&mut self, base: Duration, rng: &mut Rng) {
        // Those who crash by themselves, and lose disks, are never more than f; all at once is another matter.
        let max_faulty = (self.replicas - 1) / 3;
        let mut victims: Vec<_> = (0..self.replicas).filter_map(|i| u16::try_from(i).ok()).map(ReplicaId).collect();
        rng.shuffle(&mut victims);
        victims.truncate(max_faulty);
        for _ in 0..rng.within(0..=6) {
            let at = self.moment(rng);
            let lasts = base * u32::try_from(rng.within(0..=6)).expect("small") / 2;
            match rng.below(20) {
                0..=5 => self.crash_one(at, lasts, &victims, rng),
                6..=7 => {
                    self.faults.push((at, Fault::CrashAll));
                    self.faults.push((at + lasts / 4, Fault::RestartAll));
                }
                8..=10 => {
                    let groups = self.groups(rng);
                    self.faults.push((at, Fault::Partition(groups)));
                    self.faults.push((at + lasts, Fault::Heal));
                }
                11..=12 => self.flap(at, lasts, rng),
                13..=15 => {
                    for _ in 0..rng.within(1..=4) {
                        let (from, to) = (self.replica(rng), self.replica(rng));
                        self.faults.push((at, Fault::OneWay(from, to)));
                    }
                    self.faults.push((at + lasts, Fault::Heal));
                }
                16..=18 => {
                    let links = links(base, rng);
                    self.faults.push((at, Fault::Links(links)));
                }
                _ => {
                    let skew = if rng.percent(50) { 3_600_000 } else { -3_600_000 };
                    let who = self.replica(rng);
                    self.faults.push((at, Fault::Skew(who, skew)));
                }
            }
        }
        self.faults.sort_by_key(|(at, _)| *at);
    }

    fn crash_one(&mut self, at: Duration, lasts: Duration, victims: &[ReplicaId], rng: &mut Rng) {
        let Some(&victim) = rng.pick(victims) else { return };
        let fault = match rng.below(12) {
            0..=6 => Fault::Crash(victim),
            7 => Fault::LoseDisks(victim),
            8 => Fault::Disk(victim, disk(rng), DiskFault::SyncFails),
            9 => Fault::Disk(victim, disk(rng), DiskFault::FullAfter(rng.within(0..=20_000))),
            _ => {
                let changes = u32::try_from(rng.within(0..=30)).expect("small");
                Fault::Disk(victim, disk(rng), DiskFault::PowerFailsBefore(changes))
            }
        };
        self.faults.push((at, fault));
        self.faults.push((at + lasts, Fault::Crash(victim)));
        self.faults.push((at + lasts, Fault::Restart(victim)));
    }

    /// Two or three groups, now and then with a replica in two of them.
    fn groups(&self, rng: &mut Rng) -> Vec<Vec<ReplicaId>> {
        let count = 2 + rng.below(2);
        let mut groups = vec![Vec::new(); count];
        for index in (0..self.replicas).filter_map(|index| u16::try_from(index).ok()) {
            groups[rng.below(count)].push(ReplicaId(index));
            if rng.percent(15) {
                groups[rng.below(count)].push(ReplicaId(index));
            }
        }
        groups
    }

    /// A partition that comes and goes.
    fn flap(&mut self, at: Duration, lasts: Duration, rng: &mut Rng) {
        let pause = Duration::from_millis(100);
        let mut now = at;
        while now < at + lasts {
            let groups = self.groups(rng);
            self.faults.push((now, Fault::Partition(groups)));
            self.faults.push((now + pause / 2, Fault::Heal));
            now += pause;
        }
    }
}

fn disk(rng: &mut Rng) -> DiskOf {
    if rng.percent(60) { DiskOf::Journal } else { DiskOf::Blocks }
}

/// From good to terrible: loss up to 30 %.
fn links(base: Duration, rng: &mut Rng) -> LinkSpec {
    let part = |rng: &mut Rng, most: u64| base * u32::try_from(rng.within(0..=most)).expect("small") / 100;
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
    let least = base * u32::try_from(rng.within(0..=3)).expect("small") / 100;
    (least, least + base * u32::try_from(rng.within(0..=8)).expect("small") / 100)
}
