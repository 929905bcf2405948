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

use borsh::{BorshDeserialize, BorshSerialize};
use quorate_crypto::Committee;
use quorate_types::{Account, Batch, BoundedVec, Digest, ReplicaId, Transaction, codec::encoded_len, limits};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

/// Digests in one offer or request.
const DIGESTS: usize = 64;
/// With this many own batches uncommitted, an open batch waits for a commit instead of the clock.
const OWN_IN_FLIGHT: usize = 4;
/// Repeats after which a batch has waited long.
const AGED: u32 = 2;
/// Batches remembered after they were committed or discarded.
const FINISHED: usize = 4096;
/// Senders whose committed nonces are remembered, in each of two generations.
const SETTLED: usize = 32 * 1024;
/// Batches wanted at a time.
const MAX_WANTED: usize = 1024;

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
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Wanted {
    first: ReplicaId,
    attempts: usize,
    /// A block needs it: it is taken whatever its author's limit.
    needed: bool,
}

/// Batches that were committed or discarded of late. Who is behind still offers them; taken again, they would keep an idle
/// net busy. When full, the oldest is forgotten.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Finished {
    set: BTreeSet<Digest>,
    order: VecDeque<Digest>,
}

impl Finished {
    fn add(&mut self, batch: Digest) {
        if self.set.insert(batch) {
            self.order.push_back(batch);
            if self.order.len() > FINISHED {
                self.order.pop_front().map(|oldest| self.set.remove(&oldest));
            }
        }
    }
}

/// The next nonces of senders with commits of late. A transaction comes with the nonce that its sender's account had when it was
/// checked; were the commits since then forgotten, it would wait for a turn that has passed. Two generations; when the
/// younger is full, the older is forgotten.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Settled {
    young: BTreeMap<Account, u64>,
    old: BTreeMap<Account, u64>,
}

impl Settled {
    fn learn(&mut self, sender: Account, next: u64) {
        self.young.insert(sender, next);
        if self.young.len() >= SETTLED {
            self.old = std::mem::take(&mut self.young);
        }
    }

    fn next(&self, sender: &Account) -> u64 {
        self.young.get(sender).or_else(|| self.old.get(sender)).copied().unwrap_or_default()
    }
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
        self.held.values().filter(|held| held.age >= AGED).take(DIGESTS).map(|held| held.batch.clone()).collect()
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

    /// Takes in a client's transaction, whose signature is checked. `account_nonce` is the sender's next nonce in the
    /// committed state.
    pub fn submit(
        &mut self,
        transaction: Transaction,
        account_nonce: u64,
        actions: &mut Vec<PoolAction>,
    ) -> Result<(), Refused> {
        let (sender, nonce) = (transaction.body.sender, transaction.body.nonce);
        let account_nonce = account_nonce.max(self.settled.next(&sender));
        let next = self.next_nonce(&sender, account_nonce);
        if nonce < account_nonce {
            return Err(Refused::OldNonce { nonce, next: account_nonce });
        }
        let parked = self.parked.get(&sender);
        if nonce < next || parked.is_some_and(|parked| parked.contains_key(&nonce)) {
            return Err(Refused::NonceTaken { nonce });
        }
        let max = self.limits.parked_per_sender;
        if nonce - next >= u64::try_from(max).unwrap_or(u64::MAX) {
            return Err(Refused::TooFarAhead { nonce, next, max });
        }
        // Early transactions of one client cannot keep out those of another whose turn it is.
        if nonce > next && self.parked_count >= self.limits.waiting {
            return Err(Refused::Full { max: self.limits.waiting });
        }
        let (batches, bytes) = self.usage.get(&self.me).copied().unwrap_or_default();
        if batches >= self.limits.batches_per_author || bytes >= self.limits.bytes_per_author {
            return Err(Refused::Full { max: self.limits.batches_per_author * self.limits.transactions });
        }
        self.park(transaction);
        self.release(sender, account_nonce, actions);
        Ok(())
    }

    fn next_nonce(&self, sender: &Account, account_nonce: u64) -> u64 {
        self.next_nonce.get(sender).copied().unwrap_or_default().max(account_nonce)
    }

