//! The CPU time of this thread.

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// CPU time that this thread has used so far.
///
/// # Panics
/// Never: the kernel's clocks do not run backwards past zero.
pub fn now() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).expect("a clock that began at zero")
}

/// Microseconds of CPU that one call takes: the least of several rounds, each long enough to outlast the clock's grain.
pub fn micros(call: impl FnMut()) -> f64 {
    least(7, Duration::from_millis(30), call)
}

/// The same, faster and less exact.
pub fn rough_micros(call: impl FnMut()) -> f64 {
    least(3, Duration::from_millis(8), call)
}

fn least(rounds: usize, round: Duration, mut call: impl FnMut()) -> f64 {
    let mut calls = 1u32;
    loop {
        let took = time(calls, &mut call);
        if took >= round {
            break;
        }
        calls *= 2;
    }
    let best = (0..rounds).map(|_| time(calls, &mut call)).min().unwrap_or_default();
    best.as_secs_f64() * 1e6 / f64::from(calls)
}

fn time(calls: u32, call: &mut impl FnMut()) -> Duration {
    let start = now();
    (0..calls).for_each(|_| call());
    now() - start
}
