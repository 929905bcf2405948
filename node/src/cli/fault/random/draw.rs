//! What a seed draws: faults that begin and end at their times, never more at once than the protocol bears.
//!
//! Nothing here asks anybody, so the same seed draws the same for the same testnet. What is in force is known from what was drawn: a
//! fault that takes the place of another (the same process, the same disk, the same link, any cut) ends that one first, and one
//! that would make one faulty validator too many ends all that is wrong with whoever has been faulty longest. Liars are always the
//! same `f`: what one signed as a liar stays signed, so more than `f` may never lie in one run.

use clap::ValueEnum;
use quorate_links::LinkSpec;
use quorate_scenario::{Action, Attacker, DiskFault, DiskOf, Who};
use quorate_sim::Rng;
use quorate_types::ReplicaId;
use std::time::Duration;

/// Kinds of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(in crate::cli) enum Kind {
    /// SIGKILL, then start again
    Kill,
    /// SIGSTOP, then SIGCONT
    Pause,
    /// Two groups that do not hear each other
    Partition,
    /// Nothing passes in one direction of a link
    OneWay,
    /// A validator lies
    Attack,
    /// Each sync takes longer
    SlowDisk,
    /// A link that is slow, lossy, or both
    Link,
}

impl Kind {
    /// Whether so many validators can bear it: some faults make one of `f` faulty, some need two ends.
    pub(super) fn fits(self, nodes: u16) -> bool {
        match self {
            Self::Kill | Self::Pause | Self::Attack => nodes >= 4,
            Self::Partition | Self::OneWay | Self::Link => nodes >= 2,
            Self::SlowDisk => true,
        }
    }
}

/// For whom it is drawn, and how much.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) nodes: u16,
    pub(super) steps: u32,
    pub(super) over: Duration,
    /// Those that fit.
    pub(super) kinds: Vec<Kind>,
    /// Attacks that there are.
    pub(super) attacks: Vec<String>,
    /// Who has lied in this run already: nobody else may, if they are `f`.
    pub(super) liars: Vec<ReplicaId>,
}

/// Something to order at its time.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Event {
    /// After the start.
    pub(super) at: Duration,
    /// Which step begins, from 1 on, and of what kind; none if something only ends.
    pub(super) step: Option<(u32, Kind)>,
    /// First: ends what is over or in the way.
    pub(super) ends: Vec<Action>,
    /// Then: begins.
    pub(super) begins: Vec<Action>,
}

/// What two faults at once would contend for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Process(ReplicaId),
    Role(ReplicaId),
    Disk(ReplicaId),
    Link(ReplicaId, ReplicaId),
    Cuts,
}

/// A fault in force.
#[derive(Clone, Debug)]
struct Standing {
    place: Place,
    until: Duration,
    end: Vec<Action>,
}

/// A fault as drawn.
struct Drawn {
    place: Place,
    begin: Vec<Action>,
    end: Vec<Action>,
}

impl Standing {
    /// Who is faulty because of it, as the fault budget counts.
    fn faulty(&self) -> Option<ReplicaId> {
        self.place.faulty()
    }
}

impl Place {
    fn faulty(self) -> Option<ReplicaId> {
        match self {
            Self::Process(id) | Self::Role(id) => Some(id),
            Self::Disk(_) | Self::Link(..) | Self::Cuts => None,
        }
    }
}

/// The events of a seed, by time. Whoever plays them resets everything afterwards.
pub(super) fn draw(wish: &Wish, seed: u64) -> Vec<Event> {
    let mut plan = Plan { wish, rng: Rng::new(seed), liars: Vec::new(), standing: Vec::new(), events: Vec::new() };
    plan.choose_liars();
    let every = wish.over / wish.steps.max(1);
    for step in 0..wish.steps {
        plan.step(step, every);
    }
    plan.end_until(wish.over);
    plan.events
}

struct Plan<'a> {
    wish: &'a Wish,
    rng: Rng,
    liars: Vec<ReplicaId>,
    /// By the time at which they began.
    standing: Vec<Standing>,
    events: Vec<Event>,
}

