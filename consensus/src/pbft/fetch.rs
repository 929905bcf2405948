//! Blocks that a certificate or a proposal names and the tree lacks.
//!
//! They are fetched by digest, downwards, from whoever is known to hold them first, then from the others in turn, without end while
//! they matter and never more than [`MAX_WANTED`] at a time. A reply is believed only because its digests match. Fetches
//! survive view changes. What is far above our last commit, or not held by those who were asked, is committed history: block sync
//! brings it.

use super::{FETCH_LIMIT, Message, Pbft, Stepped};
use crate::{Ignored, Request, Timer};
use quorate_crypto::Scheme;
use quorate_types::{Block, BoundedVec, Digest, Height, ReplicaId};
use std::collections::BTreeMap;

/// Blocks wanted at a time. When full, the lowest is dropped for a higher one.
const MAX_WANTED: usize = 64;
/// Blocks held whose parents are still wanted. When full, the lowest goes.
const MAX_ORPHANS: usize = 256;
/// A block this far above the last commit is caught up with by block sync, not block by block.
const SYNC_GAP: u64 = 32;

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Fetcher {
    wanted: BTreeMap<Digest, Wanted>,
    orphans: BTreeMap<Digest, Block>,
    timer_runs: bool,
    /// Where the last commit stood when the timer was set.
    root: Height,
    syncing: bool,
    /// Somebody was asked for certificates since the timer was set.
    has_asked: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Wanted {
    height: Height,
    /// Who is asked next is `first + attempts`, in the order of the committee.
    first: ReplicaId,
    attempts: usize,
}

fn lowest<'a>(blocks: impl Iterator<Item = (&'a Digest, Height)>) -> Option<(Height, Digest)> {
    blocks.map(|(digest, height)| (height, *digest)).min()
}

impl Fetcher {
    /// Keeps a block until its ancestors are here.
    pub(super) fn adopt(&mut self, digest: Digest, block: Block) {
        self.wanted.remove(&digest);
        self.orphans.insert(digest, block);
        if self.orphans.len() > MAX_ORPHANS
            && let Some((_, lowest)) = lowest(self.orphans.iter().map(|(digest, block)| (digest, block.header.height)))
        {
            self.orphans.remove(&lowest);
        }
    }

    pub(super) fn forget_up_to(&mut self, height: Height) {
        self.wanted.retain(|_, wanted| wanted.height > height);
        self.orphans.retain(|_, orphan| orphan.header.height > height);
    }

    fn found(&mut self, digest: &Digest) {
        self.wanted.remove(digest);
    }

    /// Whether certificates may be asked for: once until the timer runs out.
    pub(super) fn may_ask(&mut self) -> bool {
        !std::mem::replace(&mut self.has_asked, true)
    }

    pub(super) fn synced(&mut self) {
        self.syncing = false;
    }

    /// Makes room for a block at `height`; false if all that is wanted stands higher.
    fn has_room(&mut self, height: Height) -> bool {
        if self.wanted.len() < MAX_WANTED {
            return true;
        }
        match lowest(self.wanted.iter().map(|(digest, wanted)| (digest, wanted.height))) {
            Some((lowest, digest)) if lowest < height => self.wanted.remove(&digest).is_some(),
            _ => false,
        }
    }
}

impl<S: Scheme> Pbft<S> {
    /// Sees to it that a block comes here.
    pub(super) fn want(&mut self, block: Digest, height: Height, from: ReplicaId, step: &mut Stepped<S>) {
        // Of the last committed block only the header may be here: a view that starts from it needs the body.
        let is_bare_root = block == self.tree.root_digest() && self.tree.lookup(&block).is_none();
        if !is_bare_root && (height <= self.root() || self.tree.contains(&block)) {
            return;
        }
        if height.0 > self.root().0.saturating_add(SYNC_GAP) {
            self.sync(from, height, step);
        }
        if self.fetcher.orphans.contains_key(&block) {
            return self.want_below(block, from, step);
        }
        if self.fetcher.wanted.contains_key(&block) || !self.fetcher.has_room(height) {
            return;
        }
        self.fetcher.wanted.insert(block, Wanted { height, first: from, attempts: 0 });
        self.ask(block, step);
        self.run_fetch_timer(step);
    }

    /// The lowest orphan below `block` wants its parent.
    fn want_below(&mut self, block: Digest, from: ReplicaId, step: &mut Stepped<S>) {
        let mut at = block;
        let mut height = None;
        while let Some(orphan) = self.fetcher.orphans.get(&at) {
            at = orphan.header.parent;
            height = orphan.header.height.0.checked_sub(1);
        }
        if let Some(height) = height
            && !self.fetcher.wanted.contains_key(&at)
        {
            self.want(at, Height(height), from, step);
        }
    }

    fn ask(&mut self, block: Digest, step: &mut Stepped<S>) {
        let Some(wanted) = self.fetcher.wanted.get(&block) else { return };
        let others: Vec<_> = self.committee().others(self.me()).collect();
        let first = others.iter().position(|other| *other == wanted.first).unwrap_or_default();
        if let Some(whom) = others.get(first.wrapping_add(wanted.attempts) % others.len().max(1)) {
            step.send(*whom, Message::AskBlock(block));
        }
    }

