//! Uncommitted blocks above the last committed one, and a few committed ones for peers that are slightly behind.
//!
//! A block enters only above its parent, so every block's ancestry down to the root is held. Its size is bounded by
//! [`MAX_BLOCKS`]: the blocks of abandoned views go first.
//!
//! What that bound costs: after so many views without a single certificate a block goes that was voted for. Had a liar put a
//! certificate for it together, kept it back all the time and shown it then, nobody could show the block, and no leader could
//! build. With views of 10 s that takes 2.8 hours in which nobody else sees a certificate.

use quorate_types::{Block, Digest, Header, Height, View};
use std::collections::{BTreeMap, VecDeque};

/// Uncommitted blocks held at most. One block a view enters unasked, so this is also how many views may pass without a
/// commit before abandoned blocks go.
pub(crate) const MAX_BLOCKS: usize = 1024;

/// Committed blocks kept for peers that fetch them.
const RECENT: usize = 64;

/// What the tree holds: a block, perhaps with what came beside it.
pub(crate) trait Held: Clone {
    /// The block.
    fn block(&self) -> &Block;
}

impl Held for Block {
    fn block(&self) -> &Block {
        self
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Execution {
    Waiting,
    Valid,
    Invalid,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Node<B> {
    pub(crate) held: B,
    pub(crate) execution: Execution,
    /// Its body is in the journal.
    pub(crate) recorded: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct BlockTree<B> {
    root: Header,
    root_digest: Digest,
    nodes: BTreeMap<Digest, Node<B>>,
    recent: VecDeque<(Digest, B)>,
}

impl<B: Held> BlockTree<B> {
    pub(crate) fn new(root: Header) -> Self {
        Self { root_digest: root.digest(), root, nodes: BTreeMap::new(), recent: VecDeque::new() }
    }

    /// The last committed block.
    pub(crate) fn root(&self) -> &Header {
        &self.root
    }

    pub(crate) fn root_digest(&self) -> Digest {
        self.root_digest
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether the block is the root or above it.
    pub(crate) fn contains(&self, block: &Digest) -> bool {
        *block == self.root_digest || self.nodes.contains_key(block)
    }

    pub(crate) fn get(&self, block: &Digest) -> Option<&Node<B>> {
        self.nodes.get(block)
    }

    pub(crate) fn get_mut(&mut self, block: &Digest) -> Option<&mut Node<B>> {
        self.nodes.get_mut(block)
    }

    pub(crate) fn header(&self, block: &Digest) -> Option<&Header> {
        if *block == self.root_digest {
            return Some(&self.root);
        }
        self.nodes.get(block).map(|node| &node.held.block().header)
    }

    pub(crate) fn is_executed(&self, block: &Digest) -> bool {
        *block == self.root_digest || self.nodes.get(block).is_some_and(|node| node.execution == Execution::Valid)
    }

    /// A block up to `block` that executes here to something else than it claims.
    pub(crate) fn wrong_below(&self, block: &Digest) -> Option<Digest> {
        let is_wrong =
            |digest: &Digest| self.nodes.get(digest).is_some_and(|node| node.execution == Execution::Invalid);
        self.path(block)?.into_iter().find(is_wrong)
    }

    /// Blocks in ascending order of height.
    pub(crate) fn by_height(&self) -> Vec<Digest> {
        let mut all: Vec<_> = self.nodes.iter().map(|(digest, node)| (node.height(), *digest)).collect();
        all.sort_unstable();
        all.into_iter().map(|(_, digest)| digest).collect()
    }

    /// Blocks directly above `parent`.
    pub(crate) fn children(&self, parent: Digest) -> impl Iterator<Item = (&Digest, &Node<B>)> {
        self.nodes.iter().filter(move |(_, node)| node.held.block().header.parent == parent)
    }

    /// A committed block of late, or an uncommitted one.
    pub(crate) fn lookup(&self, block: &Digest) -> Option<&B> {
        let recent = || self.recent.iter().find(|(digest, _)| digest == block).map(|(_, held)| held);
        self.nodes.get(block).map(|node| &node.held).or_else(recent)
    }

    /// Keeps the body of a committed block, for those who ask.
    pub(crate) fn remember(&mut self, digest: Digest, held: B) {
        if self.recent.iter().all(|(known, _)| *known != digest) {
            self.recent.push_back((digest, held));
        }
        while self.recent.len() > RECENT {
            self.recent.pop_front();
        }
    }

    /// Adds a block above one that is held. False if its parent is not, or it is there already.
    pub(crate) fn insert(&mut self, digest: Digest, held: B) -> bool {
        if self.contains(&digest) || !self.contains(&held.block().header.parent) {
            return false;
        }
        self.nodes.insert(digest, Node { held, execution: Execution::Waiting, recorded: false });
        true
    }

    /// The blocks from just above the root up to `block`, oldest first; `None` if it does not stand above the root.
    pub(crate) fn path(&self, block: &Digest) -> Option<Vec<Digest>> {
        let mut path = Vec::new();
        let mut at = *block;
        while at != self.root_digest {
            path.push(at);
            at = self.nodes.get(&at)?.held.block().header.parent;
        }
        path.reverse();
        Some(path)
    }

    /// Whether `block` is `ancestor` or stands above it. Of committed blocks only the root and recent ones are known.
    pub(crate) fn extends(&self, block: &Digest, ancestor: &Digest) -> bool {
        let mut at = *block;
        loop {
            if at == *ancestor {
                return true;
            }
            match self.nodes.get(&at) {
                Some(node) => at = node.held.block().header.parent,
                None => return self.recent.iter().any(|(digest, _)| digest == ancestor),
            }
        }
    }

    /// Makes `block` the root. What does not stand above it goes. Returns the blocks committed so, oldest first.
    pub(crate) fn commit(&mut self, block: &Digest) -> Vec<B> {
        let path = self.path(block).expect("only blocks above the root are committed");
        let mut committed = Vec::with_capacity(path.len());
        for digest in path {
            let node = self.nodes.remove(&digest).expect("a path runs through held blocks");
            self.root = node.held.block().header.clone();
            self.root_digest = digest;
            self.recent.push_back((digest, node.held.clone()));
            committed.push(node.held);
        }
        while self.recent.len() > RECENT {
            self.recent.pop_front();
        }
        self.drop_detached();
        committed
    }

    /// Starts again above a block that came by block sync.
    pub(crate) fn reset(&mut self, root: Header) {
        self.root_digest = root.digest();
        self.root = root;
        self.nodes.remove(&self.root_digest);
        self.recent.clear();
        self.drop_detached();
    }

    /// Keeps the tree within its bound: leaves of the lowest views go first, but nothing below `protected` blocks.
    pub(crate) fn trim(&mut self, protected: &[Digest]) {
        if self.nodes.len() <= MAX_BLOCKS {
            return;
        }
        let mut keep = std::collections::BTreeSet::new();
        for block in protected {
            keep.extend(self.path(block).unwrap_or_default());
        }
        let mut leaves: Vec<(View, Digest)> = self
            .nodes
            .iter()
            .filter(|(digest, _)| !keep.contains(*digest) && self.children(**digest).next().is_none())
            .map(|(digest, node)| (node.held.block().header.view, *digest))
            .collect();
        leaves.sort_unstable();
        for (_, digest) in leaves.into_iter().take(self.nodes.len() - MAX_BLOCKS) {
            self.nodes.remove(&digest);
        }
    }

    fn drop_detached(&mut self) {
        let detached: Vec<_> = self.nodes.keys().filter(|digest| self.path(digest).is_none()).copied().collect();
        for digest in detached {
            self.nodes.remove(&digest);
        }
    }
}

impl<B: Held> Node<B> {
    fn height(&self) -> Height {
        self.held.block().header.height
    }
}
