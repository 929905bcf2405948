//! Running the checker and telling what it saw.

use super::{
    liar::Liar,
    moves::{AGREEMENT, HONESTY, LATE_PROGRESS, Move, PROGRESS},
    net::SmallNet,
    rounds::Speech,
};
use stateright::{Checker, HasDiscoveries, Model};
use std::{fmt::Write, time::Instant};

const THREADS: usize = 2;

/// Explores everything inside the bounds and expects the properties to hold.
pub fn holds<P: Speech, L: Liar<P>>(net: SmallNet<P, L>) {
    let (start, what) = (Instant::now(), format!("{:?}, {:?}", net.liar, net.bounds));
    let checker = net.checker().threads(THREADS).spawn_dfs().join();
    let (states, steps, depth) = (checker.unique_state_count(), checker.state_count(), checker.max_depth());
    println!("{what}: {states} states, {steps} steps, depth {depth}, {:.1} s", start.elapsed().as_secs_f64());
    assert!(checker.is_done(), "everything inside the bounds is explored");
    for name in [AGREEMENT, HONESTY] {
        if let Some(path) = checker.discovery(name) {
            panic!("{what}: {name} is violated:\n{}", story(path.into_actions()));
        }
    }
    for name in [PROGRESS, LATE_PROGRESS] {
        assert!(checker.discovery(name).is_some(), "{what}: it never happens that {name}");
    }
}

/// Explores until a property is violated, shortest runs first, and tells how.
pub fn breaks<P: Speech, L: Liar<P>>(net: SmallNet<P, L>, property: &'static str) -> String {
    let (start, what) = (Instant::now(), format!("{:?}, {:?}", net.liar, net.bounds));
    let until = HasDiscoveries::AnyOf([property].into());
    let checker = net.checker().threads(THREADS).finish_when(until).spawn_bfs().join();
    let found = checker.discovery(property).unwrap_or_else(|| panic!("{what}: {property} holds"));
    let story = story(found.into_actions());
    let states = checker.unique_state_count();
    println!(
        "{what}: {property} is violated, seen after {states} states, {:.1} s:\n{story}",
        start.elapsed().as_secs_f64()
    );
    story
}

fn story<T: std::fmt::Debug>(moves: Vec<Move<T>>) -> String {
    moves.iter().fold(String::new(), |mut story, step| {
        writeln!(story, "  {step:?}").expect("strings take everything");
        story
    })
}
