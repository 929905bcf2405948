//! The state in pieces, for whoever fetches it from others: each piece is checked against a hash that is trusted already.
//!
//! A [`Chunk`] is what stands in the tree from one place on, written down left to right: forks and leaves up to about
//! [`CHUNK_BYTES`], and for the subtrees to the right of the last leaf only their hashes, *cuts*. Folding it gives hashes that
//! the fetcher knows: first the root, from a certified block, then the cuts of chunks before. So a liar is known at his first
//! lie, any peer may be asked for the next chunk, and there are never more open cuts than a path has bits.
//!
//! A chunk must be full, or the last one. Whoever fetches a state of `b` bytes thus takes at most `b / CHUNK_BYTES` chunks, and
//! one more, however its peers cut it.

use super::{DEPTH, EMPTY, Node, State, bit, branch_hash, hash, leaf_hash, node_hash, path_of};
use crate::app::{MAX_KEY, MAX_VALUE};
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_types::{BoundedVec, Digest, codec::encoded_len};
use std::sync::Arc;

/// Encoded bytes after which a chunk takes no further leaf.
pub const CHUNK_BYTES: usize = 256 * 1024;
/// Items after which a chunk takes no further leaf.
const ENOUGH_ITEMS: usize = 16 * 1024;
/// Items of a chunk: after the last leaf there may be a fork's other side at every level.
const MAX_ITEMS: usize = ENOUGH_ITEMS + 2 * DEPTH;
/// Longer keys than any application writes.
const KEY: usize = MAX_KEY + 64;

/// A place in the tree: the subtree of all paths that begin with these bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Prefix {
    /// The bits; those from `len` on mean nothing.
    path: Digest,
    /// How many.
    len: u16,
}

/// One part of a subtree.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Item {
    /// Nothing stands here.
    Empty,
    /// A fork: its left side follows, then its right.
    Branch,
    /// A key and its value.
    Leaf {
        /// The key.
        key: BoundedVec<u8, KEY>,
        /// Its value.
        value: BoundedVec<u8, MAX_VALUE>,
    },
    /// A subtree that is not in this chunk.
    Cut(Digest),
}

/// What stands in the tree from one place on.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Chunk {
    /// Whole subtrees, left to right; the last one may have cuts.
    pub items: BoundedVec<Item, MAX_ITEMS>,
}

/// Why a chunk was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChunkError {
    /// It folds to another hash than the one that stands in this place.
    #[error("the chunk's hash is {computed}, and {expected} belongs there")]
    WrongHash {
        /// Known from the block or the chunk before.
        expected: Digest,
        /// What it folds to.
        computed: Digest,
    },
    /// It ends within a subtree, goes on behind its end, or is deeper than a path.
    #[error("the chunk is no row of subtrees: {0}")]
    Shape(&'static str),
    /// A key stands where its path does not lead.
    #[error("item {index} of the chunk is a key that does not belong there")]
    Misplaced {
        /// Which item.
        index: usize,
    },
    /// It leaves out what would have fitted.
    #[error("the chunk holds {bytes} bytes and cuts the rest off, where {CHUNK_BYTES} fit")]
    Stingy {
        /// Its encoded length.
        bytes: usize,
    },
}

impl Prefix {
    /// The whole tree.
    pub const ROOT: Self = Self { path: EMPTY, len: 0 };

    fn below(mut self, is_right: bool) -> Self {
        let at = usize::from(self.len);
        if is_right {
            self.path.0[at / 8] |= 0x80 >> (at % 8);
        }
        self.len += 1;
        self
    }

    fn covers(&self, path: &Digest) -> bool {
        (0..usize::from(self.len)).all(|at| bit(path, at) == bit(&self.path, at))
    }
}

impl State {
    /// The chunk from a place on; `None` where no subtree begins.
    pub fn chunk(&self, from: &Prefix) -> Option<Chunk> {
        let (mut at, mut to_the_right) = (self.root.as_ref(), Vec::new());
        for depth in 0..usize::from(from.len) {
            match at?.as_ref() {
                Node::Branch { left, right, .. } if depth < DEPTH => {
                    let is_right = bit(&from.path, depth);
                    at = if is_right { right.as_ref() } else { left.as_ref() };
                    to_the_right.extend(right.as_ref().filter(|_| !is_right));
                }
                Node::Leaf { .. } | Node::Branch { .. } => return None,
            }
        }
        let mut writer = Writer::default();
        writer.write(at);
        while !is_full(writer.items.len(), writer.bytes)
            && let Some(next) = to_the_right.pop()
        {
            writer.write(Some(next));
        }
        Some(Chunk { items: BoundedVec::new(writer.items).expect("after it is full only a path's forks follow") })
    }

    /// The state of these keys and values, which must come in the order of [`State::iter`].
    pub fn from_sorted(leaves: Vec<(Vec<u8>, Vec<u8>)>) -> Option<Self> {
        let leaves: Vec<_> = leaves.into_iter().map(|(key, value)| (path_of(&key), Node::leaf(key, value))).collect();
        let is_sorted = leaves.is_sorted_by(|(low, _), (high, _)| low < high);
        is_sorted.then(|| Self { root: build(&leaves, 0), len: leaves.len(), ..Self::default() })
    }
}

