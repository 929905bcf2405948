//! Transactions waiting to be ordered, in batches, and who is asked for the batches that are missing.
//!
//! A replica collects what its clients hand in into a *batch*, closed by size or after a few milliseconds, and sends the
//! batch to everybody once. Blocks carry batch digests only. A batch that stays uncommitted is *offered* (its digest) to all
//! again and again, so that a lost batch, or one that a Byzantine replica gave to a single peer, reaches everybody and
//! keeps everybody's timers running.
//!
//! While several own batches are uncommitted, the open one is not closed by time but by size, by the next commit, or by the
//! repeat timer: under load, or with slow views, batches grow instead of growing in number (as Nagle's algorithm does with
//! packets), so that a block's limited list of batches holds what has gathered.
//!
//! Order within a sender: a transaction is put into a batch when its nonce is the next one; those that come early are parked
//! until then. If blocks order two batches the wrong way round, the transaction that was skipped for its nonce is parked
//! again by the replica that took it in, and goes out once its turn has come.
//!
//! Bounds: batches of one author are limited in number and bytes, and a batch over the limit is refused (its author offers
//! it again later), so no peer can push another's out; batches that a block needs are always taken. Own transactions are
//! refused while own batches are at the limit; parked ones are limited in total and per sender.

mod dissemination;
mod intake;
mod memory;
#[cfg(test)]
mod tests;

use borsh::{BorshDeserialize, BorshSerialize};
use memory::{Finished, Settled};
use quorate_crypto::Committee;
use quorate_types::{Account, Batch, BoundedVec, Digest, ReplicaId, Transaction, codec::encoded_len, limits};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// Digests in one offer or request.
const DIGESTS: usize = 64;
/// With this many own batches uncommitted, an open batch waits for a commit instead of the clock.
const OWN_IN_FLIGHT: usize = 4;
/// Repeats after which a batch has waited long.
const AGED: u32 = 2;

/// What replicas tell each other about batches.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum PoolMessage {
    /// A batch, from its author, or from one who was asked.
    Batch(Arc<Batch>),
    /// Batches that the sender holds and that are not committed.
    Offer(BoundedVec<Digest, DIGESTS>),
    /// Batches that the sender lacks.
    Ask(BoundedVec<Digest, DIGESTS>),
}

/// What the mempool wants done. None of it promises anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PoolAction {
    /// Tell one.
    Send {
        /// Whom.
        to: ReplicaId,
        /// What.
        message: PoolMessage,
    },
    /// Tell all others.
    Broadcast(PoolMessage),
    /// Give this timer back.
    SetTimer {
        /// Which.
        timer: PoolTimer,
        /// After how long.
        after: Duration,
    },
    /// Held from now on: keep it in the journal before any step that comes later, and tell the replica.
    Ready(Arc<Batch>),
}

/// The mempool's timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PoolTimer {
    /// Close the open batch.
    Close,
    /// Offer and ask again.
    Repeat,
}

/// Limits of a mempool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchLimits {
    /// Transactions in a batch, at most [`limits::BATCH_TRANSACTIONS`].
    pub transactions: usize,
    /// Encoded bytes of a batch, at most [`limits::BATCH_BYTES`].
    pub bytes: usize,
    /// How long a batch stays open for more.
    pub close_after: Duration,
    /// How often uncommitted batches are offered and missing ones asked for again.
    pub repeat_after: Duration,
    /// Uncommitted batches kept of one author.
    pub batches_per_author: usize,
    /// Their bytes.
    pub bytes_per_author: usize,
    /// Own transactions parked.
    pub waiting: usize,
    /// Of them, parked ones of one sender.
    pub parked_per_sender: usize,
}

impl Default for BatchLimits {
    fn default() -> Self {
        Self {
            transactions: 512,
            bytes: 128 * 1024,
            close_after: Duration::from_millis(5),
            repeat_after: Duration::from_millis(500),
            batches_per_author: 1024,
            bytes_per_author: 32 * 1024 * 1024,
            waiting: 50_000,
            parked_per_sender: 4096,
        }
    }
}

