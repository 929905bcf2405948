//! Batches between replicas: sent once, offered while they stay uncommitted, asked for where they are missing.
//!
//! An answer is ten thousand times as long as the digest that asks for it, so a batch is given to one peer only a few times in one
//! repeat interval, however often it is named.

use super::{AGED, DIGESTS, Mempool, PoolAction, PoolMessage, PoolTimer, Wanted};
use quorate_types::{Batch, BoundedVec, Digest, ReplicaId};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Batches wanted because one peer offered them.
const MAX_WANTED: usize = 256;
/// Times that a batch is given to one peer within an interval: it may have had no room for it, and then a block needed it.
const GIVEN: u8 = 2;

impl Mempool {
    /// A peer's message, whose transactions' signatures are checked.
    pub fn on_message(&mut self, from: ReplicaId, message: PoolMessage, actions: &mut Vec<PoolAction>) {
        match message {
            PoolMessage::Batch(batch) => self.on_batch(from, batch, actions),
            PoolMessage::Offer(digests) => {
                let is_news = |digest: &Digest| !self.held.contains_key(digest) && !self.finished.contains(digest);
                let missing: Vec<_> = digests.into_inner().into_iter().filter(is_news).collect();
                self.want(missing, from, false, actions);
            }
            PoolMessage::Ask(digests) => {
                let asked: BTreeSet<_> = digests.into_inner().into_iter().collect();
                asked.iter().for_each(|digest| self.give(digest, from, actions));
                self.run_repeat(actions);
            }
        }
    }

    fn give(&mut self, digest: &Digest, to: ReplicaId, actions: &mut Vec<PoolAction>) {
        let Some(held) = self.held.get(digest) else { return };
        let given = self.given.entry((to, *digest)).or_default();
        if *given < GIVEN {
            *given += 1;
            actions.push(PoolAction::Send { to, message: PoolMessage::Batch(held.batch.clone()) });
        }
    }

    /// Tells all others of those of these batches that may still apply: somebody lost patience with a leader that leaves them out,
    /// and perhaps it never heard of them.
    pub fn offer(&self, batches: &[Digest], actions: &mut Vec<PoolAction>) {
        let is_live = |digest: &&Digest| self.held.get(digest).is_some_and(|held| !held.is_spent);
        let live: Vec<_> = batches.iter().filter(is_live).take(DIGESTS).copied().collect();
        if !live.is_empty() {
            actions.push(PoolAction::Broadcast(PoolMessage::Offer(BoundedVec::new(live).expect("a chunk"))));
        }
    }

    fn on_batch(&mut self, from: ReplicaId, batch: Arc<Batch>, actions: &mut Vec<PoolAction>) {
        let needed = self.wanted.get(&batch.digest()).is_some_and(|wanted| wanted.needed);
        let is_welcome = !self.finished.contains(&batch.digest()) && self.has_room(from, &batch);
        if (needed || is_welcome) && self.hold(batch.clone(), from) {
            actions.push(PoolAction::Ready(batch));
            self.run_repeat(actions);
        }
    }

    /// Asks for batches that a block needs, `holder` first.
    pub fn need(&mut self, batches: Vec<Digest>, holder: ReplicaId, actions: &mut Vec<PoolAction>) {
        self.want(batches, holder, true, actions);
    }

    fn want(&mut self, batches: Vec<Digest>, from: ReplicaId, needed: bool, actions: &mut Vec<PoolAction>) {
        let mut ask = Vec::new();
        let mut offered = self.wanted.values().filter(|wanted| wanted.first == from && !wanted.needed).count();
        for digest in batches {
            if let Some(wanted) = self.wanted.get_mut(&digest) {
                wanted.needed |= needed;
            } else if needed || offered < MAX_WANTED {
                offered += usize::from(!needed);
                self.wanted.insert(digest, Wanted { first: from, attempts: 0, needed });
                ask.push(digest);
            }
        }
        self.ask(from, ask, actions);
        self.run_repeat(actions);
    }

    fn ask(&self, to: ReplicaId, digests: Vec<Digest>, actions: &mut Vec<PoolAction>) {
        if to == self.me {
            return;
        }
        for chunk in digests.chunks(DIGESTS) {
            let digests = BoundedVec::new(chunk.to_vec()).expect("a chunk");
            actions.push(PoolAction::Send { to, message: PoolMessage::Ask(digests) });
        }
    }

    pub(super) fn run_repeat(&mut self, actions: &mut Vec<PoolAction>) {
        let has_nothing_to_say = self.held.values().all(|held| held.is_spent) && self.wanted.is_empty();
        let is_idle = has_nothing_to_say && self.given.is_empty();
        if !is_idle && !std::mem::replace(&mut self.repeat_runs, true) {
            actions.push(PoolAction::SetTimer { timer: PoolTimer::Repeat, after: self.limits.repeat_after });
        }
    }

    /// Offers what has waited for a whole interval, oldest senders' limits permitting, and asks the next peer for what is
    /// missing.
    pub(super) fn repeat(&mut self, actions: &mut Vec<PoolAction>) {
        self.repeat_runs = false;
        self.given.clear();
        if self.overdue {
            self.close(actions);
        }
        let mut old = Vec::new();
        for (digest, held) in &mut self.held {
            held.age = held.age.saturating_add(1);
            if held.age >= AGED && !held.is_spent {
                old.push((std::cmp::Reverse(held.age), *digest));
            }
        }
        old.sort_unstable();
        let oldest: Vec<_> = old.into_iter().take(DIGESTS).map(|(_, digest)| digest).collect();
        if !oldest.is_empty() {
            actions.push(PoolAction::Broadcast(PoolMessage::Offer(BoundedVec::new(oldest).expect("a chunk"))));
        }
        self.ask_again(actions);
        self.run_repeat(actions);
    }

    fn ask_again(&mut self, actions: &mut Vec<PoolAction>) {
        let size = self.committee.size();
        let mut by_peer: BTreeMap<ReplicaId, Vec<Digest>> = BTreeMap::new();
        // An offer that nobody makes good is forgotten after everybody was asked twice; it will be offered again.
        self.wanted.retain(|_, wanted| wanted.needed || wanted.attempts < 2 * size);
        for (digest, wanted) in &mut self.wanted {
            wanted.attempts += 1;
            let index = (wanted.first.index() + wanted.attempts) % size;
            let peer = self.committee.members().nth(index).expect("an index below the size");
            by_peer.entry(peer).or_default().push(*digest);
        }
        for (peer, digests) in by_peer {
            self.ask(peer, digests, actions);
        }
    }
}
