//! The network on real loopback sockets, one file per story. One binary, because linking libp2p takes longer than running.
#![allow(clippy::unwrap_used)]

mod common;
mod cuts;
mod links;
mod mesh;
mod pressure;
mod refusals;
mod sync;
