//! Which scenarios are the same but for names.
//!
//! Replicas that run once can change places with each other, twinned replicas with each other, and the two instances of one replica with
//! each other. For four replicas and one pair that makes 3! x 2 = 12 permutations of the five processes.

use super::scenario::{Partition, Shape};

/// A permutation of processes that keeps replicas together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Symmetry {
    /// Where each process goes.
    to: Vec<usize>,
    nodes: usize,
}

impl Symmetry {
    /// All of a shape, the identity among them.
    pub(super) fn all(shape: &Shape) -> Vec<Self> {
        let (pairs, nodes) = (shape.pairs(), shape.nodes());
        let mut all = Vec::new();
        for twins in permutations(pairs) {
            for others in permutations(nodes - pairs) {
                for swapped in 0..1usize << pairs {
                    all.push(Self::of(shape, &twins, &others, swapped));
                }
            }
        }
        all
    }

    /// Nothing moves.
    pub(super) fn identity(shape: &Shape) -> Self {
        Self { to: (0..shape.processes()).collect(), nodes: shape.nodes() }
    }

    fn of(shape: &Shape, twins: &[usize], others: &[usize], swapped: usize) -> Self {
        let (pairs, nodes) = (shape.pairs(), shape.nodes());
        let place = |process: usize| {
            let replica = shape.replica(process);
            if replica >= pairs {
                return pairs + others[replica - pairs];
            }
            let is_second = (process >= nodes) != (swapped >> replica & 1 == 1);
            twins[replica] + if is_second { nodes } else { 0 }
        };
        Self { to: (0..shape.processes()).map(place).collect(), nodes }
    }

    /// Where a replica goes.
    pub(super) fn replica(&self, replica: usize) -> usize {
        let to = self.to[replica];
        if to < self.nodes { to } else { to - self.nodes }
    }

    /// What a partition becomes.
    pub(super) fn partition(&self, partition: &Partition) -> Partition {
        let mut parts = vec![0; self.to.len()];
        for (process, to) in self.to.iter().enumerate() {
            parts[*to] = partition.part(process);
        }
        Partition::of_parts(parts)
    }
}

/// Every order of the numbers below `n`.
fn permutations(n: usize) -> Vec<Vec<usize>> {
    let Some(last) = n.checked_sub(1) else { return vec![Vec::new()] };
    let insert = |shorter: Vec<usize>| {
        (0..n).map(move |at| {
            let mut longer = shorter.clone();
            longer.insert(at, last);
            longer
        })
    };
    permutations(last).into_iter().flat_map(insert).collect()
}
