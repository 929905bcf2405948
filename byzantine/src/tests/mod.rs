//! Each attack does what it says, seen in what leaves the replica.

mod adaptive;
mod crafted;
mod general;
mod hotstuff;
mod mutate;
mod noise;
mod pbft;
mod world;

use crate::{Attacks, Target};
use quorate_consensus::{hotstuff::HotStuff, pbft::Pbft};
use quorate_crypto::Symbolic;
use world::{BASE, World};

type H = HotStuff<Symbolic>;
type B = Pbft<Symbolic>;

/// A busy second.
fn busy<P: Attacks<Scheme = Symbolic>>(attacker: usize, attack: &str, target: &Target) -> World<P> {
    let mut world = World::new(4, attacker, attack, target);
    world.busy(0..50);
    world.run(BASE * 40);
    world
}