fn build(leaves: &[(Digest, Arc<Node>)], depth: usize) -> Option<Arc<Node>> {
    match leaves {
        [] => None,
        [(_, leaf)] => Some(leaf.clone()),
        several => {
            let (left, right) = several.split_at(several.partition_point(|(path, _)| !bit(path, depth)));
            Some(Node::branch(build(left, depth + 1), build(right, depth + 1)))
        }
    }
}

#[derive(Default)]
struct Writer {
    items: Vec<Item>,
    bytes: usize,
}

fn is_full(items: usize, bytes: usize) -> bool {
    bytes >= CHUNK_BYTES || items >= ENOUGH_ITEMS
}

impl Writer {
    fn write(&mut self, node: Option<&Arc<Node>>) {
        let item = match node.map(AsRef::as_ref) {
            None => Item::Empty,
            Some(_) if is_full(self.items.len(), self.bytes) => Item::Cut(node_hash(node)),
            Some(Node::Leaf { key, value, .. }) => Item::Leaf {
                key: BoundedVec::new(key.clone()).expect("applications write short keys"),
                value: BoundedVec::new(value.clone()).expect("applications write bounded values"),
            },
            Some(Node::Branch { left, right, .. }) => {
                self.push(Item::Branch);
                self.write(left.as_ref());
                return self.write(right.as_ref());
            }
        };
        self.push(item);
    }

    fn push(&mut self, item: Item) {
        self.bytes += encoded_len(&item);
        self.items.push(item);
    }
}

/// A state that is being fetched, chunk by chunk, in the order of its paths.
#[derive(Clone, Debug)]
pub struct Fetch {
    root: Digest,
    /// Subtrees still to come, the next one last.
    open: Vec<(Prefix, Digest)>,
    leaves: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Fetch {
    /// Of the state with this root.
    pub fn new(root: Digest) -> Self {
        let open = if root == EMPTY { Vec::new() } else { vec![(Prefix::ROOT, root)] };
        Self { root, open, leaves: Vec::new() }
    }

    /// From where on a chunk is to come next; `None`: everything is here.
    pub fn next(&self) -> Option<Prefix> {
        self.open.last().map(|(prefix, _)| *prefix)
    }

    /// How many keys are here.
    pub fn len(&self) -> usize {
        self.leaves.len()
    }

    /// Whether no key is here.
    pub fn is_empty(&self) -> bool {
        self.leaves.is_empty()
    }

    /// Takes the chunk that was to come next, or nothing of it.
    pub fn take(&mut self, chunk: &Chunk) -> Result<(), ChunkError> {
        let mut fold = Fold { items: &chunk.items, at: 0, cuts: Vec::new() };
        let mut left = self.open.len();
        while fold.at < chunk.items.len() || left == self.open.len() {
            let place = left.checked_sub(1).and_then(|at| self.open.get(at));
            let (prefix, expected) = *place.ok_or(ChunkError::Shape("something stands behind its end"))?;
            let computed = fold.subtree(prefix)?;
            if computed != expected {
                return Err(ChunkError::WrongHash { expected, computed });
            }
            left -= 1;
        }
        let bytes = chunk.items.iter().map(encoded_len).sum();
        let is_last = left == 0 && fold.cuts.is_empty();
        if !is_last && !is_full(chunk.items.len(), bytes) {
            return Err(ChunkError::Stingy { bytes });
        }
        let cuts = fold.cuts;
        self.open.truncate(left);
        self.open.extend(cuts.into_iter().rev());
        self.leaves.extend(chunk.items.iter().filter_map(|item| match item {
            Item::Leaf { key, value } => Some((key.to_vec(), value.to_vec())),
            Item::Empty | Item::Branch | Item::Cut(_) => None,
        }));
        Ok(())
    }

    /// The state, once everything is here.
    pub fn finish(self) -> Option<State> {
        let state = self.open.is_empty().then(|| State::from_sorted(self.leaves)).flatten()?;
        (state.root() == self.root).then_some(state)
    }
}

/// Reads a chunk back into the hashes of its subtrees.
struct Fold<'a> {
    items: &'a [Item],
    at: usize,
    cuts: Vec<(Prefix, Digest)>,
}

impl Fold<'_> {
    fn subtree(&mut self, place: Prefix) -> Result<Digest, ChunkError> {
        let index = self.at;
        let item = self.items.get(index).ok_or(ChunkError::Shape("it ends in the middle"))?;
        self.at += 1;
        match item {
            Item::Empty => Ok(EMPTY),
            Item::Cut(hash) => {
                self.cuts.push((place, *hash));
                Ok(*hash)
            }
            Item::Leaf { .. } | Item::Branch if !self.cuts.is_empty() => {
                Err(ChunkError::Shape("it goes on behind what it cut off"))
            }
            Item::Leaf { key, value } => {
                let path = path_of(key);
                if !place.covers(&path) {
                    return Err(ChunkError::Misplaced { index });
                }
                Ok(leaf_hash(&path, &hash(&[value])))
            }
            Item::Branch if usize::from(place.len) >= DEPTH => Err(ChunkError::Shape("it is deeper than a path")),
            Item::Branch => Ok(branch_hash(&self.subtree(place.below(false))?, &self.subtree(place.below(true))?)),
        }
    }
}
