//! Sends each transaction when it is due, whatever became of those before.
//!
//! What has become due is sent as one binary batch, to one validator after the other, at most every two milliseconds. Each validator
//! has a queue of its own: one that takes its time delays nobody else's transactions, and not the clock. What it refuses because it is
//! full is sent to it again, unchanged: an account's nonces have no gaps.

use super::{book::Book, crowd::Crowd, drive::Plan, field::Node};
use crate::{
    client::{Api, Unanswered},
    handle::RejectCode,
};
use bytes::Bytes;
use quorate_bench::load::due;
use quorate_types::{Digest, encode};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

/// Time between two batches, at least.
const PAUSE: Duration = Duration::from_millis(2);
/// Transactions in one, at most.
const MOST: usize = 2000;
/// And bytes, at most: the API takes 4 MiB.
const MOST_BYTES: usize = 3 << 20;
/// Requests under way to one validator.
const UNDER_WAY: usize = 32;
/// Time before what was refused is sent again.
const AGAIN: Duration = Duration::from_millis(100);

/// The book, as both who sends and who hears share it.
pub(super) type SharedBook = Arc<Mutex<Book>>;

/// The book, to write in.
pub(super) fn open(book: &SharedBook) -> MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Transactions that travel together.
struct Load {
    items: Vec<(Bytes, Digest, Instant)>,
}

/// Sends until the plan's time is over, then waits until all is taken or `stop` is cancelled.
pub(super) async fn run(
    nodes: &[Node],
    crowd: &mut Crowd,
    (plan, start): (Plan, Instant),
    book: &SharedBook,
    stop: CancellationToken,
) {
    let mut queues = Vec::new();
    let mut lanes = JoinSet::new();
    for node in nodes {
        let (queue, queued) = mpsc::unbounded_channel();
        queues.push(queue);
        lanes.spawn(serve(node.api.clone(), queued, Arc::clone(book), stop.clone()));
    }
    let all = (f64::from(plan.rate) * plan.lasts().as_secs_f64()) as u64;
    let mut next = 0;
    for turn in 0.. {
        if next >= all {
            break;
        }
        tokio::time::sleep_until((start + due(next, plan.rate)).into()).await;
        let sent_at = Instant::now();
        let load = gather(crowd, turn % nodes.len(), (start, plan.rate), &mut next, all);
        let list = load.list();
        open(book).sent(&list, Instant::now());
        let _lane_has_ended = queues[turn % nodes.len()].send(load);
        tokio::select! {
            () = tokio::time::sleep_until((sent_at + PAUSE).into()) => {}
            () = stop.cancelled() => break,
        }
    }
    drop(queues);
    while lanes.join_next().await.is_some() {}
}

/// What has become due, as far as it fits one request.
fn gather(crowd: &mut Crowd, validator: usize, (start, rate): (Instant, u32), next: &mut u64, all: u64) -> Load {
    let (mut load, mut bytes) = (Load { items: Vec::new() }, 0);
    while *next < all && load.items.len() < MOST && bytes < MOST_BYTES {
        let due = start + due(*next, rate);
        if due > Instant::now() {
            break;
        }
        *next += 1;
        let transaction = crowd.next(validator);
        let encoded = Bytes::from(encode(&transaction));
        bytes += encoded.len();
        load.items.push((encoded, transaction.digest(), due));
    }
    load
}

/// One validator's queue.
async fn serve(api: Api, mut queued: mpsc::UnboundedReceiver<Load>, book: SharedBook, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(UNDER_WAY));
    let mut under_way = JoinSet::new();
    while let Some(load) = queued.recv().await {
        let place = tokio::select! {
            place = Arc::clone(&places).acquire_owned() => place,
            () = stop.cancelled() => break,
        };
        let (api, book, stop) = (api.clone(), Arc::clone(&book), stop.clone());
        under_way.spawn(async move {
            let _place = place;
            tokio::select! {
                () = deliver(&api, load, &book) => {}
                () = stop.cancelled() => {}
            }
        });
        while under_way.try_join_next().is_some() {}
    }
    while under_way.join_next().await.is_some() {}
}

/// Sends until all is taken.
async fn deliver(api: &Api, mut load: Load, book: &SharedBook) {
    while !load.items.is_empty() {
        match api.submit_batch(load.body()).await {
            Ok(answer) => {
                let (mut taken, mut again) = (Vec::new(), Vec::new());
                let mut rejected = answer.rejected.into_iter().peekable();
                for (index, item) in load.items.into_iter().enumerate() {
                    match rejected.next_if(|rejected| rejected.index == index) {
                        None => taken.push((item.1, item.2)),
                        // It came before, in a request whose answer was lost.
                        Some(no) if matches!(no.code, RejectCode::OldNonce | RejectCode::Conflicting) => {
                            taken.push((item.1, item.2));
                        }
                        Some(no) if is_passing(no.code) => again.push(item),
                        Some(no) => {
                            open(book).fault = Some(format!("{} refused a transaction: {}", api.base(), no.detail));
                            return;
                        }
                    }
                }
                let mut book = open(book);
                book.accepted(&taken);
                book.refused(again.len());
                load.items = again;
            }
            Err(Unanswered::Problem(problem))
                if ["busy", "not-in-time", "too-slow"].contains(&problem.code.as_str()) =>
            {
                open(book).refused(load.items.len());
            }
            Err(error) => {
                open(book).fault = Some(format!("{}: {error}", api.base()));
                return;
            }
        }
        if !load.items.is_empty() {
            tokio::time::sleep(AGAIN).await;
        }
    }
}

/// Whether a refusal says no more than: later.
fn is_passing(code: RejectCode) -> bool {
    matches!(code, RejectCode::Busy | RejectCode::FutureNonce)
}

impl Load {
    fn list(&self) -> Vec<(Digest, Instant)> {
        self.items.iter().map(|(_, digest, due)| (*digest, *due)).collect()
    }

    /// The body of a request: the canonical encoding of a list of transactions.
    fn body(&self) -> Bytes {
        let count = u32::try_from(self.items.len()).expect("at most 2000");
        let parts = self.items.iter().map(|(encoded, ..)| encoded.as_ref());
        Bytes::from(std::iter::once(&count.to_le_bytes()[..]).chain(parts).collect::<Vec<_>>().concat())
    }
}