/// Why a transaction was not taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Its nonce is used up.
    #[error("nonce {nonce} is used up: the sender's next nonce is {next}")]
    OldNonce {
        /// The transaction's.
        nonce: u64,
        /// The account's.
        next: u64,
    },
    /// Another transaction of this sender and nonce is waiting or on its way.
    #[error("a transaction of this sender with nonce {nonce} is on its way already")]
    NonceTaken {
        /// The nonce.
        nonce: u64,
    },
    /// Its nonce is too far ahead, or its sender has too many waiting.
    #[error("nonce {nonce} is too far ahead: the sender's next nonce is {next}, and {max} may wait")]
    TooFarAhead {
        /// The transaction's.
        nonce: u64,
        /// The account's.
        next: u64,
        /// How many may wait.
        max: usize,
    },
    /// Too many transactions are waiting: try later.
    #[error("the mempool is full ({max} transactions are waiting); try again later")]
    Full {
        /// The limit.
        max: usize,
    },
}

/// A mempool in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MempoolStatus {
    /// Own transactions not yet in a batch.
    pub waiting: usize,
    /// Uncommitted batches held.
    pub batches: usize,
    /// Transactions in them.
    pub transactions: usize,
    /// Their bytes.
    pub bytes: usize,
    /// Batches asked for.
    pub wanted: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Held {
    batch: Arc<Batch>,
    author: ReplicaId,
    bytes: usize,
    /// Repeats since it came.
    age: u32,
    /// Nothing in it can apply any more. It stays for the sake of a block that names it, and is offered to nobody.
    is_spent: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Wanted {
    first: ReplicaId,
    attempts: usize,
    /// A block needs it: it is taken whatever its author's limit.
    needed: bool,
}

/// One replica's mempool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mempool {
    me: ReplicaId,
    committee: Committee,
    limits: BatchLimits,
    open: Vec<Transaction>,
    open_bytes: usize,
    /// The open batch's time is over; it waits for a commit.
    overdue: bool,
    parked: BTreeMap<Account, BTreeMap<u64, Transaction>>,
    parked_count: usize,
    /// The nonce after the last one put into a batch, while some are uncommitted.
    next_nonce: BTreeMap<Account, u64>,
    held: BTreeMap<Digest, Held>,
    usage: BTreeMap<ReplicaId, (usize, usize)>,
    wanted: BTreeMap<Digest, Wanted>,
    finished: Finished,
    settled: Settled,
    /// How often each batch was given to each peer since the last repeat.
    given: BTreeMap<(ReplicaId, Digest), u8>,
    repeat_runs: bool,
}

impl Mempool {
    /// An empty mempool of replica `me`.
    pub fn new(me: ReplicaId, committee: Committee, limits: BatchLimits) -> Self {
        Self {
            me,
            committee,
            limits,
            open: Vec::new(),
            open_bytes: 0,
            overdue: false,
            parked: BTreeMap::new(),
            parked_count: 0,
            next_nonce: BTreeMap::new(),
            held: BTreeMap::new(),
            usage: BTreeMap::new(),
            wanted: BTreeMap::new(),
            finished: Finished::default(),
            settled: Settled::default(),
            given: BTreeMap::new(),
            repeat_runs: false,
        }
    }

    /// Takes back an uncommitted batch that the journal kept.
    pub fn restore(&mut self, batch: Arc<Batch>, author: ReplicaId) {
        self.hold(batch, author);
    }

    /// Starts the timers that what was restored needs.
    pub fn on_started(&mut self, actions: &mut Vec<PoolAction>) {
        self.run_repeat(actions);
    }

    /// A batch that is held.
    pub fn get(&self, batch: &Digest) -> Option<&Arc<Batch>> {
        self.held.get(batch).map(|held| &held.batch)
    }

    /// All uncommitted batches held.
    pub fn batches(&self) -> impl Iterator<Item = &Arc<Batch>> {
        self.held.values().map(|held| &held.batch)
    }

    /// Batches that have waited long, up to a limit: perhaps their transactions are used up.
    pub fn aged(&self) -> Vec<Arc<Batch>> {
        let is_aged = |held: &&Held| held.age >= AGED && !held.is_spent;
        self.held.values().filter(is_aged).take(DIGESTS).map(|held| held.batch.clone()).collect()
    }

    /// Nothing in this batch can apply any more: it is kept, for a block that names it, and offered to nobody.
    pub fn retire(&mut self, batch: &Digest) {
        if let Some(held) = self.held.get_mut(batch) {
            held.is_spent = true;
        }
    }

