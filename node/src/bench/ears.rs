//! Hears from one validator which blocks and transactions are committed.

use super::pump::{SharedBook, open};
use crate::{
    client::{Api, Events, Told},
    exit::Failure,
    runtime::unix_millis,
};
use std::time::{Duration, Instant};

/// Begins to listen.
pub(super) async fn listen(api: &Api) -> Result<Events, Failure> {
    api.events("block,transactions").await.map_err(|error| api.failure(error))
}

/// Writes down what is told, until the stream ends or this is dropped.
pub(super) async fn hear(api: &Api, mut events: Events, book: &SharedBook) {
    loop {
        let told = match events.next().await {
            Ok(Some(told)) => told,
            Ok(None) => break open(book).fault = Some(format!("{} has ended its events", api.base())),
            Err(error) => break open(book).fault = Some(format!("the events of {}: {error}", api.base())),
        };
        let now = Instant::now();
        match told {
            Told::Block { transactions, batches, timestamp, .. } => {
                let took = Duration::from_millis(unix_millis().saturating_sub(timestamp));
                open(book).block(transactions, batches, took, now);
            }
            Told::Transactions { height, digests } => open(book).committed(height, &digests, now),
            Told::Missed { count } => open(book).missed(count),
            Told::Other => {}
        }
    }
}
