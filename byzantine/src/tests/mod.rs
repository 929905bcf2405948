//! Each attack does what it says, seen in what leaves the replica.

mod general;
mod hotstuff;
mod pbft;
mod world;

use world::World;
