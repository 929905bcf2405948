//! What every handler has.

use super::problem::Problem;
use crate::handle::{Handle, NodeLedger};
use quorate_ledger::Genesis;
use quorate_types::{ChainId, Digest, ReplicaId};
use std::{ops::Deref, sync::Arc};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// Ledger queries at once; more wait their turn, and the consensus threads keep their share of the machine.
const QUERIES: usize = 32;

/// The node behind the API. Cheap to clone.
#[derive(Clone)]
pub(crate) struct App(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) handle: Handle,
    pub(crate) genesis: Genesis,
    pub(crate) digest: Digest,
    pub(crate) chain: ChainId,
    pub(crate) me: ReplicaId,
    pub(crate) subscribers: Arc<Semaphore>,
    pub(crate) stop: CancellationToken,
    queries: Semaphore,
}

impl App {
    pub(crate) fn new(handle: Handle, genesis: Genesis, max_subscribers: usize, stop: CancellationToken) -> Self {
        Self(Arc::new(Inner {
            me: handle.status().replica,
            digest: genesis.digest(),
            chain: genesis.chain_id(),
            subscribers: Arc::new(Semaphore::new(max_subscribers)),
            queries: Semaphore::new(QUERIES),
            handle,
            genesis,
            stop,
        }))
    }

    /// Asks the ledger, on a thread that may block.
    pub(crate) async fn query<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&NodeLedger) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let _turn = self.queries.acquire().await.map_err(|_| Problem::internal("the node is stopping"))?;
        let ledger = self.handle.ledger();
        let asked = tokio::task::spawn_blocking(move || {
            let ledger = ledger.read().map_err(|_| Problem::internal("the ledger's thread has failed"))?;
            ask(&ledger)
        });
        asked.await.map_err(|error| Problem::internal(format!("the query did not finish: {error}")))?
    }
}

impl Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}
