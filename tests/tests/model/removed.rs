//! With one rule removed the model finds the counterexample; with the rule it finds none in the same bounds.
//!
//! Honest code has no switches, so the rules are removed from outside: recovery does not see some of the journal's records. Rules
//! that cannot be reached from outside are removed by the mutants `tests/mutants/model_*.patch`.

use super::{
    Replica, SMALLEST,
    explore::{breaks, holds},
    moves::{AGREEMENT, HONESTY, Move},
    net::{Bounds, SmallNet},
    rounds::{Phase, Round},
    two_faced::TwoFaced,
    with_liar,
    world::Set,
};
use quorate_consensus::pbft::Record;
use quorate_types::{Height, ReplicaId, View};

/// A round of view 1 and who does not hear it.
fn hear<T>(phase: Phase, height: u64, deaf: &[u16]) -> Move<T> {
    let round = Round { view: View(1), phase, height: Height(height) };
    Move::Hear { round, deaf: Set::of(deaf.iter().copied().map(ReplicaId)) }
}

/// View 1 led by replica 1, up to its end: blocks for heights 1 and 2, prepared by replica 0 and the liar alone.
fn two_blocks_that_few_have_prepared() -> SmallNet<Replica, TwoFaced> {
    let past = vec![
        hear(Phase::Propose, 1, &[]),
        hear(Phase::Propose, 2, &[]),
        hear(Phase::Prepare, 1, &[1, 3]),
        hear(Phase::Prepare, 2, &[1, 3]),
        hear(Phase::Commit, 1, &[]),
        hear(Phase::Commit, 2, &[]),
        Move::TimeOut,
    ];
    with_liar(2, Bounds { heights: 2, disturbances: Some(2), crashes: 1, ..SMALLEST }).after(past)
}

/// View 1 up to its COMMITs: replica 1 alone has committed, on its own word, replica 0's and the liar's.
fn a_block_that_one_has_committed() -> SmallNet<Replica, TwoFaced> {
    let past = vec![hear(Phase::Propose, 1, &[2]), hear(Phase::Prepare, 1, &[]), hear(Phase::Commit, 1, &[0, 2])];
    with_liar(3, Bounds { disturbances: Some(3), crashes: 1, ..SMALLEST }).after(past)
}

/// Hole P3: a replica that has forgotten how its view began takes a second NEW-VIEW of the liar's, with another tip.
#[test]
fn with_new_views_forgotten_at_recovery_two_blocks_are_committed() {
    holds(two_blocks_that_few_have_prepared());
    let net = two_blocks_that_few_have_prepared().forgetting(|record| matches!(record, Record::NewView(_)));
    let story = breaks(net, AGREEMENT);
    assert!(story.contains("crashes and recovers"), "{story}");
}

/// Hole P4: a replica that has forgotten the certificate behind its COMMIT changes views as if there had been none.
#[test]
fn with_prepared_certificates_forgotten_at_recovery_two_blocks_are_committed() {
    holds(a_block_that_one_has_committed());
    let net = a_block_that_one_has_committed().forgetting(|record| matches!(record, Record::Prepared(_)));
    let story = breaks(net, AGREEMENT);
    assert!(story.contains("crashes and recovers"), "{story}");
}

/// Without its promises a replica votes twice.
#[test]
fn with_promises_forgotten_at_recovery_a_replica_votes_for_two_blocks() {
    let net = || with_liar(1, Bounds { views: 1, disturbances: Some(1), crashes: 1, ..SMALLEST });
    holds(net());
    let story = breaks(net().forgetting(|record| matches!(record, Record::Promise(_))), HONESTY);
    assert!(story.contains("another block"), "{story}");
}
