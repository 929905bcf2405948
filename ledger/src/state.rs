//! The authenticated state: a compact sparse Merkle tree in memory, persistent by sharing.
//!
//! A key's path is the SHA-256 of the key. A subtree with one leaf is that leaf, so the tree has one node per key and one per
//! fork of two paths, whatever the order of insertions. Hashes: `empty = 0^32`, `leaf = H(0x02 || path || H(value))`, `branch =
//! H(0x03 || left || right)`; the prefixes differ from those of RFC 6962, so no node here passes for one there.
//!
//! Nodes are shared (`Arc`) and never changed: a clone costs nothing, and every speculative block has a whole state of its
//! own. The state must fit in memory.

mod chunk;

pub use chunk::{CHUNK_BYTES, Chunk, ChunkError, Fetch, Item, Prefix};

use borsh::{BorshDeserialize, BorshSerialize};
use quorate_types::{BoundedVec, Digest};
use sha2::{Digest as _, Sha256};
use std::{collections::BTreeSet, sync::Arc};

/// Hash of the empty tree.
const EMPTY: Digest = Digest([0; 32]);
/// Bits of a path.
const DEPTH: usize = 256;

#[derive(Debug)]
enum Node {
    Leaf { path: Digest, hash: Digest, key: Vec<u8>, value: Vec<u8> },
    Branch { hash: Digest, left: Option<Arc<Node>>, right: Option<Arc<Node>> },
}

/// Keys and values under one root hash.
#[derive(Clone, Debug, Default)]
pub struct State {
    root: Option<Arc<Node>>,
    len: usize,
    touched: BTreeSet<Vec<u8>>,
}

/// Proof that a key has a value, or none.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct StateProof {
    /// Sibling hashes from the root down to where the key's path ends.
    pub siblings: BoundedVec<Digest, DEPTH>,
    /// What stands there, if it is not the key's own leaf: another key's leaf (its path and value hash), or nothing.
    pub other: Option<(Digest, Digest)>,
}

fn hash(parts: &[&[u8]]) -> Digest {
    let mut hasher = Sha256::new();
    parts.iter().for_each(|part| hasher.update(part));
    Digest(hasher.finalize().into())
}

fn path_of(key: &[u8]) -> Digest {
    hash(&[key])
}

fn leaf_hash(path: &Digest, value_hash: &Digest) -> Digest {
    hash(&[&[2], &path.0, &value_hash.0])
}

fn branch_hash(left: &Digest, right: &Digest) -> Digest {
    hash(&[&[3], &left.0, &right.0])
}

fn bit(path: &Digest, depth: usize) -> bool {
    path.0[depth / 8] & (0x80 >> (depth % 8)) != 0
}

fn node_hash(node: Option<&Arc<Node>>) -> Digest {
    match node.map(AsRef::as_ref) {
        None => EMPTY,
        Some(Node::Leaf { hash, .. } | Node::Branch { hash, .. }) => *hash,
    }
}

impl Node {
    fn leaf(key: Vec<u8>, value: Vec<u8>) -> Arc<Self> {
        let path = path_of(&key);
        let hash = leaf_hash(&path, &hash(&[&value]));
        Arc::new(Self::Leaf { path, hash, key, value })
    }

    fn branch(left: Option<Arc<Self>>, right: Option<Arc<Self>>) -> Arc<Self> {
        let hash = branch_hash(&node_hash(left.as_ref()), &node_hash(right.as_ref()));
        Arc::new(Self::Branch { hash, left, right })
    }
}

impl State {
    /// The same content, with no changes to report yet.
    #[must_use]
    pub fn child(&self) -> Self {
        Self { root: self.root.clone(), len: self.len, touched: BTreeSet::new() }
    }

