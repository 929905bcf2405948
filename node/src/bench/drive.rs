//! One run: warm-up, window, and the rest.

use super::{
    book::Book,
    crowd::Crowd,
    ears,
    field::{Field, Node},
    gauges::Reading,
    pump::{self, SharedBook, open},
};
use crate::{exit::Failure, testnet::History};
use quorate_bench::load::Run;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// How long after the window what is under way may take.
const DRAIN: Duration = Duration::from_secs(15);
/// Between the decision to begin and the first transaction.
const BREATH: Duration = Duration::from_millis(50);

/// At what rate, and how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) rate: u32,
    pub(super) warm_up: Duration,
    pub(super) window: Duration,
}

impl Plan {
    pub(super) fn lasts(&self) -> Duration {
        self.warm_up + self.window
    }
}

/// Runs a plan. `history` remembers what was reported committed.
pub(super) async fn run(
    field: &mut Field,
    crowd: &mut Crowd,
    plan: Plan,
    history: &mut History,
) -> Result<Run, Failure> {
    crowd.get_ready(plan.rate, plan.lasts());
    let nodes = field.nodes.clone();
    let events = ears::listen(&nodes[0].api).await?;
    let start = Instant::now() + BREATH;
    let window = start + plan.warm_up..start + plan.lasts();
    let book: SharedBook = Arc::new(Mutex::new(Book::new(window.clone(), std::mem::take(history))));
    let stop = CancellationToken::new();
    let pump = async {
        pump::run(&nodes, crowd, (plan, start), &book, stop.clone()).await;
    };
    let watch = async {
        let watched = watch(&nodes, (window.start, window.end), &book).await;
        stop.cancel();
        watched
    };
    let hear = async {
        tokio::select! {
            () = ears::hear(&nodes[0].api, events, &book) => {}
            () = stop.cancelled() => {}
        }
    };
    let readings = tokio::select! {
        ((), readings, ()) = async { tokio::join!(pump, watch, hear) } => readings?,
        failure = field.broken() => return Err(failure),
    };
    let book = Arc::into_inner(book).expect("all who shared it have ended");
    let (run, kept) = book.into_inner().unwrap_or_else(PoisonError::into_inner).close(Instant::now());
    *history = kept;
    let (before, after) = readings;
    let (nodes, client_cpu_seconds) = after.since(&before);
    Ok(Run { rate: plan.rate, nodes, client_cpu_seconds, ..run })
}

/// Reads the gauges at both ends of the window, then waits until all is committed.
async fn watch(
    nodes: &[Node],
    (begins, ends): (Instant, Instant),
    book: &SharedBook,
) -> Result<(Reading, Reading), Failure> {
    until(begins, book).await?;
    let before = Reading::take(nodes).await?;
    until(ends, book).await?;
    let after = Reading::take(nodes).await?;
    while !open(book).is_settled() && ends.elapsed() < DRAIN {
        until(Instant::now() + Duration::from_millis(20), book).await?;
    }
    Ok((before, after))
}

/// Waits, but not for what has failed.
async fn until(time: Instant, book: &SharedBook) -> Result<(), Failure> {
    loop {
        if let Some(why) = open(book).fault.take() {
            return Err(Failure::failed(format!("the load cannot go on: {why}")));
        }
        let now = Instant::now();
        if now >= time {
            return Ok(());
        }
        tokio::time::sleep((time - now).min(Duration::from_millis(200))).await;
    }
}
