//! What a validator stands on: its replica, disks, clock and links, each of which can be replaced where a validator starts.
//!
//! What the trait gives by itself is what a validator has. A build with the feature `lab` has other ones for chains whose genesis allows
//! faults on purpose.

use super::publish::unix_millis;
use quorate_consensus::{Config, PoolMessage, Protocol, Replica};
use quorate_ledger::{Disk, FileDisk};
use quorate_network::{Frame, Shaping};
use quorate_types::ReplicaId;
use quorate_validator::sync::{SyncReply, SyncRequest};
use std::sync::Arc;

/// A replica that speaks the protocol `P`.
pub(crate) type Speaker<P> =
    Box<dyn Replica<Message = <P as Replica>::Message, Record = <P as Replica>::Record> + Send>;

/// One of a validator's disks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shelf {
    /// The vote journal's.
    Journal,
    /// The block log's.
    Blocks,
}

/// What a validator stands on.
pub(crate) trait Around<P: Protocol>: Send + Sync {
    /// Its replica, as these records left it.
    fn replica(&self, config: Config<P::Scheme>, records: Vec<P::Record>) -> Speaker<P> {
        Box::new(P::recover(config, records))
    }

    /// A disk over these files.
    fn disk(&self, _shelf: Shelf, files: FileDisk) -> Box<dyn Disk> {
        Box::new(files)
    }

    /// Its clock, in milliseconds since the Unix epoch: for the timestamps of blocks alone.
    fn clock(&self) -> u64 {
        unix_millis()
    }

    /// What its links do to what it sends.
    fn shaping(&self) -> Option<Shaping> {
        None
    }

    /// What stands between it and its links, besides the network.
    fn door(&self) -> Option<Arc<dyn Door>> {
        None
    }
}

/// What stands between a validator and its links: what is said beside the replica's steps passes it.
pub(crate) trait Door: Send + Sync {
    /// The mempool tells one, or all: given back to be sent as it is, or seen to.
    fn pass(&self, to: Option<ReplicaId>, message: PoolMessage) -> Option<PoolMessage>;
    /// A peer's message about batches has come in.
    fn overhear(&self, from: ReplicaId, message: &PoolMessage);
    /// What a peer is answered in place of `reply`.
    fn answer(&self, to: ReplicaId, request: SyncRequest, reply: SyncReply) -> Option<SyncReply>;
    /// What it has to send itself, now.
    fn posted(&self) -> Vec<(ReplicaId, Frame)>;
}

/// A validator as it is.
pub(super) struct Plain;

impl<P: Protocol> Around<P> for Plain {}
