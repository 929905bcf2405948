//! With one rule removed the model finds the counterexample; with the rule it finds none in the same bounds.
//!
//! Honest code has no switches, so the rules are removed from outside: recovery does not see some of the journal's records. Rules
//! that cannot be reached from outside are removed by the mutants `tests/mutants/model_*.patch`.

use super::{
    Replica, SMALLEST,
    explore::{breaks, holds},
    moves::{AGREEMENT, HONESTY},
    net::{Bounds, SmallNet},
    past::{one_committed, two_prepared_by_few},
    two_faced::TwoFaced,
    with_liar,
};
use quorate_consensus::pbft::Record;

fn after_two_prepared() -> SmallNet<Replica, TwoFaced> {
    with_liar(2, Bounds { heights: 2, disturbances: Some(2), crashes: 1, ..SMALLEST })
        .after(two_prepared_by_few(&[1, 3]))
}

fn after_one_committed() -> SmallNet<Replica, TwoFaced> {
    with_liar(3, Bounds { disturbances: Some(3), crashes: 1, ..SMALLEST }).after(one_committed())
}

/// Hole P3: a replica that has forgotten how its view began takes a second NEW-VIEW of the liar's, with another tip.
#[test]
fn with_new_views_forgotten_at_recovery_two_blocks_are_committed() {
    holds(after_two_prepared());
    let net = after_two_prepared().forgetting(|record| matches!(record, Record::NewView(_)));
    let story = breaks(net, AGREEMENT);
    assert!(story.contains("crashes and recovers"), "{story}");
}

/// Hole P4: a replica that has forgotten the certificate behind its COMMIT changes views as if there had been none.
#[test]
fn with_prepared_certificates_forgotten_at_recovery_two_blocks_are_committed() {
    holds(after_one_committed());
    let net = after_one_committed().forgetting(|record| matches!(record, Record::Prepared(_)));
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
