//! Blocks that a certificate names and the tree lacks.
//!
//! They are fetched by digest, downwards, from whoever sent the certificate first, then from the others in turn, without end
//! while they matter and never more than [`MAX_WANTED`] at a time. A reply is believed only because its digests match. What
//! is far above our root, or not held by those who were asked, is committed history: block sync brings it.

use super::{HotStuff, JustifiedBlock, Message, QuorumCertificate, Stepped, message::FETCH_LIMIT};
use crate::{Ignored, Request, Timer};
use quorate_crypto::Scheme;
use quorate_types::{BoundedVec, Digest, Height, ReplicaId};
use std::collections::BTreeMap;

/// Blocks wanted at a time. When full, the lowest is dropped for a higher one.
const MAX_WANTED: usize = 64;
/// Blocks held whose parents are still wanted. When full, the lowest goes.
const MAX_ORPHANS: usize = 256;
/// A certificate this far above the root is caught up with by block sync, not block by block.
const SYNC_GAP: u64 = 32;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Fetcher<S: Scheme> {
    wanted: BTreeMap<Digest, Wanted<S>>,
    orphans: BTreeMap<Digest, JustifiedBlock<S>>,
    timer_runs: bool,
    /// Where the root stood when the timer was set.
    root: Height,
    syncing: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Wanted<S: Scheme> {
    qc: QuorumCertificate<S>,
    /// Who is asked next is `first + attempts`, in the order of the committee.
    first: ReplicaId,
    attempts: usize,
}

impl<S: Scheme> Fetcher<S> {
    pub(super) fn new() -> Self {
        let (wanted, orphans) = (BTreeMap::new(), BTreeMap::new());
        Self { wanted, orphans, timer_runs: false, root: Height::GENESIS, syncing: false }
    }

    /// Keeps a block until its ancestors are here.
    pub(super) fn adopt(&mut self, digest: Digest, justified: JustifiedBlock<S>) {
        self.wanted.remove(&digest);
        self.orphans.insert(digest, justified);
        if self.orphans.len() > MAX_ORPHANS {
            let height = |(digest, justified): (&Digest, &JustifiedBlock<S>)| (justified.block.header.height, *digest);
            if let Some((_, lowest)) = self.orphans.iter().map(height).min() {
                self.orphans.remove(&lowest);
            }
        }
    }

    pub(super) fn forget_up_to(&mut self, height: Height) {
        self.wanted.retain(|_, wanted| wanted.qc.height() > height);
        self.orphans.retain(|_, orphan| orphan.block.header.height > height);
    }

    pub(super) fn synced(&mut self) {
        self.syncing = false;
    }
}

impl<S: Scheme> HotStuff<S> {
    /// Sees to it that the block which `qc` certifies comes here.
    pub(super) fn want(&mut self, qc: &QuorumCertificate<S>, from: ReplicaId, step: &mut Stepped<S>) {
        let (block, height) = (qc.block(), qc.height());
        if height.0 > self.tree.root().height.0.saturating_add(SYNC_GAP) {
            self.sync(from, Height(height.0 - 2), step);
        }
        if self.fetcher.wanted.contains_key(&block) || self.fetcher.orphans.contains_key(&block) {
            return self.want_below(block, from, step);
        }
        if self.fetcher.wanted.len() >= MAX_WANTED {
            let lowest = self.fetcher.wanted.iter().map(|(digest, wanted)| (wanted.qc.height(), *digest)).min();
            match lowest {
                Some((lowest, digest)) if lowest < height => self.fetcher.wanted.remove(&digest),
                _ => return,
            };
        }
        let first = if from == self.safety.id() { self.holder(qc) } else { from };
        self.fetcher.wanted.insert(block, Wanted { qc: qc.clone(), first, attempts: 0 });
        self.ask(block, step);
        self.run_fetch_timer(step);
    }

    /// The lowest orphan below `block` wants its parent.
    fn want_below(&mut self, block: Digest, from: ReplicaId, step: &mut Stepped<S>) {
        let mut at = block;
        let mut lowest = None;
        while let Some(orphan) = self.fetcher.orphans.get(&at) {
            at = orphan.block.header.parent;
            lowest = Some(orphan.justify.clone());
        }
        if let Some(justify) = lowest
            && !self.tree.contains(&at)
            && !self.fetcher.wanted.contains_key(&at)
            && justify.height() > self.tree.root().height
        {
            self.want(&justify, from, step);
        }
    }

    fn ask(&mut self, block: Digest, step: &mut Stepped<S>) {
        let (me, committee) = self.id_and_committee();
        let size = committee.size();
        let Some(wanted) = self.fetcher.wanted.get(&block) else { return };
        let mut whom = (wanted.first.index() + wanted.attempts) % size;
        if whom == me.index() {
            whom = (whom + 1) % size;
        }
        if whom == me.index() {
            return;
        }
        let to = committee.members().nth(whom).expect("an index below the size");
        step.send(to, Message::AskBlock(block));
    }

    pub(super) fn run_fetch_timer(&mut self, step: &mut Stepped<S>) {
        if !std::mem::replace(&mut self.fetcher.timer_runs, true) {
            self.fetcher.root = self.tree.root().height;
            step.request(Request::SetTimer { timer: Timer::Fetch, after: self.pacemaker.fetch() });
        }
    }

    pub(super) fn sync(&mut self, from: ReplicaId, height: Height, step: &mut Stepped<S>) {
        if height > self.tree.root().height && !std::mem::replace(&mut self.fetcher.syncing, true) {
            step.request(Request::Sync { from, height });
            self.run_fetch_timer(step);
        }
    }

    /// Asks the next peer for whatever has not come.
    pub(super) fn on_fetch_timer(&mut self, step: &mut Stepped<S>) {
        self.fetcher.timer_runs = false;
        self.fetcher.syncing = false;
        let blocks: Vec<_> = self.fetcher.wanted.keys().copied().collect();
        for block in &blocks {
            if let Some(wanted) = self.fetcher.wanted.get_mut(block) {
                wanted.attempts = wanted.attempts.wrapping_add(1);
            }
            self.ask(*block, step);
        }
        for block in self.tree.by_height() {
            self.execute_if_possible(block, step);
        }
        self.sync_what_is_final(step);
        if !blocks.is_empty() {
            self.run_fetch_timer(step);
        }
    }

    /// Blocks that are known to be final and still cannot be executed: to everybody else they may be history, and nobody keeps
    /// their batches for the asking any more.
    fn sync_what_is_final(&mut self, step: &mut Stepped<S>) {
        let Some((_, proof)) = &self.commit_target else { return };
        if self.fetcher.root < self.tree.root().height {
            return self.run_fetch_timer(step);
        }
        let (holder, height) = (proof.grandchild.proposer, Height(proof.child.height.0.saturating_sub(1)));
        self.sync(holder, height, step);
    }

    /// Answers for uncommitted blocks and those committed of late.
    pub(super) fn on_ask_block(&mut self, from: ReplicaId, wanted: Digest, step: &mut Stepped<S>) {
        let mut blocks = Vec::new();
        let mut at = wanted;
        while blocks.len() < FETCH_LIMIT
            && let Some(justified) = self.tree.lookup(&at).or_else(|| self.fetcher.orphans.get(&at))
        {
            at = justified.block.header.parent;
            blocks.push(justified.clone());
        }
        let blocks = BoundedVec::new(blocks).expect("stopped at the limit");
        step.send(from, Message::Blocks { wanted, blocks });
    }

    pub(super) fn on_blocks(
        &mut self,
        from: ReplicaId,
        wanted: Digest,
        blocks: Vec<JustifiedBlock<S>>,
        step: &mut Stepped<S>,
    ) {
        let Some(qc) = self.fetcher.wanted.get(&wanted).map(|wanted| wanted.qc.clone()) else {
            return step.ignore(Ignored::Unasked);
        };
        if blocks.is_empty() {
            // It does not hold the block: to it the block may be history.
            return self.sync(from, qc.height(), step);
        }
        let branch = self.linked_from(wanted, blocks);
        if branch.iter().any(|justified| self.is_fork(&justified.block.header)) {
            return self.halt_over_fork(&qc, &branch, step);
        }
        for justified in branch {
            if justified.block.header.height > self.tree.root().height {
                self.fetcher.adopt(justified.block.digest(), justified);
            }
        }
        self.connect_orphans(step);
        self.want_below(wanted, from, step);
        self.follow(step);
        self.try_propose(step);
    }

    /// The part of an answer that proves itself by its links, and is not held.
    fn linked_from(&self, wanted: Digest, blocks: Vec<JustifiedBlock<S>>) -> Vec<JustifiedBlock<S>> {
        let mut expected = wanted;
        let mut is_next = |justified: &JustifiedBlock<S>| {
            let digest = std::mem::replace(&mut expected, justified.block.header.parent);
            justified.block.digest() == digest && !self.tree.contains(&digest)
        };
        blocks.into_iter().take_while(|justified| is_next(justified)).collect()
    }

    /// Moves orphans whose parents are held into the tree.
    pub(super) fn connect_orphans(&mut self, step: &mut Stepped<S>) {
        let connectable = |replica: &Self| {
            let mut orphans = replica.fetcher.orphans.iter();
            orphans.find(|(_, orphan)| replica.tree.contains(&orphan.block.header.parent)).map(|(digest, _)| *digest)
        };
        while !self.halted
            && let Some(digest) = connectable(self)
        {
            let orphan = self.fetcher.orphans.remove(&digest).expect("just found");
            self.add_block(digest, orphan, step);
        }
    }
}
