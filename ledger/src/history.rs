//! The history tree: RFC 6962 over the digests of all committed blocks, genesis first.
//!
//! Its root at one size proves what the chain was at that height; a consistency proof shows that a later chain extends it.

use quorate_types::{Digest, merkle};

/// Append-only Merkle tree over block digests. Keeps all leaves (32 bytes a block).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    leaves: Vec<Digest>,
    /// Roots of the complete subtrees that make up the tree, largest first, with their sizes.
    peaks: Vec<(usize, Digest)>,
}

impl History {
    /// How many blocks there are.
    pub fn len(&self) -> usize {
        self.leaves.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.leaves.is_empty()
    }

    /// Adds a block. Amortised one hash.
    pub fn push(&mut self, block: &Digest) {
        self.push_leaf(merkle::leaf_hash(&block.0));
    }

    pub(crate) fn push_leaf(&mut self, leaf: Digest) {
        self.leaves.push(leaf);
        let mut peak = (1, leaf);
        while let Some(&(size, left)) = self.peaks.last()
            && size == peak.0
        {
            self.peaks.pop();
            peak = (size * 2, merkle::node_hash(&left, &peak.1));
        }
        self.peaks.push(peak);
    }

    /// The root over all blocks.
    pub fn root(&self) -> Digest {
        let mut peaks = self.peaks.iter().rev().map(|(_, hash)| *hash);
        let Some(last) = peaks.next() else { return merkle::empty_root() };
        peaks.fold(last, |right, left| merkle::node_hash(&left, &right))
    }

    /// The root over the first `size` blocks.
    pub fn root_at(&self, size: usize) -> Option<Digest> {
        self.leaves.get(..size).map(merkle::root)
    }

    /// Proof that a block is in the tree of all blocks; its index is its height.
    pub fn prove(&self, height: usize) -> Option<merkle::Path> {
        merkle::prove(&self.leaves, height)
    }

    /// Proof that the tree of `old` blocks is a prefix of the tree of `new` blocks (RFC 6962 section 2.1.2).
    pub fn prove_consistency(&self, old: usize, new: usize) -> Option<Vec<Digest>> {
        let leaves = self.leaves.get(..new)?;
        (0 < old && old <= new).then(|| sub_proof(old, leaves, true))
    }
}

fn sub_proof(old: usize, leaves: &[Digest], is_whole: bool) -> Vec<Digest> {
    if old == leaves.len() {
        return if is_whole { Vec::new() } else { vec![merkle::root(leaves)] };
    }
    let split = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(split);
    if old <= split {
        let mut proof = sub_proof(old, left, is_whole);
        proof.push(merkle::root(right));
        proof
    } else {
        let mut proof = sub_proof(old - split, right, false);
        proof.push(merkle::root(left));
        proof
    }
}

/// Checks a consistency proof between two sizes and roots (RFC 9162 section 2.1.4.2).
pub fn verify_consistency(old: (usize, Digest), new: (usize, Digest), proof: &[Digest]) -> bool {
    let ((old_size, old_root), (new_size, new_root)) = (old, new);
    if old_size == 0 || old_size > new_size {
        return false;
    }
    if old_size == new_size {
        return proof.is_empty() && old_root == new_root;
    }
    let mut path = proof.iter().copied();
    let first = if old_size.is_power_of_two() { Some(old_root) } else { path.next() };
    let Some(first) = first else { return false };
    let (mut index, mut last) = (old_size - 1, new_size - 1);
    while index & 1 == 1 {
        index >>= 1;
        last >>= 1;
    }
    let (mut from_old, mut from_new) = (first, first);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if index & 1 == 1 || index == last {
            from_old = merkle::node_hash(&sibling, &from_old);
            from_new = merkle::node_hash(&sibling, &from_new);
            while index & 1 == 0 && index != 0 {
                index >>= 1;
                last >>= 1;
            }
        } else {
            from_new = merkle::node_hash(&from_new, &sibling);
        }
        index >>= 1;
        last >>= 1;
    }
    last == 0 && from_old == old_root && from_new == new_root
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_types::Domain;

    fn history(size: usize) -> History {
        let mut history = History::default();
        (0..size).for_each(|i| history.push(&Digest::of(Domain::BLOCK, &(i as u64))));
        history
    }

    #[test]
    fn appending_gives_the_root_of_the_whole_list() {
        for size in 0..40 {
            let history = history(size);
            assert_eq!(Some(history.root()), history.root_at(size), "{size} blocks");
        }
    }

    #[test]
    fn every_prefix_is_consistent_and_nothing_else_is() {
        let history = history(33);
        for new in 1..=33 {
            for old in 1..=new {
                let proof = history.prove_consistency(old, new).expect("inside");
                let root = |size| history.root_at(size).expect("inside");
                assert!(verify_consistency((old, root(old)), (new, root(new)), &proof), "{old} of {new}");
                if old > 1 {
                    assert!(!verify_consistency((old, root(old - 1)), (new, root(new)), &proof));
                    assert!(!verify_consistency((old - 1, root(old)), (new, root(new)), &proof));
                }
                for changed in 0..proof.len() {
                    let mut forged = proof.clone();
                    forged[changed].0[0] ^= 1;
                    assert!(!verify_consistency((old, root(old)), (new, root(new)), &forged));
                }
            }
        }
    }
}
