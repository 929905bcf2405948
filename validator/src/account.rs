//! The account of what leaves a validator, or a whole simulated net: messages, their bytes and their authenticators.
//!
//! One line for each kind of message, its phase, its sender's role and how its view ended. Whoever sends feeds it below the expansion of
//! broadcasts, so that a message counts once for each receiver; bytes are those of the canonical encoding, without framing and encryption.
//!
//! **Outcomes.** A view is *decided* when a block of it is committed, and has *failed* when one of a later view is and none of it was.
//! Until then it is open. Under a protocol that commits by later views' votes (HotStuff) the votes of a view are thus booked with the block
//! that they were cast for, and the three views that it takes to decide it with their own blocks: costs a decision are amortised.
//!
//! **Roles.** The leader of a view is who its proposal or NEW-VIEW names. What it sends in its view before that counts as anybody's.

use crate::{Testimony, Wire};
use quorate_consensus::{Cost, Exhibit, Kind, Phase, Proof};
use quorate_types::{ReplicaId, View};
use std::{collections::BTreeMap, ops};

/// Views that may be open. The lowest goes, as failed.
const OPEN_VIEWS: usize = 256;
/// Views whose end and leader are remembered, for what is said of them later. The lowest goes.
const REMEMBERED: usize = 1024;

/// Who sent a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// The leader of the message's view.
    Leader,
    /// Anybody else, or the message belongs to no view.
    Other,
}

/// How a message's view ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// A block of it is committed.
    Decided,
    /// A block of a later one is, and none of it.
    Failed,
    /// Not known yet.
    Open,
    /// The message belongs to no view, or to one that is forgotten.
    None,
}

/// What an account tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// The message's name.
    pub kind: &'static str,
    /// What it is for.
    pub phase: Phase,
    /// Whose it is.
    pub role: Role,
    /// How its view ended.
    pub outcome: Outcome,
}

/// What is counted of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Messages, one for each receiver.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The signatures in them, partial, single or in place of many.
    pub authenticators: u64,
}

/// What was sent, and what for.
#[derive(Clone, Debug, Default)]
pub struct Account {
    booked: BTreeMap<Line, Tally>,
    open: BTreeMap<View, BTreeMap<Line, Tally>>,
    ends: BTreeMap<View, Outcome>,
    leaders: BTreeMap<View, ReplicaId>,
    decided: u64,
    failed: u64,
}

impl Role {
    /// In snake case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Leader => "leader",
            Self::Other => "other",
        }
    }
}

impl Outcome {
    /// In snake case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Decided => "decided",
            Self::Failed => "failed",
            Self::Open => "open",
            Self::None => "none",
        }
    }
}

impl ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.messages += other.messages;
        self.bytes += other.bytes;
        self.authenticators += other.authenticators;
    }
}

impl ops::Sub for Tally {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            messages: self.messages.saturating_sub(earlier.messages),
            bytes: self.bytes.saturating_sub(earlier.bytes),
            authenticators: self.authenticators.saturating_sub(earlier.authenticators),
        }
    }
}

impl Account {
    /// `from` sends a message of so many bytes to so many.
    pub fn sent<M: Kind + Cost>(
        &mut self,
        from: ReplicaId,
        receivers: usize,
        wire: &Wire<M>,
        bytes: usize,
        keys: &M::Keys,
    ) {
        let (phase, view, authenticators) = match wire {
            Wire::Consensus(message) => {
                if let (Some(view), Some(leader)) = (message.of_view(), message.leader(from)) {
                    self.leaders.entry(view).or_insert(leader);
                    forget(&mut self.leaders);
                }
                (message.phase(), message.of_view(), message.authenticators(keys))
            }
            Wire::Pool(_) => (Phase::Dissemination, None, 0),
            Wire::Evidence(testimony) => (Phase::Evidence, None, in_testimony(testimony)),
        };
        let receivers = receivers as u64;
        let tally = Tally {
            messages: receivers,
            bytes: bytes as u64 * receivers,
            authenticators: authenticators as u64 * receivers,
        };
        self.book(wire.kind(), phase, view.map(|view| (view, from)), tally);
    }

    /// A question of one that catches up, or the answer to it: no message of the protocol.
    pub fn asked(&mut self, kind: &'static str, bytes: usize) {
        self.book(kind, Phase::Fetch, None, Tally { messages: 1, bytes: bytes as u64, authenticators: 0 });
    }

    fn book(&mut self, kind: &'static str, phase: Phase, sender: Option<(View, ReplicaId)>, tally: Tally) {
        let Some((view, from)) = sender else {
            let line = Line { kind, phase, role: Role::Other, outcome: Outcome::None };
            return *self.booked.entry(line).or_default() += tally;
        };
        let role = if self.leaders.get(&view) == Some(&from) { Role::Leader } else { Role::Other };
        let is_forgotten =
            || self.ends.len() >= REMEMBERED && self.ends.first_key_value().is_some_and(|(v, _)| view < *v);
        let outcome = match self.ends.get(&view) {
            Some(outcome) => *outcome,
            None if is_forgotten() => Outcome::None,
            None => Outcome::Open,
        };
        let line = Line { kind, phase, role, outcome };
        if outcome != Outcome::Open {
            return *self.booked.entry(line).or_default() += tally;
        }
        *self.open.entry(view).or_default().entry(line).or_default() += tally;
        if self.open.len() > OPEN_VIEWS
            && let Some(lowest) = self.open.keys().next().copied()
        {
            self.end(lowest, Outcome::Failed);
        }
    }