    pub(super) fn run_fetch_timer(&mut self, step: &mut Stepped<S>) {
        if !std::mem::replace(&mut self.fetcher.timer_runs, true) {
            self.fetcher.root = self.root();
            step.request(Request::SetTimer { timer: Timer::Fetch, after: self.pacemaker.fetch() });
        }
    }

    pub(super) fn sync(&mut self, from: ReplicaId, height: Height, step: &mut Stepped<S>) {
        if height > self.root() && !std::mem::replace(&mut self.fetcher.syncing, true) {
            step.request(Request::Sync { from, height });
            self.run_fetch_timer(step);
        }
    }

    /// Asks the next peer for whatever has not come.
    pub(super) fn on_fetch_timer(&mut self, step: &mut Stepped<S>) {
        self.fetcher.timer_runs = false;
        self.fetcher.syncing = false;
        self.fetcher.has_asked = false;
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

    /// What is known to be final and does not come: to everybody else it may be history, and nobody keeps its batches for the
    /// asking any more.
    fn sync_what_is_final(&mut self, step: &mut Stepped<S>) {
        let target = self.commit_target.as_ref().and_then(|(block, _)| self.tree.header(block));
        let committed = self.committed.as_ref().map(|committed| committed.statement.0.height);
        let known = [target.map(|header| header.height), committed, Some(self.low.checkpoint.height)];
        let Some(height) = known.into_iter().flatten().max().filter(|height| *height > self.root()) else { return };
        if self.fetcher.root < self.root() {
            return self.run_fetch_timer(step);
        }
        let others: Vec<_> = self.committee().others(self.me()).collect();
        let turn = usize::try_from(height.0 % 1024).expect("small");
        if let Some(holder) = others.get((self.poll_next + turn) % others.len().max(1)) {
            self.sync(*holder, height, step);
        }
    }

    /// Answers for uncommitted blocks and those committed of late.
    pub(super) fn on_ask_block(&mut self, from: ReplicaId, wanted: Digest, step: &mut Stepped<S>) {
        let mut blocks = Vec::new();
        let mut at = wanted;
        while blocks.len() < FETCH_LIMIT
            && let Some(block) = self.tree.lookup(&at).or_else(|| self.fetcher.orphans.get(&at))
        {
            at = block.header.parent;
            blocks.push(block.clone());
        }
        let blocks = BoundedVec::new(blocks).expect("stopped at the limit");
        step.send(from, Message::Blocks { wanted, blocks });
    }

    pub(super) fn on_blocks(&mut self, from: ReplicaId, wanted: Digest, blocks: Vec<Block>, step: &mut Stepped<S>) {
        let Some(height) = self.fetcher.wanted.get(&wanted).map(|wanted| wanted.height) else {
            return step.ignore(Ignored::Unasked);
        };
        if blocks.is_empty() {
            // It does not hold the block: to it the block may be history.
            return self.sync(from, height, step);
        }
        let is_final = self.committed.as_ref().is_some_and(|committed| committed.statement.0.block == wanted)
            || self.low.checkpoint.block == wanted;
        let mut expected = wanted;
        for block in blocks {
            let digest = block.digest();
            if digest == wanted && digest == self.tree.root_digest() {
                self.fetcher.found(&digest);
                self.tree.remember(digest, block);
                break;
            }
            if digest != expected || self.tree.contains(&digest) {
                break;
            }
            expected = block.header.parent;
            if is_final && self.contradicts_root(&block) {
                let root = self.tree.root_digest();
                if let Some(theirs) = &self.committed {
                    self.accuse_of_fork(theirs, step);
                }
                let why = format!("block {wanted} is proven final, but does not stand on our committed block {root}");
                return self.halt(format!("{why}: more than f replicas lie"), step);
            }
            if block.header.height > self.root() {
                self.fetcher.adopt(digest, block);
            }
        }
        self.connect_orphans(step);
        self.want_below(wanted, from, step);
        self.on_held(step);
    }

    fn contradicts_root(&self, block: &Block) -> bool {
        block.header.height == self.root().next() && block.header.parent != self.tree.root_digest()
    }

    /// Blocks came: whatever waited for them goes on.
    fn on_held(&mut self, step: &mut Stepped<S>) {
        self.finalise_known(step);
        if !self.halted {
            self.try_new_view(step);
            self.advance(step);
        }
    }

    /// Moves orphans whose parents are held into the tree.
    pub(super) fn connect_orphans(&mut self, step: &mut Stepped<S>) {
        let connectable = |replica: &Self| {
            let mut orphans = replica.fetcher.orphans.iter();
            orphans.find(|(_, orphan)| replica.tree.contains(&orphan.header.parent)).map(|(digest, _)| *digest)
        };
        while let Some(digest) = connectable(self) {
            let orphan = self.fetcher.orphans.remove(&digest).expect("just found");
            self.insert(digest, orphan, step);
        }
    }
}
