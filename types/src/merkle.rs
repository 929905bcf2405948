//! Merkle trees after RFC 6962 section 2.1: `leaf = H(0x00 || data)`, `node = H(0x01 || left || right)`,
//! a list of `n > 1` items splits at the largest power of two below `n`, and the empty list hashes to `H("")`.
//!
//! The prefixes keep a node from passing for a leaf (no second preimages), and the split keeps the old tree
//! inside the new one when items are appended (consistency proofs, in the ledger's history tree).

use crate::{Digest, codec::BoundedVec};
use borsh::{BorshDeserialize, BorshSerialize};
use sha2::{Digest as _, Sha256};

/// The longest path in a tree of 2^64 leaves.
pub const MAX_PATH: usize = 64;

/// The siblings of an inclusion proof, leaf side first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Path {
    /// Sibling hashes from the leaf up to the root.
    pub siblings: BoundedVec<Digest, MAX_PATH>,
}

/// Hash of the empty list.
pub fn empty_root() -> Digest {
    Digest(Sha256::digest([]).into())
}

/// Hash of one leaf.
pub fn leaf_hash(data: &[u8]) -> Digest {
    Digest(Sha256::new().chain_update([0]).chain_update(data).finalize().into())
}

/// Hash of an inner node.
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    Digest(Sha256::new().chain_update([1]).chain_update(left.0).chain_update(right.0).finalize().into())
}

/// Root over leaves that are hashed already.
pub fn root(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node_hash(&root(left), &root(right))
        }
    }
}

/// Proof that `leaves[index]` stands at `index` in the tree over `leaves`; `None` if there is no such leaf.
pub fn prove(leaves: &[Digest], index: usize) -> Option<Path> {
    if index >= leaves.len() {
        return None;
    }
    let mut siblings = Vec::new();
    let (mut leaves, mut index) = (leaves, index);
    while leaves.len() > 1 {
        let (left, right) = leaves.split_at(split(leaves.len()));
        if index < left.len() {
            siblings.push(root(right));
            leaves = left;
        } else {
            siblings.push(root(left));
            index -= left.len();
            leaves = right;
        }
    }
    siblings.reverse();
    Some(Path { siblings: BoundedVec::new(siblings).expect("a tree in memory is less than 64 levels deep") })
}

impl Path {
    /// The root of a tree of `size` leaves that has `leaf` at `index` beside these siblings, or `None` if no tree of
    /// that size has a path of this length there (RFC 9162 section 2.1.3.2).
    pub fn root(&self, leaf: Digest, index: u64, size: u64) -> Option<Digest> {
        if index >= size {
            return None;
        }
        let (mut index, mut last, mut hash) = (index, size - 1, leaf);
        for sibling in &self.siblings {
            if last == 0 {
                return None;
            }
            if index & 1 == 1 || index == last {
                hash = node_hash(sibling, &hash);
                while index & 1 == 0 && index != 0 {
                    index >>= 1;
                    last >>= 1;
                }
            } else {
                hash = node_hash(&hash, sibling);
            }
            index >>= 1;
            last >>= 1;
        }
        (last == 0).then_some(hash)
    }
}

/// The largest power of two smaller than `n`, for `n > 1`.
fn split(n: usize) -> usize {
    n.next_power_of_two() / 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn leaves(n: usize) -> Vec<Digest> {
        (0..n).map(|i| leaf_hash(&[i as u8])).collect()
    }

    #[test]
    fn the_roots_of_rfc_6962_example_shapes() {
        let l = leaves(3);
        assert_eq!(root(&[]).to_string(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(leaf_hash(b"").to_string(), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
        assert_eq!(root(&l), node_hash(&node_hash(&l[0], &l[1]), &l[2]));
    }

    #[test]
    fn a_leaf_that_is_not_there_has_no_proof() {
        assert_eq!(prove(&leaves(3), 3), None);
        assert_eq!(prove(&[], 0), None);
    }

    proptest! {
        #[test]
        fn a_proof_verifies_at_its_place_only(size in 1usize..70, index in 0usize..70, other in 0usize..70) {
            let leaves = leaves(size);
            let index = index % size;
            let path = prove(&leaves, index).expect("inside");
            let at = |i: usize, n: usize| path.root(leaves[index], i as u64, n as u64);
            prop_assert_eq!(at(index, size), Some(root(&leaves)));
            if other != index {
                prop_assert_ne!(at(other, size), Some(root(&leaves)));
            }
        }
    }
}
