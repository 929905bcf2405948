//! Random scenarios, where there are too many to run all.

use super::scenario::{Partition, Round, Scenario, Shape, ShapeError};
use crate::Rng;
use quorate_consensus::LISTED_VIEWS;
use quorate_types::ReplicaId;

/// A scenario of a shape: in each view any leader, and each process in any part.
pub fn random(shape: &Shape, views: usize, rng: &mut Rng) -> Scenario {
    let mut round = || {
        let leader = ReplicaId(u16::try_from(rng.below(shape.nodes())).expect("few replicas"));
        let partition =
            Partition::of_parts((0..shape.processes()).map(|_| rng.below(shape.parts())).collect::<Vec<_>>());
        Round { leader, partition }
    };
    Scenario((0..views).map(|_| round()).collect())
}

/// So many scenarios of a shape. The same seed gives the same ones.
pub fn random_family(shape: &Shape, views: usize, count: usize, seed: u64) -> Result<Vec<Scenario>, ShapeError> {
    if views == 0 || views > LISTED_VIEWS {
        return Err(ShapeError::Views(views));
    }
    let mut rng = Rng::new(seed);
    Ok((0..count).map(|_| random(shape, views, &mut rng)).collect())
}
