//! One simulated validator: the shipped core, journal and ledger on simulated disks.
//!
//! A [`Node`] is a machine: its disks outlive its process. A [`Life`] is the process, from start to crash. It is told what
//! happens and answers with [`Out`]s, which the cluster carries out; it knows neither links nor time.

mod door;
mod flush;
mod life;
mod start;
mod sync;

pub(crate) use life::{Life, TurnedAway};
pub(crate) use start::Setup;

use crate::{
    Rng, SimProtocol,
    disk::{Losses, SimDisk},
    index::SimIndex,
};
use quorate_consensus::{Evidence, Keys, Protocol, Replica, hotstuff::HotStuff};
use quorate_crypto::Symbolic;
use quorate_ledger::{CommittedBlock, Entry};
use quorate_types::{Header, Height, ReplicaId};
use quorate_validator::{
    CoreTimer, LedgerWork, Wire, WireKeys,
    sync::{SyncReply, SyncRequest, Ticket},
};
use std::{sync::Arc, time::Duration};

/// What goes over a simulated link.
pub type SimWire<P = HotStuff<Symbolic>> = Wire<<P as Replica>::Message>;

/// What a process wants done, or tells the checkers.
pub(crate) enum Out<P: SimProtocol> {
    Send {
        to: ReplicaId,
        wire: SimWire<P>,
    },
    Broadcast(SimWire<P>),
    /// What may be no message at all.
    Bytes {
        to: ReplicaId,
        bytes: Vec<u8>,
    },
    SetTimer {
        timer: CoreTimer,
        after: Duration,
    },
    /// Call [`Life::work`] with it after everything that was posted before.
    Task(Task),
    /// A flush has begun: call [`Life::flushed`] when the disk is done.
    Flush,
    Ask {
        to: ReplicaId,
        request: SyncRequest,
        ticket: Ticket,
    },
    /// The process ends by itself.
    Died(Death),
    /// For the checkers.
    Saw(Sight<P>),
}

/// Something for a process' ledger, in order.
pub(crate) enum Task {
    Work(LedgerWork),
    /// Make everything durable, then begin a new journal.
    SyncThenRotate,
    Accept {
        reply: Arc<SyncReply>,
        ticket: Ticket,
        took: Duration,
    },
}

impl Task {
    /// Whether it puts something on the disk of the block log.
    pub(crate) fn writes(&self) -> bool {
        match self {
            Self::Work(LedgerWork::Commit { .. }) | Self::SyncThenRotate | Self::Accept { .. } => true,
            Self::Work(_) => false,
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Work(LedgerWork::Build { .. }) => "build",
            Self::Work(LedgerWork::Execute { .. }) => "execute",
            Self::Work(LedgerWork::Inspect { .. }) => "inspect",
            Self::Work(LedgerWork::Commit { .. }) => "commit",
            Self::SyncThenRotate => "sync and rotate",
            Self::Accept { .. } => "accept a sync reply",
        }
    }
}

/// Why a process ended without being told to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Death {
    /// Its disk failed.
    Disk(String),
    /// It found safety lost or its own state wrong.
    Halted(String),
}

/// Something that checkers look at.
pub(crate) enum Sight<P: SimProtocol> {
    /// A process started from its disks.
    Opened {
        head: Header,
        journal: Vec<Entry<P::Record>>,
    },
    Committed {
        block: CommittedBlock,
    },
    /// A process' ledger has begun anew from a snapshot.
    Installed {
        head: Header,
    },
    /// A process found what a peer showed to be a lie: a sync answer, or proof of a fault.
    Refused {
        peer: ReplicaId,
        why: String,
    },
    /// This block was handed to the ledger as final, with this proof.
    Proven {
        header: Header,
        proof: Vec<u8>,
    },
    /// Actions leave while so many bytes of the journal are not durable.
    Undurable {
        bytes: usize,
    },
    Accused(Box<Evidence>),
}

/// A machine.
pub(crate) struct Node<P: SimProtocol> {
    pub(crate) id: ReplicaId,
    pub(crate) disks: Disks,
    pub(crate) life: Option<Life<P>>,
    /// How often it was started: events of earlier lives are void.
    pub(crate) lives: u32,
    pub(crate) death: Option<Death>,
    /// Milliseconds by which its clock is wrong.
    pub(crate) skew: i64,
    pub(crate) rng: Rng,
    /// No ledger task is done before this one.
    pub(crate) ledger_free_at: Duration,
    /// Power fails after so many more things that the process does.
    pub(crate) fuse: Option<u32>,
}

/// What a machine keeps.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disks {
    pub(crate) journal: SimDisk,
    pub(crate) blocks: SimDisk,
    pub(crate) index: SimIndex,
    is_distrusted: bool,
}

impl Disks {
    /// Power fails. The index is lost with it, or falls back to its last sync.
    pub(crate) fn crash(&self, rng: &mut Rng) {
        let losses = if rng.percent(30) { Losses::InAnyOrder } else { Losses::FromTheEnd };
        self.journal.crash(losses, rng);
        if rng.percent(50) {
            // Without the index nobody knows how much of the block log was durable, so only its end may be torn: damage in
            // its middle is refused, and rightly so.
            self.blocks.crash(Losses::FromTheEnd, rng);
            self.index.wipe();
        } else {
            self.blocks.crash(losses, rng);
            self.index.crash();
        }
    }

    /// Whether one of them was made to fail: a process on it may end by itself.
    pub(crate) fn are_faulty(&self) -> bool {
        self.is_distrusted || self.journal.is_faulty() || self.blocks.is_faulty()
    }

    pub(crate) fn distrust(&mut self) {
        self.is_distrusted = true;
    }

    /// Ends all faults that were injected.
    pub(crate) fn repair(&self) {
        self.journal.repair();
        self.blocks.repair();
    }

    pub(crate) fn wipe(&self) {
        self.journal.wipe();
        self.blocks.wipe();
        self.index.wipe();
    }
}

impl<P: SimProtocol> Node<P> {
    pub(crate) fn height(&self) -> Option<Height> {
        self.life.as_ref().map(|life| life.ledger.head().height)
    }
}

/// What messages and proofs of a cluster are checked with.
pub(crate) type SimKeys<P> = WireKeys<Keys<<P as Protocol>::Scheme>>;
