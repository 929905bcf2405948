//! From the network and from clients through the verification pool to the consensus thread.
//!
//! Signatures cost far more than anything else that is done with a message, and need no replica: they are checked here, by
//! a few threads, each message and each client signature once.

use super::{
    consensus::Event,
    fail::Failure,
    metrics::Metrics,
    submit::{self, Intake},
    sync::SyncServer,
};
use bytes::Bytes;
use quorate_consensus::{Keys, Protocol};
use quorate_network::Inbound;
use quorate_types::{ReplicaId, Transaction, decode};
use quorate_validator::{Checked, Wire, WireKeys};
use std::{
    io,
    sync::{Arc, Mutex, PoisonError, mpsc},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc as async_mpsc, oneshot};

/// Messages of peers between arrival and the end of their handling.
const IN_FLIGHT: usize = 2048;

/// Work for the verification pool.
pub(super) enum Job {
    /// A peer's message.
    Message { from: ReplicaId, bytes: Bytes, permit: OwnedSemaphorePermit },
    /// A client's transaction; answered once it is in the mempool or refused.
    Transaction { transaction: Transaction, respond: oneshot::Sender<submit::Taken> },
}

/// What the pool's threads share.
pub(super) struct Checker<P: Protocol> {
    pub(super) keys: WireKeys<Keys<P::Scheme>>,
    pub(super) intake: Intake,
    pub(super) consensus: mpsc::Sender<Event<P>>,
    pub(super) metrics: Arc<Metrics>,
}

/// Starts the pool's threads.
pub(super) fn spawn_pool<P: Protocol>(
    threads: usize,
    checker: Arc<Checker<P>>,
    jobs: mpsc::Receiver<Job>,
    failure: &Failure,
) -> io::Result<()> {
    let jobs = Arc::new(Mutex::new(jobs));
    for index in 0..threads.max(1) {
        let (jobs, checker) = (jobs.clone(), checker.clone());
        failure.spawn(&format!("verify-{index}"), move || {
            loop {
                // Whoever holds the lock waits for the next job; the others wait for the lock.
                let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
                match job {
                    Ok(job) => checker.run(job),
                    Err(_) => return,
                }
            }
        })?;
    }
    Ok(())
}

impl<P: Protocol> Checker<P> {
    fn run(&self, job: Job) {
        match job {
            Job::Message { from, bytes, permit } => self.message(from, &bytes, permit),
            Job::Transaction { transaction, respond } => self.intake.take(transaction, respond, &self.consensus),
        }
    }

    fn message(&self, from: ReplicaId, bytes: &[u8], permit: OwnedSemaphorePermit) {
        let checked = decode::<Wire<P::Message>>(bytes)
            .map_err(Into::into)
            .and_then(|wire| Checked::check(wire, from, &self.keys));
        match checked {
            Ok(message) => {
                let _stopped = self.consensus.send(Event::Received { from, message: Box::new(message), permit });
            }
            Err(rejection) => {
                self.metrics.rejected();
                tracing::debug!(%from, %rejection, "a peer's message was refused");
            }
        }
    }
}

/// Moves what the network brings into the pool, as fast as the consensus thread takes it.
pub(super) async fn receive(
    mut inbound: async_mpsc::Receiver<Inbound>,
    jobs: mpsc::Sender<Job>,
    sync: SyncServer,
    peers: impl Fn(ReplicaId, bool) + Send,
) {
    let in_flight = Arc::new(Semaphore::new(IN_FLIGHT));
    while let Some(event) = inbound.recv().await {
        match event {
            Inbound::Frame { from, bytes, .. } => {
                let Ok(permit) = in_flight.clone().acquire_owned().await else { return };
                if jobs.send(Job::Message { from, bytes, permit }).is_err() {
                    return;
                }
            }
            Inbound::Request { from, bytes, respond } => sync.serve(from, bytes, respond),
            Inbound::PeerUp(peer) => peers(peer, true),
            Inbound::PeerDown(peer) => peers(peer, false),
        }
    }
}
