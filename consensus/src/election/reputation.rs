//! Views go to those whose blocks are on the chain.
//!
//! LibraBFT's successors elect leaders from those who signed the certificates of recent committed blocks, and Carousel (Cohen et
//! al., *Be Aware of Your Leaders*, Financial Cryptography 2022) from those of the last one, less the last proposers. Ours
//! takes as evidence what is in every header whatever the scheme: who proposed, and in which view.
//!
//! - **Terms.** A term is [`TERM`] views, a round gives each replica one term, in an order shuffled anew for each round. Whoever made
//!   the tip in this term goes on to its end.
//! - **Probation.** A replica whose last block is `k` rounds old leads the term that is its own if `k` is a power of two;
//!   otherwise the next with standing does, and *standing* has who made a block in this round or the one before. So a crashed
//!   replica costs one view in rounds 1, 2, 4, 8 ... after its last block, and then one in [`horizon`] rounds. One
//!   block, and it is back.
//! - **Failures.** A view that failed passes its term on to the next with standing. When two in a row have failed, views go round
//!   among all, one each, until one succeeds: reputation has no say in bad times, and the plain rotation is known to be live.
//!
//! **Nobody can push an honest replica out.** Votes go to the next leader, so the last block of a term is in the hands of the
//! next term's leader, who may drop it (tail forking). But all others of the term are in the hands of the one who leads it: it makes
//! the certificate itself and sends it with its next proposal, and from then on a quorum knows it. In good times therefore an
//! honest replica is on the chain once a round, whoever stands beside it, and a term is long enough for it to commit its first
//! block by itself. What a Byzantine leader can do is to stop in the middle of its term, which costs one view, as it does under
//! every rotation. The shuffle sees to it that replicas whose indices are adjacent are not so in every round.

use super::{Ancestry, member, proposers::Proposed, size};
use quorate_crypto::Committee;
use quorate_types::{ReplicaId, View};

/// Views in a term: three consecutive ones commit, and the fourth leader tells.
pub(super) const TERM: u64 = 4;

/// Views that a replica need remember at most, as long as two rounds are no more.
const MEMORY: u64 = 2048;

/// The leader of `view`; `None` if too little is known of the chain.
pub(super) fn leader(committee: &Committee, view: View, ancestry: &Ancestry) -> Option<ReplicaId> {
    let round = Round::of(committee, view);
    if ancestry.failed_since(0, view) >= 2 {
        return Some(round.order[index(view.0 % size(committee))]);
    }
    let first = view.0 - view.0 % TERM;
    let holder = match ancestry.incumbent(first) {
        Some(incumbent) => incumbent,
        None => round.holder(ancestry, index(view.0 / TERM % size(committee)))?,
    };
    match ancestry.failed_since(first, view) {
        0 => Some(holder),
        _ => round.next_with_standing(ancestry, holder),
    }
}

/// Views below a tip whose proposers decide.
pub(super) fn memory(committee: &Committee) -> u64 {
    (horizon(committee) + 1) * TERM * size(committee)
}

/// Rounds after which it does not matter any more how old a replica's last block is: a power of two, from 2 to 64.
fn horizon(committee: &Committee) -> u64 {
    let rounds = (MEMORY / (TERM * size(committee))).clamp(2, 64);
    1 << rounds.ilog2()
}

/// A round of terms.
struct Round {
    number: u64,
    horizon: u64,
    length: u64,
    order: Vec<ReplicaId>,
}

impl Round {
    fn of(committee: &Committee, view: View) -> Self {
        let length = TERM * size(committee);
        let number = view.0 / length;
        Self { number, horizon: horizon(committee), length, order: shuffled(committee, number) }
    }

    /// Who begins the term at this place of the order.
    fn holder(&self, ancestry: &Ancestry, place: usize) -> Option<ReplicaId> {
        let owner = self.order[place];
        if self.has_its_turn(ancestry, owner)? { Some(owner) } else { self.next_with_standing(ancestry, owner) }
    }

    /// Whether the replica leads its own term of this round.
    fn has_its_turn(&self, ancestry: &Ancestry, owner: ReplicaId) -> Option<bool> {
        let (age, is_exact) = self.age(ancestry, owner);
        if age > self.horizon {
            // In different rounds for different replicas, so that those that are gone do not fail in a row.
            return Some((self.number % self.horizon) == u64::from(owner.0) % self.horizon);
        }
        is_exact.then(|| age == 0 || age.is_power_of_two())
    }

    /// Rounds since the replica's last block, or at least how many.
    fn age(&self, ancestry: &Ancestry, replica: ReplicaId) -> (u64, bool) {
        let since = |view: View| self.number.saturating_sub(view.0 / self.length);
        match ancestry.proposers.last(replica) {
            Proposed::In(view) => (since(view), true),
            Proposed::Before(view) => (since(view), false),
        }
    }

    /// The next after `holder` that has made a block of late; if nobody has, simply the next.
    fn next_with_standing(&self, ancestry: &Ancestry, holder: ReplicaId) -> Option<ReplicaId> {
        let place = self.order.iter().position(|replica| *replica == holder).unwrap_or_default();
        let others = || self.order[place + 1..].iter().chain(&self.order[..place]).copied();
        for candidate in others() {
            match self.age(ancestry, candidate) {
                (0 | 1, true) => return Some(candidate),
                (0 | 1, false) => return None,
                _ => {}
            }
        }
        Some(others().next().unwrap_or(holder))
    }
}

/// All replicas, in the order of this round (Fisher and Yates, with SplitMix64 for the dice).
fn shuffled(committee: &Committee, round: u64) -> Vec<ReplicaId> {
    let mut order: Vec<_> = (0..size(committee)).map(|number| member(committee, number)).collect();
    let mut state = round;
    for place in (1..order.len()).rev() {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let choices = u64::try_from(place + 1).expect("a committee is small");
        order.swap(place, index(mixed(state) % choices));
    }
    order
}

/// SplitMix64's finalizer (Steele, Lea, Flood 2014).
fn mixed(state: u64) -> u64 {
    let first = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let second = (first ^ (first >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    second ^ (second >> 31)
}

fn index(number: u64) -> usize {
    usize::try_from(number).expect("below the committee's size")
}
