//! From the network and from clients through the verification pool to the consensus thread.
//!
//! Signatures cost far more than anything else that is done with a message, and need no replica: they are checked here, by
//! a few threads, each message and each client signature once. What goes first and who holds up whom: `jobs`.

use super::{
    consensus::Event,
    fail::Failure,
    jobs::{Jobs, Lane, Queue},
    metrics::Metrics,
    outbox::class_of,
    submit::{self, Intake},
    sync::SyncServer,
};
use crate::handle::Rejected;
use bytes::Bytes;
use quorate_consensus::{Keys, Kind, Protocol, Rejection};
use quorate_network::{Class, Inbound, Slot};
use quorate_types::{ReplicaId, Transaction, decode};
use quorate_validator::{Checked, Wire, WireKeys};
use std::{
    io,
    sync::{Arc, Mutex, PoisonError, mpsc},
    time::Instant,
};
use tokio::sync::{OwnedSemaphorePermit, mpsc as async_mpsc, oneshot};

/// Work for the verification pool.
pub(super) enum Job {
    /// A peer's message.
    Message { from: ReplicaId, class: Class, bytes: Bytes, slot: Slot },
    /// A client's transactions; answered, in order, once each is in the mempool or refused.
    Transactions {
        transactions: Vec<Transaction>,
        respond: oneshot::Sender<Vec<submit::Taken>>,
        room: OwnedSemaphorePermit,
    },
}

/// What the pool's threads share.
pub(super) struct Checker<P: Protocol> {
    pub(super) keys: WireKeys<Keys<P::Scheme>>,
    pub(super) intake: Intake,
    pub(super) consensus: mpsc::Sender<Event<P>>,
    pub(super) metrics: Arc<Metrics>,
    /// The last message that failed the check, for people.
    pub(super) rejected: Arc<Mutex<Option<Rejected>>>,
}

/// Starts the pool's threads.
pub(super) fn spawn_pool<P: Protocol>(
    threads: usize,
    checker: Arc<Checker<P>>,
    jobs: &Arc<Queue<Job>>,
    failure: &Failure,
) -> io::Result<()> {
    for index in 0..threads.max(1) {
        let (jobs, checker) = (jobs.clone(), checker.clone());
        failure.spawn(&format!("verify-{index}"), move || {
            jobs.work(|job| checker.run(job));
        })?;
    }
    Ok(())
}

impl<P: Protocol> Checker<P> {
    fn run(&self, job: Job) {
        match job {
            Job::Message { from, class, bytes, slot } => self.message((from, class), &bytes, slot),
            Job::Transactions { transactions, respond, room } => {
                self.intake.take(transactions, respond, room, &self.consensus);
            }
        }
    }

    fn message(&self, (from, class): (ReplicaId, Class), bytes: &[u8], slot: Slot) {
        let mut kind = None;
        let checked = decode::<Wire<P::Message>>(bytes).map_err(Into::into).and_then(|wire| {
            kind = Some(wire.kind());
            if class_of(&wire) != class {
                return Err(Rejection::Malformed("a message on another stream than its kind's"));
            }
            Checked::check(wire, from, &self.keys)
        });
        match checked {
            Ok(message) => {
                let _stopped = self.consensus.send(Event::Received { from, message: Box::new(message), slot });
            }
            Err(rejection) => {
                self.metrics.rejected();
                tracing::debug!(%from, %rejection, "a peer's message was refused");
                let why = rejection.to_string();
                let mut last = self.rejected.lock().unwrap_or_else(PoisonError::into_inner);
                *last = Some(Rejected { from, kind, why, at: Instant::now() });
            }
        }
    }
}

/// Moves what the network brings into the pool, as fast as the consensus thread takes it.
pub(super) async fn receive(
    mut inbound: async_mpsc::Receiver<Inbound>,
    jobs: Jobs<Job>,
    sync: SyncServer,
    peers: impl Fn(ReplicaId, bool) + Send,
) {
    while let Some(event) = inbound.recv().await {
        match event {
            Inbound::Frame { from, class, bytes, slot } => {
                let lane = match class {
                    Class::Vote => Lane::Votes(from),
                    Class::Proposal => Lane::Proposals(from),
                    Class::Batch => Lane::Batches(from),
                };
                jobs.push(lane, Job::Message { from, class, bytes, slot });
            }
            Inbound::Request { from, bytes, respond } => sync.serve(from, bytes, respond),
            Inbound::PeerUp(peer) => peers(peer, true),
            Inbound::PeerDown(peer) => peers(peer, false),
        }
    }
}
