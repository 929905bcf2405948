//! What is in force, and how it is put there.

use super::{
    AttackStatus, BadFaults, DiskStatuses, FaultStatus, FaultToken, NodeDisks, NodeFaults, RoundTripStatus,
    disk::Switch, hands::Hands,
};
use crate::runtime::{Shelf, unix_millis};
use quorate_network::{RoundTrip, Shaping};
use quorate_scenario::Attacker;
use quorate_types::{ReplicaId, View};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

/// What a validator's disks, clock and links are told by.
#[derive(Debug)]
pub(super) struct Tools {
    journal: Switch,
    blocks: Switch,
    skew_ms: AtomicI64,
    shaping: Shaping,
}

impl Tools {
    /// Nothing is wrong. The links' chance is the same each time the validator starts, and another one for each.
    pub(super) fn of(me: ReplicaId) -> Self {
        let shaping = Shaping::new(u64::from(me.0));
        Self { journal: Switch::default(), blocks: Switch::default(), skew_ms: AtomicI64::new(0), shaping }
    }

    pub(super) fn shaping(&self) -> &Shaping {
        &self.shaping
    }

    pub(super) fn switch(&self, shelf: Shelf) -> &Switch {
        match shelf {
            Shelf::Journal => &self.journal,
            Shelf::Blocks => &self.blocks,
        }
    }

    /// What the validator takes for the time.
    pub(super) fn clock(&self) -> u64 {
        unix_millis().saturating_add_signed(self.skew_ms.load(Ordering::Relaxed))
    }

    fn round_trips(&self) -> BTreeMap<ReplicaId, RoundTripStatus> {
        let shown = |trip: RoundTrip| RoundTripStatus {
            median_ms: trip.median.as_secs_f64() * 1000.0,
            samples: u64::try_from(trip.samples).unwrap_or(u64::MAX),
        };
        self.shaping.round_trips().into_iter().map(|(peer, trip)| (peer, shown(trip))).collect()
    }

    fn set_disks(&self, disks: NodeDisks) {
        self.journal.set(disks.journal);
        self.blocks.set(disks.blocks);
    }
}

/// A validator's faults: what is in force, and whoever may change it.
pub struct Lab {
    me: ReplicaId,
    members: u16,
    token: Option<FaultToken>,
    tools: Arc<Tools>,
    hands: Arc<dyn Hands>,
    now: Mutex<Now>,
}

#[derive(Debug, Default)]
struct Now {
    in_force: NodeFaults,
    /// Deeds of earlier attacks.
    deeds_before: u64,
}

impl Lab {
    pub(super) fn new(
        (me, members): (ReplicaId, u16),
        token: Option<FaultToken>,
        tools: Arc<Tools>,
        hands: Arc<dyn Hands>,
    ) -> Self {
        Self { me, members, token, tools, hands, now: Mutex::default() }
    }

    /// What whoever asks for faults must bear; `None`: nobody may.
    pub fn token(&self) -> Option<&FaultToken> {
        self.token.as_ref()
    }

    /// Puts these faults in force in place of those before. They are when this returns. What makes no sense changes nothing.
    pub fn put(&self, faults: NodeFaults) -> Result<(), BadFaults> {
        faults.check(self.me, self.members)?;
        self.check_name(&faults)?;
        let mut now = self.now();
        let links = self.tools.shaping.set(faults.links.clone());
        links.map_err(|error| BadFaults::BadLink { to: error.peer, why: error.why })?;
        self.tools.set_disks(faults.disks);
        self.tools.skew_ms.store(faults.skew_ms, Ordering::Relaxed);
        if faults.attack != now.in_force.attack {
            now.deeds_before = self.hands.deeds();
            match &faults.attack {
                Some(attacker) => self.hands.begin(attacker),
                None => self.hands.end(),
            }
        }
        let shown = serde_json::to_string(&faults).unwrap_or_default();
        tracing::warn!(faults = shown, "faults on purpose are in force");
        now.in_force = faults;
        Ok(())
    }

    fn check_name(&self, faults: &NodeFaults) -> Result<(), BadFaults> {
        let known = self.hands.known();
        match &faults.attack {
            Some(Attacker { attack, .. }) if !known.contains(&attack.as_str()) => {
                Err(BadFaults::NoSuchAttack { name: attack.clone(), known: known.join(", ") })
            }
            _ => Ok(()),
        }
    }

    /// What is in force in this view, and what came of it.
    pub fn status(&self, view: View) -> FaultStatus {
        let now = self.now();
        let deeds = self.hands.deeds();
        let is_on = self.hands.are_attacking();
        let attack = now.in_force.attack.as_ref();
        FaultStatus {
            replica: self.me,
            view,
            in_force: now.in_force.clone(),
            attack: attack.map(|_| AttackStatus { is_on, deeds: deeds.saturating_sub(now.deeds_before) }),
            deeds,
            disks: DiskStatuses { journal: self.tools.journal.status(), blocks: self.tools.blocks.status() },
            clock_ms: self.tools.clock(),
            round_trips: self.tools.round_trips(),
        }
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Lab {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lab").field("me", &self.me).field("now", &self.now).finish_non_exhaustive()
    }
}