    /// The root hash: the same for the same content, whatever its history.
    pub fn root(&self) -> Digest {
        node_hash(self.root.as_ref())
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// A key's value.
    pub fn get(&self, key: &[u8]) -> Option<&[u8]> {
        let path = path_of(key);
        let mut at = self.root.as_ref();
        for depth in 0..=DEPTH {
            match at?.as_ref() {
                Node::Leaf { path: found, value, .. } => return (*found == path).then_some(value.as_slice()),
                Node::Branch { left, right, .. } => at = if bit(&path, depth) { right.as_ref() } else { left.as_ref() },
            }
        }
        None
    }

    /// Gives a key a value.
    pub fn insert(&mut self, key: Vec<u8>, value: Vec<u8>) {
        let path = path_of(&key);
        self.touched.insert(key.clone());
        let leaf = Node::leaf(key, value);
        let (root, is_new) = insert(self.root.take(), leaf, &path, 0);
        self.root = Some(root);
        self.len += usize::from(is_new);
    }

    /// Takes a key out.
    pub fn remove(&mut self, key: &[u8]) {
        let path = path_of(key);
        self.touched.insert(key.to_vec());
        if let Some(root) = self.root.take() {
            let (root, removed) = remove(root, &path, 0);
            self.root = root;
            self.len -= usize::from(removed);
        }
    }

    /// The keys inserted or removed since this was last asked, with their values now.
    pub fn take_changes(&mut self) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
        let touched = std::mem::take(&mut self.touched);
        touched
            .into_iter()
            .map(|key| (self.get(&key).map(<[u8]>::to_vec), key))
            .map(|(value, key)| (key, value))
            .collect()
    }

    /// Every key and value, in the order of the paths.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut stack: Vec<&Arc<Node>> = self.root.iter().collect();
        std::iter::from_fn(move || {
            loop {
                match stack.pop()?.as_ref() {
                    Node::Leaf { key, value, .. } => return Some((key.as_slice(), value.as_slice())),
                    Node::Branch { left, right, .. } => {
                        stack.extend(right);
                        stack.extend(left);
                    }
                }
            }
        })
    }

    /// Proof of a key's value, or that it has none.
    pub fn prove(&self, key: &[u8]) -> StateProof {
        let path = path_of(key);
        let mut siblings = Vec::new();
        let mut at = self.root.as_ref();
        let mut other = None;
        for depth in 0..DEPTH {
            match at.map(AsRef::as_ref) {
                None => break,
                Some(Node::Leaf { path: found, value, .. }) => {
                    if *found != path {
                        other = Some((*found, hash(&[value])));
                    }
                    break;
                }
                Some(Node::Branch { left, right, .. }) => {
                    let (next, sibling) = if bit(&path, depth) { (right, left) } else { (left, right) };
                    siblings.push(node_hash(sibling.as_ref()));
                    at = next.as_ref();
                }
            }
        }
        StateProof { siblings: BoundedVec::new(siblings).expect("at most 256 levels"), other }
    }
}

fn insert(at: Option<Arc<Node>>, leaf: Arc<Node>, path: &Digest, depth: usize) -> (Arc<Node>, bool) {
    let Some(node) = at else { return (leaf, true) };
    match node.as_ref() {
        Node::Leaf { path: found, .. } if found == path => (leaf, false),
        Node::Leaf { path: found, .. } => {
            let found = *found;
            (fork(node, &found, leaf, path, depth), true)
        }
        Node::Branch { left, right, .. } => {
            let (child, is_new) =
                insert(if bit(path, depth) { right.clone() } else { left.clone() }, leaf, path, depth + 1);
            let branch = if bit(path, depth) {
                Node::branch(left.clone(), Some(child))
            } else {
                Node::branch(Some(child), right.clone())
            };
            (branch, is_new)
        }
    }
}

/// Branches down to where two different paths part.
fn fork(a: Arc<Node>, a_path: &Digest, b: Arc<Node>, b_path: &Digest, depth: usize) -> Arc<Node> {
    match (bit(a_path, depth), bit(b_path, depth)) {
        (false, true) => Node::branch(Some(a), Some(b)),
        (true, false) => Node::branch(Some(b), Some(a)),
        (false, false) => Node::branch(Some(fork(a, a_path, b, b_path, depth + 1)), None),
        (true, true) => Node::branch(None, Some(fork(a, a_path, b, b_path, depth + 1))),
    }
}

fn remove(node: Arc<Node>, path: &Digest, depth: usize) -> (Option<Arc<Node>>, bool) {
    match node.as_ref() {
        Node::Leaf { path: found, .. } if found == path => (None, true),
        Node::Leaf { .. } => (Some(node), false),
        Node::Branch { left, right, .. } => {
            let goes_right = bit(path, depth);
            let (mut left, mut right) = (left.clone(), right.clone());
            let side = if goes_right { &mut right } else { &mut left };
            let Some(child) = side.take() else { return (Some(node), false) };
            let (child, removed) = remove(child, path, depth + 1);
            if !removed {
                return (Some(node), false);
            }
            *side = child;
            (join(left, right), true)
        }
    }
}

