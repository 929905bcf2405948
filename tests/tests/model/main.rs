//! Small nets explored by `stateright`, with the very replica that ships: every state's replicas are `Pbft` values, every step is
//! theirs. What is explored and what is not is told in `docs/model.md`.
//!
//! Larger bounds, about half an hour: `cargo test --release -p quorate-tests --test model -- --ignored --nocapture`.
#![allow(unreachable_pub)]

mod explore;
mod liar;
mod moves;
mod net;
mod removed;
mod rounds;
mod two_faced;
mod world;

use explore::holds;
use liar::Nobody;
use net::{Bounds, SmallNet};
use quorate_consensus::pbft::Pbft;
use quorate_crypto::Symbolic;
use quorate_types::ReplicaId;
use two_faced::TwoFaced;

type Replica = Pbft<Symbolic>;

/// Two views, one height, nobody crashes, no checkpoint, any number of rounds disturbed.
const SMALLEST: Bounds = Bounds { views: 2, heights: 1, disturbances: None, crashes: 0, checkpoint_interval: 64 };

fn honest(bounds: Bounds) -> SmallNet<Replica, Nobody> {
    SmallNet::new(bounds, Nobody)
}

fn with_liar(id: u16, bounds: Bounds) -> SmallNet<Replica, TwoFaced> {
    SmallNet::new(bounds, TwoFaced(ReplicaId(id)))
}

#[test]
fn honest_replicas_agree_whatever_is_lost_in_two_views() {
    holds(honest(SMALLEST));
}

#[test]
fn honest_replicas_agree_in_three_views_with_two_rounds_disturbed() {
    holds(honest(Bounds { views: 3, disturbances: Some(2), ..SMALLEST }));
}

#[test]
fn honest_replicas_agree_on_two_heights_with_two_rounds_disturbed() {
    holds(honest(Bounds { heights: 2, disturbances: Some(2), ..SMALLEST }));
}

#[test]
fn honest_replicas_agree_with_a_checkpoint_at_every_height() {
    holds(honest(Bounds { heights: 2, disturbances: Some(1), checkpoint_interval: 1, ..SMALLEST }));
}

#[test]
fn honest_replicas_agree_when_one_crashes_at_any_point() {
    holds(honest(Bounds { disturbances: Some(1), crashes: 1, ..SMALLEST }));
}

#[test]
fn a_liar_who_never_leads_changes_nothing_whatever_is_lost_in_two_views() {
    for id in [0, 3] {
        holds(with_liar(id, SMALLEST));
    }
}

#[test]
fn a_liar_who_leads_the_first_view_changes_nothing_with_two_rounds_disturbed() {
    holds(with_liar(1, Bounds { disturbances: Some(2), ..SMALLEST }));
}

#[test]
fn a_liar_who_leads_the_second_view_changes_nothing_whatever_is_lost() {
    holds(with_liar(2, SMALLEST));
}

#[test]
fn a_liar_changes_nothing_in_three_views_with_two_rounds_disturbed() {
    holds(with_liar(3, Bounds { views: 3, disturbances: Some(2), ..SMALLEST }));
}

#[test]
fn a_liar_changes_nothing_on_two_heights_with_two_rounds_disturbed() {
    holds(with_liar(2, Bounds { heights: 2, disturbances: Some(2), ..SMALLEST }));
}

#[test]
fn a_liar_changes_nothing_when_an_honest_replica_crashes_too() {
    holds(with_liar(2, Bounds { disturbances: Some(1), crashes: 1, ..SMALLEST }));
}

/// The same, further.
#[test]
#[ignore = "half an hour in the release profile: see the head of this file"]
fn larger_bounds() {
    holds(honest(Bounds { views: 3, disturbances: Some(4), ..SMALLEST }));
    holds(honest(Bounds { heights: 2, disturbances: Some(4), ..SMALLEST }));
    holds(honest(Bounds { heights: 2, disturbances: Some(3), checkpoint_interval: 1, ..SMALLEST }));
    holds(honest(Bounds { disturbances: Some(3), crashes: 1, ..SMALLEST }));
    holds(honest(Bounds { disturbances: Some(1), crashes: 2, ..SMALLEST }));
    holds(with_liar(1, SMALLEST));
    holds(with_liar(3, Bounds { views: 3, disturbances: Some(4), ..SMALLEST }));
    holds(with_liar(2, Bounds { views: 3, disturbances: Some(3), ..SMALLEST }));
    holds(with_liar(2, Bounds { heights: 2, disturbances: Some(4), ..SMALLEST }));
    holds(with_liar(2, Bounds { heights: 2, disturbances: Some(2), crashes: 1, ..SMALLEST }));
    holds(with_liar(1, Bounds { disturbances: Some(2), crashes: 1, ..SMALLEST }));
}
