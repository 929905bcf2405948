//! A search on all threads, and its gauge.

use super::{super::gauge::Gauge, What};
use crate::output::Output;
use quorate_sim::twins::{Report, Scenarios, Search, Subject, search, search_listed};
use std::{
    sync::{atomic::Ordering, mpsc},
    thread,
};

pub(super) fn go<P: Subject>(what: &What, jobs: usize, output: Output) -> Report {
    let look = Search { jobs, ..Search::default() };
    match what {
        What::Family(family) => watched(output, &look, family.count(), || search::<P>(family, &look)),
        What::List(Scenarios { shape, scenarios, .. }) => {
            let of = u64::try_from(scenarios.len()).unwrap_or(u64::MAX);
            watched(output, &look, of, || search_listed::<P>(shape, scenarios, &look))
        }
    }
}

fn watched(output: Output, look: &Search, of: u64, work: impl FnOnce() -> Report) -> Report {
    let gauge = Gauge::new(output, "scenarios", of);
    if !gauge.is_seen() {
        return work();
    }
    let (ended, end) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            while end.recv_timeout(gauge.every()) == Err(mpsc::RecvTimeoutError::Timeout) {
                gauge.show(look.done.load(Ordering::Relaxed), look.violations.load(Ordering::Relaxed));
            }
            gauge.clear();
        });
        let report = work();
        drop(ended);
        report
    })
}