/// A branch, unless a single leaf remains: that takes its place.
fn join(left: Option<Arc<Node>>, right: Option<Arc<Node>>) -> Option<Arc<Node>> {
    match (&left, &right) {
        (None, None) => None,
        (Some(only), None) | (None, Some(only)) if matches!(only.as_ref(), Node::Leaf { .. }) => Some(only.clone()),
        _ => Some(Node::branch(left, right)),
    }
}

impl StateProof {
    /// The root of a tree in which `key` has `value`, if this proof shows one.
    pub fn root(&self, key: &[u8], value: Option<&[u8]>) -> Option<Digest> {
        let path = path_of(key);
        let shares_path = |other: &Digest| (0..self.siblings.len()).all(|depth| bit(other, depth) == bit(&path, depth));
        let mut at = match (value, &self.other) {
            (Some(value), None) => leaf_hash(&path, &hash(&[value])),
            (None, None) => EMPTY,
            (None, Some((other, value_hash))) if *other != path && shares_path(other) => leaf_hash(other, value_hash),
            _ => return None,
        };
        for (depth, sibling) in self.siblings.iter().enumerate().rev() {
            at = if bit(&path, depth) { branch_hash(sibling, &at) } else { branch_hash(&at, sibling) };
        }
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn state(map: &BTreeMap<Vec<u8>, Vec<u8>>) -> State {
        let mut state = State::default();
        map.iter().for_each(|(key, value)| state.insert(key.clone(), value.clone()));
        state
    }

    proptest! {
        #[test]
        fn it_is_a_map_with_one_root_per_content(
            ops in proptest::collection::vec((0u8..40, proptest::option::of(any::<u8>())), 0..200),
            probe in 0u8..60,
        ) {
            let (mut map, mut tree) = (BTreeMap::new(), State::default());
            for (key, value) in ops {
                let key = vec![key];
                match value {
                    Some(value) => {
                        map.insert(key.clone(), vec![value]);
                        tree.insert(key, vec![value]);
                    }
                    None => {
                        map.remove(&key);
                        tree.remove(&key);
                    }
                }
            }
            prop_assert_eq!(tree.len(), map.len());
            prop_assert_eq!(tree.root(), state(&map).root(), "the root does not depend on the order");
            let listed: BTreeMap<_, _> = tree.iter().map(|(k, v)| (k.to_vec(), v.to_vec())).collect();
            prop_assert_eq!(&listed, &map);
            let key = vec![probe];
            let value = map.get(&key).map(Vec::as_slice);
            prop_assert_eq!(tree.get(&key), value);
            let proof = tree.prove(&key);
            prop_assert_eq!(proof.root(&key, value), Some(tree.root()));
            let lie: Option<&[u8]> = if value.is_some() { None } else { Some(b"lie") };
            prop_assert_ne!(proof.root(&key, lie), Some(tree.root()));
            prop_assert_ne!(proof.root(&key, Some(b"another")), Some(tree.root()));
        }
    }

    #[test]
    fn a_clone_is_a_snapshot() {
        let mut state = State::default();
        state.insert(b"a".to_vec(), b"1".to_vec());
        let before = state.clone();
        state.insert(b"a".to_vec(), b"2".to_vec());
        assert_eq!(before.get(b"a"), Some(b"1".as_slice()));
        assert_ne!(before.root(), state.root());
    }

    #[test]
    fn a_leaf_off_the_keys_path_proves_no_absence() {
        let keys: BTreeMap<_, _> = (0u8..50).map(|key| (vec![key], vec![key])).collect();
        let state = state(&keys);
        let present = vec![7u8];
        let mut proof = state.prove(&present);
        for other in keys.keys().filter(|key| **key != present) {
            proof.other = Some((path_of(other), hash(&[other])));
            assert_ne!(proof.root(&present, None), Some(state.root()));
        }
        proof.other = Some((path_of(&present), hash(&[&present])));
        assert_eq!(proof.root(&present, None), None, "its own leaf is no proof of absence");
    }
}