    fn park(&mut self, transaction: Transaction) {
        let (sender, nonce) = (transaction.body.sender, transaction.body.nonce);
        if self.parked.entry(sender).or_default().insert(nonce, transaction).is_none() {
            self.parked_count += 1;
        }
    }

    /// Moves parked transactions whose turn has come into the open batch.
    fn release(&mut self, sender: Account, account_nonce: u64, actions: &mut Vec<PoolAction>) {
        let mut next = self.next_nonce(&sender, account_nonce);
        let Some(mut parked) = self.parked.remove(&sender) else { return };
        let before = parked.len();
        parked = parked.split_off(&account_nonce);
        while let Some(transaction) = parked.remove(&next) {
            next += 1;
            self.add_to_open(transaction, actions);
        }
        self.parked_count -= before - parked.len();
        self.next_nonce.insert(sender, next);
        if !parked.is_empty() {
            self.parked.insert(sender, parked);
        }
    }

    fn add_to_open(&mut self, transaction: Transaction, actions: &mut Vec<PoolAction>) {
        let bytes = encoded_len(&transaction);
        if !self.open.is_empty() && self.open_bytes + bytes + 4 > self.limits.bytes {
            self.close(actions);
        }
        if self.open.is_empty() {
            actions.push(PoolAction::SetTimer { timer: PoolTimer::Close, after: self.limits.close_after });
        }
        self.open_bytes += bytes;
        self.open.push(transaction);
        if self.open.len() >= self.limits.transactions || self.open_bytes >= self.limits.bytes {
            self.close(actions);
        }
    }

    fn own_uncommitted(&self) -> usize {
        self.usage.get(&self.me).map_or(0, |(batches, _)| *batches)
    }

    /// Closes the open batch and sends it to everybody, once.
    fn close(&mut self, actions: &mut Vec<PoolAction>) {
        self.open_bytes = 0;
        self.overdue = false;
        let transactions = std::mem::take(&mut self.open);
        if transactions.is_empty() {
            return;
        }
        let batch = Batch::new(transactions).expect("closed before it outgrows the limits");
        let batch = Arc::new(batch);
        if self.hold(batch.clone(), self.me) {
            actions.push(PoolAction::Ready(batch.clone()));
            actions.push(PoolAction::Broadcast(PoolMessage::Batch(batch)));
            self.run_repeat(actions);
        }
    }

