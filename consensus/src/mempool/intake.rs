//! From a client to a batch: in the order of nonces, closed by size or time.

use super::{Mempool, PoolAction, PoolMessage, PoolTimer, Refused};
use quorate_types::{Account, Batch, Transaction, codec::encoded_len};
use std::sync::Arc;

impl Mempool {
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

    pub(super) fn park(&mut self, transaction: Transaction) {
        let (sender, nonce) = (transaction.body.sender, transaction.body.nonce);
        if self.parked.entry(sender).or_default().insert(nonce, transaction).is_none() {
            self.parked_count += 1;
        }
    }

    /// Moves parked transactions whose turn has come into the open batch.
    pub(super) fn release(&mut self, sender: Account, account_nonce: u64, actions: &mut Vec<PoolAction>) {
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

    /// Closes the open batch and sends it to everybody, once.
    pub(super) fn close(&mut self, actions: &mut Vec<PoolAction>) {
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
}
