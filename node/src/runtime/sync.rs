//! Block sync over the network's request and response: asking for what others committed, and answering.

use super::ledger::LedgerTask;
use crate::handle::NodeLedger;
use bytes::Bytes;
use quorate_network::{Network, Responder};
use quorate_types::{Height, ReplicaId, decode, encode};
use quorate_validator::sync::{SyncReply, SyncRequest, answer};
use std::sync::{
    Arc, PoisonError, RwLock,
    atomic::{AtomicBool, Ordering},
    mpsc,
};
use tokio::sync::{Semaphore, mpsc as async_mpsc, oneshot};

/// Requests of peers answered at a time; more are dropped, and the asker tries the next peer.
const ANSWERS: usize = 4;

/// The replica wants the ledger to stand at `height`.
#[derive(Clone, Copy, Debug)]
pub(super) struct SyncWanted {
    pub(super) from: ReplicaId,
    pub(super) height: Height,
}

/// Answers peers from the ledger.
#[derive(Clone)]
pub(super) struct SyncServer {
    ledger: Arc<RwLock<NodeLedger>>,
    slots: Arc<Semaphore>,
}

impl SyncServer {
    pub(super) fn new(ledger: Arc<RwLock<NodeLedger>>) -> Self {
        Self { ledger, slots: Arc::new(Semaphore::new(ANSWERS)) }
    }

    pub(super) fn serve(&self, from: ReplicaId, bytes: Bytes, respond: Responder) {
        let Ok(request) = decode::<SyncRequest>(&bytes) else {
            return tracing::debug!(%from, "a sync request that does not decode");
        };
        let Ok(slot) = self.slots.clone().try_acquire_owned() else { return };
        let ledger = self.ledger.clone();
        tokio::task::spawn_blocking(move || {
            let reply = answer(&ledger.read().unwrap_or_else(PoisonError::into_inner), request);
            match reply {
                Ok(reply) => {
                    if let Err(error) = respond.respond(Bytes::from(encode(&reply))) {
                        tracing::warn!(%from, %error, "a sync answer does not fit");
                    }
                }
                Err(error) => tracing::warn!(%from, %error, "no sync answer: the ledger cannot be read"),
            }
            drop(slot);
        });
    }
}

/// Asks peers for blocks when the replica wants them.
pub(super) struct SyncClient {
    pub(super) network: Arc<dyn Network>,
    pub(super) ledger: Arc<RwLock<NodeLedger>>,
    pub(super) tasks: mpsc::Sender<LedgerTask>,
    pub(super) wanted: async_mpsc::Receiver<SyncWanted>,
    pub(super) syncing: Arc<AtomicBool>,
}

impl SyncClient {
    pub(super) async fn run(mut self) {
        while let Some(wanted) = self.wanted.recv().await {
            self.syncing.store(true, Ordering::Relaxed);
            self.fetch(wanted).await;
            self.syncing.store(false, Ordering::Relaxed);
        }
    }

    fn head(&self) -> Height {
        self.ledger.read().unwrap_or_else(PoisonError::into_inner).head().height
    }

    /// Fetches until the ledger is at the height wanted, or a whole round of peers gave nothing more.
    async fn fetch(&self, wanted: SyncWanted) {
        let mut peers: Vec<_> = self.network.peers().iter().map(|peer| peer.replica).collect();
        if let Some(first) = peers.iter().position(|peer| *peer == wanted.from) {
            peers.rotate_left(first);
        }
        let mut failed = 0;
        let mut turn = 0;
        while self.head() < wanted.height && failed < peers.len() {
            let peer = peers[turn % peers.len()];
            match self.ask(peer).await {
                Ok(height) => {
                    tracing::info!(%peer, %height, "caught up by block sync");
                    failed = 0;
                }
                Err(why) => {
                    tracing::debug!(%peer, why, "block sync got nothing");
                    failed += 1;
                    turn += 1;
                }
            }
        }
    }

    async fn ask(&self, peer: ReplicaId) -> Result<Height, String> {
        let request = encode(&SyncRequest { above: self.head() });
        let answer = self.network.request(peer, Bytes::from(request)).await;
        let bytes = answer.map_err(|_| "the network has stopped".to_owned())?.map_err(|error| error.to_string())?;
        let reply: SyncReply = decode(&bytes).map_err(|error| error.to_string())?;
        let (taken, result) = oneshot::channel();
        let _stopped = self.tasks.send(LedgerTask::Accept { reply: Box::new(reply), taken });
        result.await.map_err(|_| "the ledger has stopped".to_owned())?
    }
}
