//! What a run is made of: plain data, so that it can be shown, changed, written down and run again.

use crate::{cluster::DiskOf, disk::DiskFault};
use quorate_byzantine::Target;
use quorate_ledger::{Election, Params, Protocol};
use quorate_links::LinkSpec;
use quorate_scenario::{Expectation, Measure};
use quorate_types::{ReplicaId, View};
use std::{collections::BTreeSet, time::Duration};

/// One run of a campaign.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Decides everything that the plan leaves open.
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
    /// Whoever is so many blocks behind fetches a snapshot.
    pub snapshot_gap: u64,
    /// How long the faults last.
    pub safety_phase: Duration,
    /// Replicas in attackers' hands, from the first moment to the last.
    pub attackers: Vec<Attacker>,
    /// In the order of time.
    pub faults: Vec<(Duration, Fault)>,
    /// As soon as a figure is great enough.
    pub late: Vec<Late>,
    /// In the order of time.
    pub load: Vec<Load>,
    /// What must hold in the end. What is always looked at need not be said.
    pub expect: Vec<Expectation>,
}

/// Something that waits for a figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Late {
    /// Which.
    pub measure: Measure,
    /// How great it must be.
    pub least: u64,
    /// What happens then, once.
    pub fault: Fault,
}

/// A replica that lies, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attacker {
    /// Which one.
    pub replica: ReplicaId,
    /// The attack's name in the registry.
    pub attack: String,
    /// Before this view it is honest.
    pub from: View,
    /// From this view on it is honest again; `None`: never.
    pub until: Option<View>,
    /// Who suffers, where the attack can choose; nobody: whom the attack says.
    pub against: BTreeSet<ReplicaId>,
}

/// A client acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Load {
    /// When.
    pub at: Duration,
    /// Which one.
    pub client: usize,
    /// At which replica.
    pub replica: ReplicaId,
    /// How.
    pub kind: LoadKind,
}

/// How a client acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadKind {
    /// Hands in its next transaction, and again until it has taken effect.
    Once,
    /// At this replica as well, at once.
    Twice(ReplicaId),
    /// A liar: two different transactions of one nonce, the other one at this replica.
    DoubleSpend(ReplicaId),
}

/// Something that goes wrong, or right again.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// Power fails.
    Crash(ReplicaId),
    /// Power fails after so many more things that the replica does: between two messages of one broadcast, perhaps.
    CrashAfter(ReplicaId, u32),
    /// Power fails everywhere.
    CrashAll,
    /// Starts from its disks.
    Restart(ReplicaId),
    /// Everybody who is down starts.
    RestartAll,
    /// The disks are lost, and it is down.
    Wipe(ReplicaId),
    /// The disks are lost; it starts with new ones.
    LoseDisks(ReplicaId),
    /// A disk fails.
    Disk(ReplicaId, DiskOf, DiskFault),
    /// Stands still; everything waits for it.
    Pause(ReplicaId),
    /// Goes on.
    Resume(ReplicaId),
    /// Only members of a group hear each other.
    Partition(Vec<Vec<ReplicaId>>),
    /// Nothing passes from the one to the other.
    OneWay(ReplicaId, ReplicaId),
    /// All cuts are mended.
    Heal,
    /// All links change.
    Links(LinkSpec),
    /// One direction of one link changes.
    Link(ReplicaId, ReplicaId, LinkSpec),
    /// A clock goes wrong.
    Skew(ReplicaId, i64),
    /// A replica lies from now on.
    Attack(Attacker),
    /// And is honest again.
    StopAttack(ReplicaId),
}

impl Plan {
    /// Replicas that may break their promises, through no fault of their code: liars, now or later.
    pub fn liars(&self) -> BTreeSet<ReplicaId> {
        self.all_attackers().map(|attacker| attacker.replica).collect()
    }

    /// Those who lie from the first moment on or from some other.
    pub fn all_attackers(&self) -> impl Iterator<Item = &Attacker> {
        self.attackers.iter().chain(self.sleepers())
    }

    /// Those who are honest at first.
    pub fn sleepers(&self) -> impl Iterator<Item = &Attacker> {
        let faults = self.faults.iter().map(|(_, fault)| fault).chain(self.late.iter().map(|late| &late.fault));
        faults.filter_map(|fault| match fault {
            Fault::Attack(attacker) => Some(attacker),
            _ => None,
        })
    }

    /// When everything has happened: no sooner than some expectation looks.
    pub fn end(&self) -> Duration {
        let looked = self.expect.iter().filter_map(|expectation| match expectation {
            Expectation::Commits { within, .. } => *within,
            _ => None,
        });
        looked.max().unwrap_or_default().max(self.safety_phase)
    }
}

impl Attacker {
    /// When and against whom.
    pub fn target(&self) -> Target {
        Target { from: self.from, until: self.until, against: self.against.clone() }
    }
}
