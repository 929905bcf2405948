//! The clients of a scenario: as in the simulator they sign at given times, hand in at the validator named, and hand in again elsewhere
//! what has not taken effect.

use crate::{
    client::{Api, payload},
    handle::Wait,
    testnet::{accounts, prepare::Prepared},
};
use futures::future::join_all;
use quorate_crypto::ClientSecret;
use quorate_sim::campaign::{Load, LoadKind};
use quorate_types::{Account, BoundedVec, ChainId, ReplicaId, Transaction, TransactionBody};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// Transactions of one client that are handed in again at a time.
const RETRIED: usize = 64;
/// A validator that has not answered by then is not waited for.
const PATIENCE: Duration = Duration::from_secs(3);

/// All clients.
pub(super) struct Clients {
    chain: ChainId,
    is_kv: bool,
    apis: Vec<Api>,
    secrets: Vec<ClientSecret>,
    books: Mutex<Vec<Book>>,
}

/// What one client has signed.
#[derive(Default)]
struct Book {
    next: u64,
    /// What is not known to have taken effect, by nonce.
    open: BTreeMap<u64, Transaction>,
    signed: u64,
}

impl Clients {
    pub(super) fn new(prepared: &Prepared, apis: Vec<Api>, load: &[Load]) -> Self {
        let count = load.iter().map(|load| load.client + 1).max().unwrap_or(0);
        let secrets: Vec<_> = (0..).take(count).map(|index| accounts::derived(&prepared.client, index)).collect();
        let books = Mutex::new(secrets.iter().map(|_| Book::default()).collect());
        Self { chain: prepared.genesis.chain_id(), is_kv: prepared.manifest.app == "kv", apis, secrets, books }
    }

    /// Does what the load says, when it says it; then, for ever, hands in again what has not taken effect. Ends with the task.
    pub(super) async fn act(self: Arc<Self>, load: Vec<Load>, began: Instant, retry_every: Duration) {
        let (mut under_way, mut turn) = (JoinSet::new(), 0);
        let mut retry = tokio::time::interval_at((began + retry_every).into(), retry_every);
        let mut load = load.into_iter().peekable();
        loop {
            let due = load.peek().map(|load| began + load.at);
            let next = async {
                match due {
                    Some(due) => tokio::time::sleep_until(due.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = next => {
                    if let Some(load) = load.next() {
                        let clients = Arc::clone(&self);
                        under_way.spawn(async move { clients.hand_in_once(&load).await });
                    }
                }
                _ = retry.tick() => {
                    turn += 1;
                    let clients = Arc::clone(&self);
                    under_way.spawn(async move { clients.hand_in_again(turn).await });
                }
                Some(_) = under_way.join_next() => {}
            }
        }
    }

    /// How many transactions were signed.
    pub(super) fn signed(&self) -> u64 {
        self.books().iter().map(|book| book.signed).sum()
    }

    /// Whether everything that was signed has taken effect at this validator.
    pub(super) async fn all_took_effect_at(&self, replica: ReplicaId) -> bool {
        let next: Vec<_> = self.books().iter().map(|book| book.next).collect();
        let api = &self.apis[replica.index()];
        let asked = self.secrets.iter().map(|secret| next_nonce(api, secret.account()));
        let nonces = join_all(asked).await;
        nonces.iter().zip(next).all(|(nonce, next)| nonce.is_some_and(|nonce| nonce >= next))
    }

    async fn hand_in_once(&self, load: &Load) {
        let transaction = self.sign(load, 0);
        match load.kind {
            LoadKind::Once => self.hand_in(load.replica, &transaction).await,
            LoadKind::Twice(other) => {
                tokio::join!(self.hand_in(load.replica, &transaction), self.hand_in(other, &transaction));
            }
            LoadKind::DoubleSpend(other) => {
                let second = self.sign_at(load, transaction.body.nonce, 1);
                tokio::join!(self.hand_in(load.replica, &transaction), self.hand_in(other, &second));
            }
        }
    }

    /// Signs the client's next transaction. A liar hands none of two in again.
    fn sign(&self, load: &Load, variant: u64) -> Transaction {
        let nonce = {
            let mut books = self.books();
            let book = &mut books[load.client];
            book.next += 1;
            book.signed += 1;
            book.next - 1
        };
        let transaction = self.sign_at(load, nonce, variant);
        if !matches!(load.kind, LoadKind::DoubleSpend(_)) {
            self.books()[load.client].open.insert(nonce, transaction.clone());
        }
        transaction
    }

    fn sign_at(&self, load: &Load, nonce: u64, variant: u64) -> Transaction {
        let secret = &self.secrets[load.client];
        let payload = self.operation(load.client, nonce, variant);
        let payload = BoundedVec::new(payload).expect("an operation on a short key is short");
        secret.sign(TransactionBody { chain: self.chain, sender: secret.account(), nonce, payload })
    }

    /// Few keys, so that operations meet.
    fn operation(&self, client: usize, nonce: u64, variant: u64) -> Vec<u8> {
        let turn = nonce + client as u64;
        let (key, value) = (format!("k{}", turn % 5), format!("{client}/{nonce}/{variant}"));
        if !self.is_kv {
            return value.into_bytes();
        }
        let made = match turn % 7 {
            0 => payload::delete(key.as_bytes()),
            1 => payload::compare_and_swap(key.as_bytes(), None, Some(value.into_bytes())),
            2 => Ok(payload::transfer(self.secrets[(client + 1) % self.secrets.len()].account(), 300)),
            _ => payload::put(key.as_bytes(), value.as_bytes()),
        };
        made.expect("key and value are short")
    }

    async fn hand_in(&self, at: ReplicaId, transaction: &Transaction) {
        let api = &self.apis[at.index() % self.apis.len()];
        let _turned_away = tokio::time::timeout(PATIENCE, api.submit(transaction, Wait::None)).await;
    }

    /// Each client asks one validator, each time another one, what has taken effect, and hands in the rest there.
    async fn hand_in_again(&self, turn: usize) {
        join_all((0..self.secrets.len()).map(|client| self.hand_in_rest(client, turn + client))).await;
    }

    async fn hand_in_rest(&self, client: usize, turn: usize) {
        let at = ReplicaId(u16::try_from(turn % self.apis.len()).expect("a committee is small"));
        let account = self.secrets[client].account();
        let Some(next) = next_nonce(&self.apis[at.index()], account).await else { return };
        let rest: Vec<_> = {
            let mut books = self.books();
            let book = &mut books[client];
            book.open = book.open.split_off(&next);
            book.open.values().take(RETRIED).cloned().collect()
        };
        for transaction in rest {
            self.hand_in(at, &transaction).await;
        }
    }

    fn books(&self) -> MutexGuard<'_, Vec<Book>> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn next_nonce(api: &Api, account: Account) -> Option<u64> {
    let answer = tokio::time::timeout(PATIENCE, api.account(&account)).await;
    Some(answer.ok()?.ok()?.nonce)
}
