//! Catching up over the network's request and response: the questions of a [`CatchUp`](quorate_validator::sync::CatchUp), which
//! lives in the ledger thread, are carried to peers and their answers back; and peers are answered.

use super::{around::Door, ledger::LedgerTask};
use crate::handle::NodeLedger;
use bytes::Bytes;
use quorate_ledger::LedgerError;
use quorate_network::{Network, Responder};
use quorate_types::{ReplicaId, decode, encode};
use quorate_validator::sync::{Ask, SyncError, SyncReply, SyncRequest, answer};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, mpsc},
    time::Instant,
};
use tokio::sync::{Semaphore, mpsc as async_mpsc};

/// Answers made at a time; more wait in the order in which they were asked for.
const ANSWERS: usize = 4;
/// Questions of one peer that are being answered or wait for it. More are dropped: who asks one thing after the other has no
/// more than one, and another whose time ran out.
const PER_PEER: usize = 2;

/// Answers peers from the ledger.
#[derive(Clone)]
pub(super) struct SyncServer {
    ledger: Arc<RwLock<NodeLedger>>,
    door: Option<Arc<dyn Door>>,
    slots: Arc<Semaphore>,
    open: Arc<Mutex<BTreeMap<ReplicaId, usize>>>,
}

impl SyncServer {
    pub(super) fn new(ledger: Arc<RwLock<NodeLedger>>, door: Option<Arc<dyn Door>>) -> Self {
        Self { ledger, door, slots: Arc::new(Semaphore::new(ANSWERS)), open: Arc::default() }
    }

    pub(super) fn serve(&self, from: ReplicaId, bytes: Bytes, respond: Responder) {
        let Ok(request) = decode::<SyncRequest>(&bytes) else {
            return tracing::debug!(%from, "a sync request that does not decode");
        };
        let Some(turn) = Turn::take(&self.open, from) else {
            return tracing::debug!(%from, "a sync request beyond {PER_PEER} at a time");
        };
        let (slots, ledger, door) = (self.slots.clone(), self.ledger.clone(), self.door.clone());
        tokio::spawn(async move {
            let Ok(_slot) = slots.acquire_owned().await else { return };
            let answering = tokio::task::spawn_blocking(move || {
                let reply = answer(&ledger.read().unwrap_or_else(PoisonError::into_inner), request)?;
                let reply = match door {
                    Some(door) => door.answer(from, request, reply),
                    None => Some(reply),
                };
                Ok::<_, LedgerError>(reply.map(|reply| Bytes::from(encode(&reply))))
            });
            match answering.await {
                Ok(Ok(None)) => {}
                Ok(Ok(Some(bytes))) => {
                    if let Err(error) = respond.respond(bytes) {
                        tracing::warn!(%from, %error, "a sync answer does not fit");
                    }
                }
                Ok(Err(error)) => tracing::warn!(%from, %error, "no sync answer: the ledger cannot be read"),
                Err(error) => tracing::warn!(%from, %error, "no sync answer"),
            }
            drop(turn);
        });
    }
}

/// One of a peer's questions that are open.
struct Turn {
    open: Arc<Mutex<BTreeMap<ReplicaId, usize>>>,
    peer: ReplicaId,
}

fn counts(open: &Mutex<BTreeMap<ReplicaId, usize>>) -> MutexGuard<'_, BTreeMap<ReplicaId, usize>> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Turn {
    fn take(open: &Arc<Mutex<BTreeMap<ReplicaId, usize>>>, peer: ReplicaId) -> Option<Self> {
        let mut all = counts(open);
        let count = all.entry(peer).or_default();
        if *count >= PER_PEER {
            return None;
        }
        *count += 1;
        Some(Self { open: open.clone(), peer })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(count) = counts(&self.open).get_mut(&self.peer) {
            *count = count.saturating_sub(1);
        }
    }
}

/// Puts questions to peers, one after the other.
pub(super) struct SyncClient {
    pub(super) network: Arc<dyn Network>,
    pub(super) tasks: mpsc::Sender<LedgerTask>,
    pub(super) asks: async_mpsc::UnboundedReceiver<Ask>,
}

impl SyncClient {
    pub(super) async fn run(mut self) {
        while let Some(ask) = self.asks.recv().await {
            let asked = Instant::now();
            let answer = self.put(ask).await.map(|reply| (Box::new(reply), asked.elapsed()));
            let _stopped = self.tasks.send(LedgerTask::Answered { ticket: ask.ticket, answer });
        }
    }

    async fn put(&self, ask: Ask) -> Result<SyncReply, SyncError> {
        let answer = self.network.request(ask.to, Bytes::from(encode(&ask.request))).await;
        let answer = answer.map_err(|_| SyncError::Unanswered("the network has stopped".to_owned()))?;
        let bytes = answer.map_err(|error| SyncError::Unanswered(error.to_string()))?;
        decode(&bytes).map_err(|error| SyncError::Malformed(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_peer_does_not_take_the_others_turns() {
        let open = Arc::default();
        let turns: Vec<_> = (0..PER_PEER + 3).filter_map(|_| Turn::take(&open, ReplicaId(1))).collect();
        assert_eq!(turns.len(), PER_PEER);
        assert!(Turn::take(&open, ReplicaId(2)).is_some());
        drop(turns);
        assert!(Turn::take(&open, ReplicaId(1)).is_some());
    }
}
