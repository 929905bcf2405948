//! The search for the knee: short runs, then one of full length at what was found.

use super::{
    Wanted,
    crowd::Crowd,
    drive::{self, Plan},
    field::Field,
};
use crate::{exit::Failure, output::Output, testnet::History};
use quorate_bench::load::{Knee, Probe, RULE, Run, Search, judge};
use std::time::Duration;

/// A short run's warm-up and window.
const WARM_UP: Duration = Duration::from_secs(2);
const WINDOW: Duration = Duration::from_secs(5);
/// Full runs that may fail at what a short one has carried, each at a tenth less.
const STEPS_BACK: u32 = 6;

/// Finds the knee; gives the run there.
pub(super) async fn knee(
    field: &mut Field,
    crowd: &mut Crowd,
    wanted: &Wanted,
    history: &mut History,
    output: Output,
) -> Result<(Run, Knee), Failure> {
    let mut knee = Knee { rule: RULE.to_owned(), probes: Vec::new(), rate: None, ended: None };
    let mut search = Search::new(wanted.rate);
    let mut first_p50 = None;
    while let Some(rate) = search.next() {
        let plan = Plan { rate, warm_up: WARM_UP, window: WINDOW };
        let run = drive::run(field, crowd, plan, history).await?;
        let p50 = run.end_to_end.map_or(f64::MAX, |quantiles| quantiles.p50_ms);
        let missed = run.client_was_late().or_else(|| judge(&run, *first_p50.get_or_insert(p50)));
        output.note(format!(
            "{rate} tx/s: {:.0} committed, p99 {:.0} ms: {}",
            run.committed_per_second(),
            run.end_to_end.map_or(f64::NAN, |quantiles| quantiles.p99_ms),
            missed.as_deref().unwrap_or("carried")
        ));
        search.tried(rate, missed.is_none());
        knee.probes.push(Probe { run, missed });
        if !field.drain().await? {
            knee.ended = Some(format!("what waited after {rate} tx/s was not committed within a minute"));
            break;
        }
    }
    knee.rate = search.found();
    let rate = knee.rate.unwrap_or(wanted.rate);
    let (run, missed) = at_length(field, crowd, (wanted, rate, first_p50), history, output).await?;
    knee.rate = knee.rate.map(|_| run.rate).filter(|_| missed.is_none());
    let at_length = missed.map(|why| format!("what short runs carried is not carried at length: {why}"));
    knee.ended = knee.ended.or(at_length);
    Ok((run, knee))
}

/// The run of full length, further down if it does not carry what a short one did. With it, why the last rate was not carried.
async fn at_length(
    field: &mut Field,
    crowd: &mut Crowd,
    (wanted, mut rate, first_p50): (&Wanted, u32, Option<f64>),
    history: &mut History,
    output: Output,
) -> Result<(Run, Option<String>), Failure> {
    let mut steps = 0;
    loop {
        let plan = Plan { rate, warm_up: wanted.warm_up, window: wanted.duration };
        let run = drive::run(field, crowd, plan, history).await?;
        let missed = run.client_was_late().or_else(|| judge(&run, first_p50.unwrap_or(f64::MAX)));
        let Some(why) = missed else { return Ok((run, None)) };
        output.note(format!("{rate} tx/s are not carried at length: {why}"));
        if steps == STEPS_BACK {
            return Ok((run, Some(why)));
        }
        field.drain().await?;
        steps += 1;
        rate -= rate / 10;
    }
}
