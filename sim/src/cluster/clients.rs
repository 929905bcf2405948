//! Honest clients: they sign, hand in, and hand in again elsewhere until it has taken effect.

use super::{Cluster, events::Event, faults::Which};
use crate::{SimProtocol, checker::Chain, node::TurnedAway};
use quorate_crypto::ClientSecret;
use quorate_ledger::{KvOp, Outcome};
use quorate_types::{Account, BoundedVec, Digest, ReplicaId, Transaction, TransactionBody, encode};
use quorate_validator::TransactionChecks;
use std::{collections::BTreeMap, sync::OnceLock};

/// How many clients there are.
pub(crate) const CLIENTS: usize = 6;
/// What each has at first, where the application knows balances.
const BALANCE: u64 = 1_000;
/// Transactions of one client that are handed in again at a time.
const RETRIED: usize = 64;

/// Why a transaction could not be handed in.
pub type SubmitError = TurnedAway;

/// All clients of a cluster.
pub(crate) struct Clients {
    checks: TransactionChecks,
    /// As votes are symbolic, so are the signatures of these clients: nobody verifies them, and what was not signed here has
    /// none that anybody takes for good.
    are_symbolic: bool,
    is_kv: bool,
    next_nonce: [u64; CLIENTS],
    /// What was handed in and is not known to have taken effect, oldest first.
    open: Vec<Vec<(Digest, Transaction)>>,
    retries: usize,
}

/// Keys cost more than a simulated second: they are the same in all clusters.
fn secrets() -> &'static [ClientSecret] {
    static SECRETS: OnceLock<Vec<ClientSecret>> = OnceLock::new();
    let secret = |index: usize| ClientSecret::from_seed([u8::try_from(index + 200).expect("few clients"); 32]);
    SECRETS.get_or_init(|| (0..CLIENTS).map(secret).collect())
}

impl Clients {
    pub(super) fn new(checks: TransactionChecks, are_symbolic: bool, is_kv: bool) -> Self {
        Self { checks, are_symbolic, is_kv, next_nonce: [0; CLIENTS], open: vec![Vec::new(); CLIENTS], retries: 0 }
    }

    pub(super) fn accounts() -> BTreeMap<Account, u64> {
        secrets().iter().map(|secret| (secret.account(), BALANCE)).collect()
    }

    /// Signs a client's next transaction, which it will hand in until it has taken effect.
    fn sign(&mut self, client: usize, payload: Vec<u8>) -> Transaction {
        let transaction = self.sign_next(client, payload);
        self.next_nonce[client] += 1;
        self.open[client].push((transaction.digest(), transaction.clone()));
        transaction
    }

    fn sign_next(&self, client: usize, payload: Vec<u8>) -> Transaction {
        let (secret, nonce) = (&secrets()[client], self.next_nonce[client]);
        let payload = BoundedVec::new(payload).expect("simulated payloads are short");
        let body = TransactionBody { chain: self.checks.chain(), sender: secret.account(), nonce, payload };
        if !self.are_symbolic {
            return secret.sign(body);
        }
        let transaction = Transaction { body, signature: [0; 64] };
        self.checks.vouch_for(&transaction);
        transaction
    }

    /// Whether everything that was handed in has taken effect.
    pub(super) fn is_done(&self, chain: &Chain) -> bool {
        self.open.iter().flatten().all(|(digest, _)| chain.placed(digest).is_some())
    }

    /// Forgets what has taken effect.
    fn prune(&mut self, chain: &Chain) {
        self.open.iter_mut().for_each(|open| open.retain(|(digest, _)| chain.placed(digest).is_none()));
    }
}

impl<P: SimProtocol> Cluster<P> {
    /// The first client signs these, in this order, and hands them in at a running replica that chance picks. If the
    /// application is `kv`, each is put under itself as key.
    pub fn submit<T: AsRef<[u8]>>(&mut self, payloads: impl IntoIterator<Item = T>) {
        let running: Vec<_> = self.running().collect();
        let at = self.rng.pick(&running).copied().unwrap_or(ReplicaId(0));
        self.submit_at(at, payloads);
    }

    /// The first client hands these in at this replica. If it is down, the client tries again later, elsewhere.
    pub fn submit_at<T: AsRef<[u8]>>(&mut self, at: impl Into<Which>, payloads: impl IntoIterator<Item = T>) {
        let at = at.into().0;
        for payload in payloads {
            let payload = self.payload(payload.as_ref());
            let transaction = self.clients.sign(0, payload);
            let _turned_away = self.hand_in(at, transaction);
        }
    }

    /// A client asks for something of the key-value store, at this replica.
    pub fn submit_op(&mut self, client: usize, at: impl Into<Which>, op: &KvOp) {
        self.submit_op_at_all(client, &[at.into().0], op);
    }

    /// A client asks for something of the key-value store, at these replicas.
    pub fn submit_op_at_all(&mut self, client: usize, at: &[ReplicaId], op: &KvOp) {
        let transaction = self.clients.sign(client % CLIENTS, encode(op));
        for at in at {
            let _turned_away = self.hand_in(*at, transaction.clone());
        }
    }

    /// A client that lies asks for two things with one nonce, of which at most one may take effect, and for neither again.
    pub fn double_spend(&mut self, client: usize, ops: [(ReplicaId, &KvOp); 2]) {
        let client = client % CLIENTS;
        for (at, op) in ops {
            let transaction = self.clients.sign_next(client, encode(op));
            let _turned_away = self.hand_in(at, transaction);
        }
        self.clients.next_nonce[client] += 1;
    }

    /// The account of a client.
    pub fn client(&self, client: usize) -> Account {
        secrets()[client % CLIENTS].account()
    }

    fn payload(&self, payload: &[u8]) -> Vec<u8> {
        if !self.clients.is_kv {
            return payload.to_vec();
        }
        let key = BoundedVec::new(payload.to_vec()).expect("a short key");
        encode(&KvOp::Put { key, value: BoundedVec::new(payload.to_vec()).expect("a short value") })
    }

    /// Hands in any transaction, of an honest client or not, and says how it was received. Nobody hands it in again.
    pub fn hand_in(&mut self, at: impl Into<Which>, transaction: Transaction) -> Result<(), SubmitError> {
        let (at, mut result) = (at.into().0, Err(TurnedAway::Down));
        if self.is_paused(at) {
            return result;
        }
        let hash = transaction.digest();
        self.with(at, |process, outs| result = process.submit(transaction, outs));
        self.tell_submitted(at, &hash, &result);
        result
    }

    /// What became of everything that took effect, in order.
    pub fn effects(&self) -> &[Transaction] {
        self.checkers.chain.effects()
    }

    /// What a transaction did, if it took effect.
    pub fn outcome(&self, transaction: &Digest) -> Option<Outcome> {
        self.checkers.chain.placed(transaction).map(|placed| placed.outcome)
    }

    pub(super) fn clients_retry(&mut self) {
        let Some(every) = self.timing.retry else { return };
        self.queue.post(self.queue.now() + every, Event::ClientsRetry);
        self.clients.prune(&self.checkers.chain);
        let running: Vec<_> = self.running().collect();
        if running.is_empty() {
            return;
        }
        self.clients.retries += 1;
        for client in 0..CLIENTS {
            let at = running[(self.clients.retries + client) % running.len()];
            let open: Vec<_> = self.clients.open[client].iter().take(RETRIED).map(|(_, tx)| tx.clone()).collect();
            for transaction in open {
                let _known_already = self.hand_in(at, transaction);
            }
        }
    }
}