impl Plan<'_> {
    fn choose_liars(&mut self) {
        let mut others: Vec<_> = (0..self.wish.nodes).map(ReplicaId).collect();
        self.rng.shuffle(&mut others);
        others.retain(|id| !self.wish.liars.contains(id));
        self.liars = self.wish.liars.iter().copied().chain(others).take(self.most()).collect();
    }

    /// The protocols' `f`.
    fn most(&self) -> usize {
        usize::from(self.wish.nodes.saturating_sub(1) / 3)
    }

    /// A fault that begins within the first half of its share of the time, and lasts a quarter to one and a half of such shares.
    fn step(&mut self, step: u32, every: Duration) {
        let share = |rng: &mut Rng, from: u64, to: u64| every * u32::try_from(rng.within(from..=to)).unwrap_or(0) / 100;
        let at = every * step + share(&mut self.rng, 0, 50);
        let until = at + share(&mut self.rng, 25, 150);
        self.end_until(at);
        let Some(kind) = self.rng.pick(&self.wish.kinds).copied() else { return };
        let Some(drawn) = self.fault(kind) else { return };
        let ends = self.make_room(drawn.place);
        self.standing.push(Standing { place: drawn.place, until, end: drawn.end });
        self.events.push(Event { at, step: Some((step + 1, kind)), ends, begins: drawn.begin });
    }

    /// Whatever is over by then ends at its time.
    fn end_until(&mut self, at: Duration) {
        let (mut over, standing): (Vec<_>, Vec<_>) = self.standing.drain(..).partition(|fault| fault.until <= at);
        self.standing = standing;
        over.sort_by_key(|fault| fault.until);
        let end = |fault: Standing| Event { at: fault.until, step: None, ends: fault.end, begins: Vec::new() };
        self.events.extend(over.into_iter().map(end));
    }

    /// Ends what contends for the same, and whoever is faulty longest if one more would be too many.
    fn make_room(&mut self, place: Place) -> Vec<Action> {
        let mut ends = self.end(|fault| fault.place == place);
        let Some(new) = place.faulty() else { return ends };
        let mut faulty: Vec<ReplicaId> = Vec::new();
        for id in self.standing.iter().filter_map(Standing::faulty).filter(|id| *id != new) {
            if !faulty.contains(&id) {
                faulty.push(id);
            }
        }
        let too_many = (faulty.len() + 1).saturating_sub(self.most());
        for id in faulty.into_iter().take(too_many) {
            ends.extend(self.end(|fault| fault.faulty() == Some(id)));
        }
        ends
    }

    fn end(&mut self, which: impl Fn(&Standing) -> bool) -> Vec<Action> {
        let (over, standing): (Vec<_>, Vec<_>) = self.standing.drain(..).partition(which);
        self.standing = standing;
        over.into_iter().flat_map(|fault| fault.end).collect()
    }

    fn fault(&mut self, kind: Kind) -> Option<Drawn> {
        let id = self.anybody();
        let who = Who::one(id);
        let (place, begin, end) = match kind {
            Kind::Kill => (Place::Process(id), vec![Action::Crash(who.clone())], vec![Action::Restart(who)]),
            Kind::Pause => (Place::Process(id), vec![Action::Pause(who.clone())], vec![Action::Resume(who)]),
            Kind::Partition => (Place::Cuts, vec![Action::Partition(self.halves())], vec![Action::Heal]),
            Kind::OneWay => (Place::Cuts, vec![Action::OneWay(id, self.other(id))], vec![Action::Heal]),
            Kind::Attack => return self.attack(),
            Kind::SlowDisk => {
                let slow = |by| [DiskOf::Journal, DiskOf::Blocks].map(|of| Action::Disk(id, of, DiskFault::Slow(by)));
                let by = self.rng.millis(5..=100);
                (Place::Disk(id), slow(by).into(), slow(Duration::ZERO).into())
            }
            Kind::Link => {
                let (to, spec) = (self.other(id), self.link());
                let (one, other) = (id.min(to), id.max(to));
                let both = |spec| vec![Action::Link(one, other, spec), Action::Link(other, one, spec)];
                (Place::Link(one, other), both(spec), both(LinkSpec::default()))
            }
        };
        Some(Drawn { place, begin, end })
    }

    /// One of the liars; nothing if nobody may lie or no attack is known.
    fn attack(&mut self) -> Option<Drawn> {
        let replica = *self.rng.pick(&self.liars)?;
        let attack = self.rng.pick(&self.wish.attacks)?.clone();
        let attacker = Attacker { replica, attack, from_view: 0, until_view: None, against: [].into() };
        let end = vec![Action::StopAttack(replica)];
        Some(Drawn { place: Place::Role(replica), begin: vec![Action::Attack(attacker)], end })
    }

    fn anybody(&mut self) -> ReplicaId {
        let nodes = u64::from(self.wish.nodes.max(1));
        ReplicaId(u16::try_from(self.rng.within(0..=nodes - 1)).unwrap_or(0))
    }

    fn other(&mut self, than: ReplicaId) -> ReplicaId {
        let others: Vec<_> = (0..self.wish.nodes).map(ReplicaId).filter(|id| *id != than).collect();
        self.rng.pick(&others).copied().unwrap_or(than)
    }

    /// Everybody in one of two groups, neither of them empty.
    fn halves(&mut self) -> Vec<Vec<ReplicaId>> {
        let mut all: Vec<_> = (0..self.wish.nodes).map(ReplicaId).collect();
        self.rng.shuffle(&mut all);
        let split = 1 + self.rng.below(all.len().saturating_sub(1));
        let rest = all.split_off(split.min(all.len()));
        vec![all, rest]
    }

    fn link(&mut self) -> LinkSpec {
        let percent = |rng: &mut Rng, most| rng.within(0..=most) as f64 / 100.0;
        LinkSpec {
            delay: self.rng.millis(1..=100),
            jitter: self.rng.millis(0..=20),
            loss: percent(&mut self.rng, 10),
            duplicate: percent(&mut self.rng, 5),
            reorder: percent(&mut self.rng, 5),
            bandwidth: None,
            cut: false,
        }
    }
}

#[cfg(test)]
mod tests;