    /// A block of this view is committed.
    pub fn committed(&mut self, view: View) {
        if self.ends.contains_key(&view) {
            return;
        }
        let passed: Vec<_> = self.open.range(..view).map(|(view, _)| *view).collect();
        passed.into_iter().for_each(|view| self.end(view, Outcome::Failed));
        self.end(view, Outcome::Decided);
    }

    fn end(&mut self, view: View, outcome: Outcome) {
        match outcome {
            Outcome::Decided => self.decided += 1,
            Outcome::Failed => self.failed += 1,
            Outcome::Open | Outcome::None => {}
        }
        self.ends.insert(view, outcome);
        forget(&mut self.ends);
        for (line, tally) in self.open.remove(&view).unwrap_or_default() {
            *self.booked.entry(Line { outcome, ..line }).or_default() += tally;
        }
    }

    /// All lines, those of open views among them.
    pub fn lines(&self) -> BTreeMap<Line, Tally> {
        let mut lines = self.booked.clone();
        for (line, tally) in self.open.values().flatten() {
            *lines.entry(*line).or_default() += *tally;
        }
        lines
    }

    /// Views that were decided so far.
    pub fn decided_views(&self) -> u64 {
        self.decided
    }

    /// Views that something was said in and that failed.
    pub fn failed_views(&self) -> u64 {
        self.failed
    }
}

/// The lowest views go.
fn forget<T>(views: &mut BTreeMap<View, T>) {
    while views.len() > REMEMBERED {
        views.pop_first();
    }
}

fn in_testimony(testimony: &Testimony) -> usize {
    let is_signed = |exhibit: &&Exhibit| match exhibit.proof {
        Proof::Vote(_) | Proof::Attestation(_) => true,
        Proof::Enclosed => false,
    };
    match testimony {
        Testimony::Proof(evidence) => [&evidence.first, &evidence.second].into_iter().filter(is_signed).count(),
        Testimony::Known(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_consensus::{
        Keys, PoolMessage,
        hotstuff::{Ballot, Message, Vote},
    };
    use quorate_crypto::{Scheme, Symbolic, conformance::committee};
    use quorate_types::{BoundedVec, ChainId, Digest, Epoch, Header, Height};

    fn genesis() -> Header {
        let digest = Digest([0; 32]);
        Header {
            chain: ChainId(digest),
            epoch: Epoch(0),
            height: Height(0),
            view: View(0),
            parent: digest,
            payload_root: digest,
            state_root: digest,
            proposer: ReplicaId(0),
            timestamp: 0,
        }
    }

    fn vote(scheme: &Symbolic, view: u64) -> Wire<Message<Symbolic>> {
        let ballot = Ballot { view: View(view), height: Height(view), block: Digest([1; 32]) };
        let voter = ReplicaId(1);
        Wire::Consensus(Message::Vote(Vote { ballot, voter, signature: scheme.sign(&scheme.secret(voter), &ballot) }))
    }

    fn sent(account: &mut Account, keys: &Keys<Symbolic>, view: u64) {
        account.sent(ReplicaId(1), 3, &vote(&keys.scheme, view), 100, keys);
    }

    fn of(account: &Account, outcome: Outcome) -> Tally {
        let mut sum = Tally::default();
        account.lines().iter().filter(|(line, _)| line.outcome == outcome).for_each(|(_, tally)| sum += *tally);
        sum
    }

    #[test]
    fn a_view_is_decided_by_its_own_block_and_failed_by_a_later_one() {
        let keys = Keys::new(Symbolic::new(committee(4), 1), &genesis());
        let mut account = Account::default();
        (1..=4).for_each(|view| sent(&mut account, &keys, view));
        assert_eq!(of(&account, Outcome::Open).messages, 12);
        account.committed(View(1));
        account.committed(View(3));
        sent(&mut account, &keys, 2);
        let three = Tally { messages: 3, bytes: 300, authenticators: 3 };
        assert_eq!(of(&account, Outcome::Decided).messages, 6);
        assert_eq!(of(&account, Outcome::Failed).messages, 6, "what comes late is booked with the rest");
        assert_eq!(of(&account, Outcome::Open), three);
        assert_eq!((account.decided_views(), account.failed_views()), (2, 1));
    }

    #[test]
    fn what_belongs_to_no_view_is_never_open() {
        let keys = Keys::new(Symbolic::new(committee(4), 1), &genesis());
        let mut account = Account::default();
        let offer = Wire::<Message<Symbolic>>::Pool(PoolMessage::Offer(BoundedVec::default()));
        account.sent(ReplicaId(0), 3, &offer, 9, &keys);
        account.asked("ask_blocks", 11);
        let lines: Vec<_> =
            account.lines().into_iter().map(|(line, tally)| (line.kind, line.phase, tally.bytes)).collect();
        assert_eq!(lines, [("ask_blocks", Phase::Fetch, 11), ("offer", Phase::Dissemination, 27)]);
    }

    #[test]
    fn open_and_remembered_views_are_bounded() {
        let keys = Keys::new(Symbolic::new(committee(4), 1), &genesis());
        let mut account = Account::default();
        (1..=2000).for_each(|view| sent(&mut account, &keys, view));
        assert_eq!(account.open.len(), OPEN_VIEWS);
        assert!(account.ends.len() <= REMEMBERED);
        sent(&mut account, &keys, 1);
        assert_eq!(of(&account, Outcome::None).messages, 3, "nobody remembers how it ended");
    }
}
