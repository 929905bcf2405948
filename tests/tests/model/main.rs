//! Small nets explored by `stateright`, with the very replicas that ship: every state holds `Pbft` (or `HotStuff`) values, every
//! step is theirs. What is explored and what is not is told in `docs/model.md`.
//!
//! Two sets of bounds that would take too long from the start begin in the middle: see `past`.
//!
//! Larger bounds, about ten minutes: `cargo test -p quorate-tests --test model -- --ignored --nocapture`.
#![allow(unreachable_pub)]

mod explore;
mod liar;
mod moves;
mod net;
mod past;
mod removed;
mod rounds;
mod two_faced;
mod world;

use explore::holds;
use liar::Nobody;
use net::{Bounds, SmallNet};
use quorate_consensus::{hotstuff::HotStuff, pbft::Pbft};
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

fn hotstuff(bounds: Bounds) -> SmallNet<HotStuff<Symbolic>, Nobody> {
    SmallNet::new(bounds, Nobody)
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

#[test]
fn hotstuff_agrees_in_five_views_with_two_rounds_disturbed() {
    holds(hotstuff(Bounds { views: 5, disturbances: Some(2), ..SMALLEST }));
}

#[test]
fn hotstuff_agrees_when_one_crashes_at_any_point() {
    holds(hotstuff(Bounds { views: 4, disturbances: Some(1), crashes: 1, ..SMALLEST }));
}

/// Hole P1's lesson: what counts is the latest view, not the greatest height.
#[test]
fn a_liar_cannot_bring_back_a_higher_block_of_an_earlier_view() {
    let bounds = Bounds { views: 3, heights: 2, disturbances: Some(4), ..SMALLEST };
    holds(with_liar(0, bounds).after([past::two_prepared_by_few(&[1, 2]), past::view_2_collected()].concat()));
}

/// The same, further.
#[test]
#[ignore = "about ten minutes: see the head of this file"]
fn larger_bounds() {
    holds(with_liar(1, SMALLEST));
    holds(honest(Bounds { views: 3, disturbances: Some(4), ..SMALLEST }));
    holds(honest(Bounds { heights: 2, disturbances: Some(3), ..SMALLEST }));
    holds(honest(Bounds { heights: 2, disturbances: Some(3), checkpoint_interval: 1, ..SMALLEST }));
    holds(honest(Bounds { disturbances: Some(2), crashes: 1, ..SMALLEST }));
    holds(honest(Bounds { disturbances: Some(1), crashes: 2, ..SMALLEST }));
    holds(with_liar(3, Bounds { views: 3, disturbances: Some(3), ..SMALLEST }));
    holds(with_liar(2, Bounds { views: 3, disturbances: Some(3), ..SMALLEST }));
    holds(with_liar(2, Bounds { heights: 2, disturbances: Some(3), ..SMALLEST }));
    holds(with_liar(2, Bounds { heights: 2, disturbances: Some(2), crashes: 1, ..SMALLEST }));
    holds(with_liar(1, Bounds { disturbances: Some(2), crashes: 1, ..SMALLEST }));
    holds(hotstuff(Bounds { views: 6, disturbances: Some(3), ..SMALLEST }));
    holds(hotstuff(Bounds { views: 5, disturbances: Some(2), crashes: 1, ..SMALLEST }));
}
