//! What has happened before some explorations begin: to get there by chance would take most of the time.

use super::{
    moves::Move,
    rounds::{Phase, Round},
    world::Set,
};
use quorate_types::{Height, ReplicaId, View};

/// A round of view 1 and who does not hear it.
fn hear<T>(phase: Phase, height: u64, deaf: &[u16]) -> Move<T> {
    let round = Round { view: View(1), phase, height: Height(height) };
    Move::Hear { round, deaf: Set::of(deaf.iter().copied().map(ReplicaId)), mute: Set::default() }
}

/// View 1 led by replica 1, up to its end: blocks for heights 1 and 2, of which two honest replicas, `deaf`, do not know that
/// they are prepared; of the second one the others have prepares from the primary, one honest replica and the liar only. Two rounds
/// are disturbed.
pub fn two_prepared_by_few<T>(deaf: &[u16]) -> Vec<Move<T>> {
    vec![
        hear(Phase::Propose, 1, &[]),
        hear(Phase::Propose, 2, &[]),
        hear(Phase::Prepare, 1, deaf),
        hear(Phase::Prepare, 2, deaf),
        hear(Phase::Commit, 1, &[]),
        hear(Phase::Commit, 2, &[]),
        Move::TimeOut,
    ]
}

/// The primary of view 2 begins it from its own VIEW-CHANGE, replica 1's, and one of the liar's that tells nothing.
pub fn view_2_collected<T>() -> Vec<Move<T>> {
    let round = Round { view: View(2), phase: Phase::Change, height: Height::GENESIS };
    let from = Set::of([ReplicaId(1)]);
    vec![
        Move::Hear { round, deaf: Set::default(), mute: Set::default() },
        Move::Collect { round, from, stale: Some(0) },
    ]
}

/// View 1 led by replica 1, up to its COMMITs: replica 1 alone has committed, on its own word, replica 0's and the liar's. Two
/// rounds are disturbed.
pub fn one_committed<T>() -> Vec<Move<T>> {
    vec![hear(Phase::Propose, 1, &[2]), hear(Phase::Prepare, 1, &[]), hear(Phase::Commit, 1, &[0, 2])]
}