    /// In numbers.
    pub fn status(&self) -> MempoolStatus {
        MempoolStatus {
            waiting: self.open.len() + self.parked_count,
            batches: self.held.len(),
            transactions: self.held.values().map(|held| held.batch.transactions().len()).sum(),
            bytes: self.held.values().map(|held| held.bytes).sum(),
            wanted: self.wanted.len(),
        }
    }

    fn own_uncommitted(&self) -> usize {
        self.usage.get(&self.me).map_or(0, |(batches, _)| *batches)
    }

    fn hold(&mut self, batch: Arc<Batch>, author: ReplicaId) -> bool {
        let digest = batch.digest();
        if self.held.contains_key(&digest) {
            return false;
        }
        let bytes = encoded_len(&batch);
        let usage = self.usage.entry(author).or_default();
        *usage = (usage.0 + 1, usage.1 + bytes);
        self.held.insert(digest, Held { batch, author, bytes, age: 0, is_spent: false });
        self.wanted.remove(&digest);
        true
    }

    fn drop_batch(&mut self, digest: &Digest) -> Option<Arc<Batch>> {
        self.wanted.remove(digest);
        let held = self.held.remove(digest)?;
        if let Some(usage) = self.usage.get_mut(&held.author) {
            *usage = (usage.0 - 1, usage.1 - held.bytes);
        }
        Some(held.batch)
    }

    fn has_room(&self, author: ReplicaId, batch: &Batch) -> bool {
        let (batches, bytes) = self.usage.get(&author).copied().unwrap_or_default();
        batches < self.limits.batches_per_author && bytes + encoded_len(batch) <= self.limits.bytes_per_author
    }

    /// A timer of this mempool ran out.
    pub fn on_timer(&mut self, timer: PoolTimer, actions: &mut Vec<PoolAction>) {
        match timer {
            PoolTimer::Close if self.own_uncommitted() >= OWN_IN_FLIGHT => self.overdue = true,
            PoolTimer::Close => self.close(actions),
            PoolTimer::Repeat => self.repeat(actions),
        }
    }

    /// These batches are committed; `skipped` are transactions in them that did not apply because their turn had not come,
    /// and `nonces` the next nonces of all senders concerned. Own skipped transactions will go out again.
    pub fn on_committed(
        &mut self,
        batches: impl IntoIterator<Item = Digest>,
        skipped: &BTreeSet<Digest>,
        nonces: &BTreeMap<Account, u64>,
        actions: &mut Vec<PoolAction>,
    ) {
        for digest in batches {
            let author = self.held.get(&digest).map(|held| held.author);
            let Some(batch) = self.drop_batch(&digest) else { continue };
            // What was too early may come again under the same name.
            if !batch.transactions().iter().any(|tx| !skipped.is_empty() && skipped.contains(&tx.digest())) {
                self.finished.add(digest);
            }
            if author != Some(self.me) || skipped.is_empty() {
                continue;
            }
            for transaction in batch.transactions().iter().filter(|tx| skipped.contains(&tx.digest())) {
                // Its turn is now decided by the committed state alone.
                self.next_nonce.remove(&transaction.body.sender);
                self.park(transaction.clone());
            }
        }
        for (sender, next) in nonces {
            self.settled.learn(*sender, *next);
            if self.next_nonce.get(sender).is_some_and(|known| known <= next) {
                self.next_nonce.remove(sender);
            }
            self.release(*sender, *next, actions);
        }
        if self.overdue && self.own_uncommitted() < OWN_IN_FLIGHT {
            self.close(actions);
        }
    }

    /// These batches cannot change anything any more (all their transactions are used up): forget them.
    pub fn discard(&mut self, batches: impl IntoIterator<Item = Digest>) {
        for digest in batches {
            self.drop_batch(&digest);
            self.finished.add(digest);
        }
    }

    /// No block needs these any more.
    pub fn unneed(&mut self, batches: impl IntoIterator<Item = Digest>) {
        for digest in batches {
            self.wanted.remove(&digest);
        }
    }
}

const _: () = assert!(limits::TRANSACTION_PAYLOAD + 1024 < limits::BATCH_BYTES, "any transaction fits a batch");