    fn hold(&mut self, batch: Arc<Batch>, author: ReplicaId) -> bool {
        let digest = batch.digest();
        if self.held.contains_key(&digest) {
            return false;
        }
        let bytes = encoded_len(&batch);
        let usage = self.usage.entry(author).or_default();
        *usage = (usage.0 + 1, usage.1 + bytes);
        self.held.insert(digest, Held { batch, author, bytes, age: 0 });
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

    /// A peer's message, whose transactions' signatures are checked.
    pub fn on_message(&mut self, from: ReplicaId, message: PoolMessage, actions: &mut Vec<PoolAction>) {
        match message {
            PoolMessage::Batch(batch) => self.on_batch(from, batch, actions),
            PoolMessage::Offer(digests) => {
                let is_news = |digest: &Digest| !self.held.contains_key(digest) && !self.finished.set.contains(digest);
                let missing: Vec<_> = digests.into_inner().into_iter().filter(is_news).collect();
                self.want(missing, from, false, actions);
            }
            PoolMessage::Ask(digests) => {
                for batch in digests.iter().filter_map(|digest| self.get(digest)) {
                    actions.push(PoolAction::Send { to: from, message: PoolMessage::Batch(batch.clone()) });
                }
            }
        }
    }

    fn on_batch(&mut self, from: ReplicaId, batch: Arc<Batch>, actions: &mut Vec<PoolAction>) {
        let needed = self.wanted.get(&batch.digest()).is_some_and(|wanted| wanted.needed);
        let is_welcome = !self.finished.set.contains(&batch.digest()) && self.has_room(from, &batch);
        if (needed || is_welcome) && self.hold(batch.clone(), from) {
            actions.push(PoolAction::Ready(batch));
            self.run_repeat(actions);
        }
    }

    /// Asks for batches that a block needs, `holder` first.
    pub fn need(&mut self, batches: Vec<Digest>, holder: ReplicaId, actions: &mut Vec<PoolAction>) {
        self.want(batches, holder, true, actions);
    }

    fn want(&mut self, batches: Vec<Digest>, from: ReplicaId, needed: bool, actions: &mut Vec<PoolAction>) {
        let mut ask = Vec::new();
        for digest in batches {
            if let Some(wanted) = self.wanted.get_mut(&digest) {
                wanted.needed |= needed;
            } else if needed || self.wanted.len() < MAX_WANTED {
                self.wanted.insert(digest, Wanted { first: from, attempts: 0, needed });
                ask.push(digest);
            }
        }
        self.ask(from, ask, actions);
        self.run_repeat(actions);
    }

    fn ask(&self, to: ReplicaId, digests: Vec<Digest>, actions: &mut Vec<PoolAction>) {
        if to == self.me {
            return;
        }
        for chunk in digests.chunks(DIGESTS) {
            let digests = BoundedVec::new(chunk.to_vec()).expect("a chunk");
            actions.push(PoolAction::Send { to, message: PoolMessage::Ask(digests) });
        }
    }

    /// A timer of this mempool ran out.
    pub fn on_timer(&mut self, timer: PoolTimer, actions: &mut Vec<PoolAction>) {
        match timer {
            PoolTimer::Close if self.own_uncommitted() >= OWN_IN_FLIGHT => self.overdue = true,
            PoolTimer::Close => self.close(actions),
            PoolTimer::Repeat => self.repeat(actions),
        }
    }

    fn run_repeat(&mut self, actions: &mut Vec<PoolAction>) {
        let is_idle = self.held.is_empty() && self.wanted.is_empty();
        if !is_idle && !std::mem::replace(&mut self.repeat_runs, true) {
            actions.push(PoolAction::SetTimer { timer: PoolTimer::Repeat, after: self.limits.repeat_after });
        }
    }

    /// Offers what has waited for a whole interval, oldest senders' limits permitting, and asks the next peer for what is
    /// missing.
    fn repeat(&mut self, actions: &mut Vec<PoolAction>) {
        self.repeat_runs = false;
        if self.overdue {
            self.close(actions);
        }
        let mut old = Vec::new();
        for (digest, held) in &mut self.held {
            held.age = held.age.saturating_add(1);
            if held.age >= AGED {
                old.push((std::cmp::Reverse(held.age), *digest));
            }
        }
        old.sort_unstable();
        let oldest: Vec<_> = old.into_iter().take(DIGESTS).map(|(_, digest)| digest).collect();
        if !oldest.is_empty() {
            actions.push(PoolAction::Broadcast(PoolMessage::Offer(BoundedVec::new(oldest).expect("a chunk"))));
        }
        self.ask_again(actions);
        self.run_repeat(actions);
    }

    fn ask_again(&mut self, actions: &mut Vec<PoolAction>) {
        let size = self.committee.size();
        let mut by_peer: BTreeMap<ReplicaId, Vec<Digest>> = BTreeMap::new();
        // An offer that nobody makes good is forgotten after everybody was asked twice; it will be offered again.
        self.wanted.retain(|_, wanted| wanted.needed || wanted.attempts < 2 * size);
        for (digest, wanted) in &mut self.wanted {
            wanted.attempts += 1;
            let index = (wanted.first.index() + wanted.attempts) % size;
            let peer = self.committee.members().nth(index).expect("an index below the size");
            by_peer.entry(peer).or_default().push(*digest);
        }
        for (peer, digests) in by_peer {
            self.ask(peer, digests, actions);
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

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_crypto::{ClientSecret, conformance};
    use quorate_types::{ChainId, TransactionBody};

    const CLIENT: [u8; 32] = [5; 32];

    fn transaction(nonce: u64) -> Transaction {
        let secret = ClientSecret::from_seed(CLIENT);
        secret.sign(TransactionBody {
            chain: ChainId(Digest::ZERO),
            sender: secret.account(),
            nonce,
            payload: BoundedVec::new(vec![1, 2, 3]).expect("short"),
        })
    }

    fn pool(me: u16) -> Mempool {
        Mempool::new(ReplicaId(me), conformance::committee(4), BatchLimits::default())
    }

    fn ready(actions: &[PoolAction]) -> Vec<Arc<Batch>> {
        let batch =
            |action: &PoolAction| if let PoolAction::Ready(batch) = action { Some(batch.clone()) } else { None };
        actions.iter().filter_map(batch).collect()
    }

    fn nonces(batches: &[Arc<Batch>]) -> Vec<u64> {
        batches.iter().flat_map(|batch| batch.transactions().iter().map(|t| t.body.nonce)).collect()
    }

    fn submit(pool: &mut Mempool, nonce: u64) -> (Result<(), Refused>, Vec<PoolAction>) {
        let mut actions = Vec::new();
        (pool.submit(transaction(nonce), 0, &mut actions), actions)
    }

    fn close(pool: &mut Mempool) -> Vec<PoolAction> {
        let mut actions = Vec::new();
        pool.on_timer(PoolTimer::Close, &mut actions);
        actions
    }

    fn commit(pool: &mut Mempool, batch: &Batch, skipped: &[u64], next: u64) -> Vec<PoolAction> {
        let mut actions = Vec::new();
        let skipped = skipped.iter().map(|nonce| transaction(*nonce).digest()).collect();
        let sender = ClientSecret::from_seed(CLIENT).account();
        pool.on_committed([batch.digest()], &skipped, &[(sender, next)].into(), &mut actions);
        actions
    }

    #[test]
    fn early_transactions_wait_for_their_turn_and_go_out_in_order() {
        let mut pool = pool(0);
        for nonce in [2, 1, 4] {
            assert_eq!(submit(&mut pool, nonce).0, Ok(()));
        }
        assert!(ready(&close(&mut pool)).is_empty(), "nothing can go before nonce 0");
        assert_eq!(submit(&mut pool, 0).0, Ok(()));
        assert_eq!(nonces(&ready(&close(&mut pool))), [0, 1, 2]);
        assert_eq!(submit(&mut pool, 1).0, Err(Refused::NonceTaken { nonce: 1 }));
        assert_eq!(submit(&mut pool, 3).0, Ok(()));
        assert_eq!(nonces(&ready(&close(&mut pool))), [3, 4]);
    }

    #[test]
    fn what_was_skipped_for_its_nonce_goes_out_again_when_its_turn_has_come() {
        let mut pool = pool(0);
        submit(&mut pool, 0).0.expect("first");
        let first = ready(&close(&mut pool)).remove(0);
        submit(&mut pool, 1).0.expect("second");
        let second = ready(&close(&mut pool)).remove(0);
        // The blocks order the batches the wrong way round.
        commit(&mut pool, &second, &[1], 0);
        assert!(ready(&close(&mut pool)).is_empty(), "nonce 0 is not committed yet");
        commit(&mut pool, &first, &[], 1);
        assert_eq!(nonces(&ready(&close(&mut pool))), [1]);
    }

    #[test]
    fn one_author_cannot_fill_the_pool_for_others_and_needed_batches_always_enter() {
        let limits = BatchLimits { batches_per_author: 1, ..BatchLimits::default() };
        let mut pool = Mempool::new(ReplicaId(0), conformance::committee(4), limits);
        let batch = |nonce| Arc::new(Batch::new(vec![transaction(nonce)]).expect("small"));
        let mut take = |from: u16, nonce: u64| {
            let mut actions = Vec::new();
            pool.on_message(ReplicaId(from), PoolMessage::Batch(batch(nonce)), &mut actions);
            ready(&actions).len()
        };
        assert_eq!(take(1, 0), 1);
        assert_eq!(take(1, 1), 0, "over its limit");
        assert_eq!(take(2, 2), 1, "another author has its own");
        pool.need(vec![batch(3).digest()], ReplicaId(1), &mut Vec::new());
        let mut actions = Vec::new();
        pool.on_message(ReplicaId(1), PoolMessage::Batch(batch(3)), &mut actions);
        assert_eq!(ready(&actions).len(), 1, "a block needs it");
    }

    #[test]
    fn an_uncommitted_batch_is_offered_again_and_a_peer_that_lacks_it_gets_it() {
        let (mut ours, mut theirs) = (pool(0), pool(1));
        submit(&mut ours, 0).0.expect("first");
        let batch = ready(&close(&mut ours)).remove(0);
        let mut actions = Vec::new();
        ours.on_timer(PoolTimer::Repeat, &mut actions);
        ours.on_timer(PoolTimer::Repeat, &mut actions);
        let offer = actions.iter().find_map(|action| match action {
            PoolAction::Broadcast(message @ PoolMessage::Offer(_)) => Some(message.clone()),
            _ => None,
        });
        let mut asked = Vec::new();
        theirs.on_message(ReplicaId(0), offer.expect("offered"), &mut asked);
        let Some(PoolAction::Send { to: ReplicaId(0), message }) = asked.first().cloned() else { panic!("{asked:?}") };
        let mut given = Vec::new();
        ours.on_message(ReplicaId(1), message, &mut given);
        assert_eq!(given, [PoolAction::Send { to: ReplicaId(1), message: PoolMessage::Batch(batch) }]);
    }

    #[test]
    fn with_batches_in_flight_the_open_one_grows_until_a_commit() {
        let mut pool = pool(0);
        let mut flying = Vec::new();
        for nonce in 0..4 {
            submit(&mut pool, nonce).0.expect("in order");
            flying.extend(ready(&close(&mut pool)));
        }
        assert_eq!(flying.len(), OWN_IN_FLIGHT);
        for nonce in 4..9 {
            submit(&mut pool, nonce).0.expect("in order");
            assert!(ready(&close(&mut pool)).is_empty());
        }
        let after = commit(&mut pool, &flying[0], &[], 1);
        assert_eq!(nonces(&ready(&after)), [4, 5, 6, 7, 8]);
    }

    #[test]
    fn a_nonce_read_before_a_commit_and_used_after_it_leaves_nothing_waiting_for_ever() {
        let mut pool = pool(0);
        submit(&mut pool, 0).0.expect("first");
        let first = ready(&close(&mut pool)).remove(0);
        commit(&mut pool, &first, &[], 1);
        // Checked when the account's nonce was 0, taken in when it is 1.
        assert_eq!(submit(&mut pool, 1).0, Ok(()));
        assert_eq!(nonces(&ready(&close(&mut pool))), [1]);
        assert_eq!(submit(&mut pool, 0).0, Err(Refused::OldNonce { nonce: 0, next: 1 }));
    }

    #[test]
    fn clients_are_refused_while_nothing_is_committed_and_own_batches_are_at_the_limit() {
        let limits = BatchLimits { transactions: 1, batches_per_author: 3, ..BatchLimits::default() };
        let mut pool = Mempool::new(ReplicaId(0), conformance::committee(4), limits);
        let taken = (0..10).filter(|nonce| submit(&mut pool, *nonce).0.is_ok()).count();
        assert_eq!((taken, pool.status().batches), (3, 3));
    }

    #[test]
    fn early_transactions_of_one_client_do_not_keep_out_anothers_turn() {
        let limits = BatchLimits { waiting: 2, ..BatchLimits::default() };
        let mut pool = Mempool::new(ReplicaId(0), conformance::committee(4), limits);
        assert_eq!(submit(&mut pool, 5).0, Ok(()));
        assert_eq!(submit(&mut pool, 6).0, Ok(()));
        assert_eq!(submit(&mut pool, 7).0, Err(Refused::Full { max: 2 }));
        assert_eq!(submit(&mut pool, 0).0, Ok(()), "its turn has come");
    }

    #[test]
    fn refusals_say_why() {
        let mut pool = pool(0);
        let mut actions = Vec::new();
        assert_eq!(pool.submit(transaction(0), 3, &mut actions), Err(Refused::OldNonce { nonce: 0, next: 3 }));
        let max = BatchLimits::default().parked_per_sender;
        let far = max as u64;
        assert_eq!(submit(&mut pool, far).0, Err(Refused::TooFarAhead { nonce: far, next: 0, max }));
        assert_eq!(submit(&mut pool, far - 1).0, Ok(()));
    }
}
