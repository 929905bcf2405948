//! What this validator's part in decisions costs: fed where messages leave, read by the API and by `/metrics`.

use crate::handle::Costs;
use quorate_consensus::{Keys, Protocol};
use quorate_types::{ReplicaId, View};
use quorate_validator::{Account, GenesisScheme, Wire};
use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

/// The account of one validator.
pub(super) struct Meter<P: Protocol> {
    me: ReplicaId,
    keys: Keys<P::Scheme>,
    account: Mutex<Account>,
    flushes: AtomicU64,
}

impl<P: Protocol> Meter<P> {
    pub(super) fn new(me: ReplicaId, keys: Keys<P::Scheme>) -> Self {
        Self { me, keys, account: Mutex::default(), flushes: AtomicU64::new(0) }
    }

    /// A message leaves, for one or for all others.
    pub(super) fn sent(&self, to: Option<ReplicaId>, wire: &Wire<P::Message>, bytes: usize) {
        let receivers = to.map_or_else(|| self.keys.committee().size().saturating_sub(1), |_| 1);
        self.account().sent(self.me, receivers, wire, bytes, &self.keys);
    }

    /// A block of this view is committed.
    pub(super) fn committed(&self, view: View) {
        self.account().committed(view);
    }

    /// The journal was made durable so often.
    pub(super) fn flushed(&self, times: u64) {
        self.flushes.store(times, Ordering::Relaxed);
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<P: Protocol<Scheme: GenesisScheme>> Meter<P> {
    /// The account so far.
    pub(super) fn read(&self) -> Costs {
        let (operations, flushes) = (self.keys.scheme.operations(), self.flushes.load(Ordering::Relaxed));
        let account = self.account();
        Costs {
            lines: account.lines(),
            decided_views: account.decided_views(),
            failed_views: account.failed_views(),
            operations,
            flushes,
        }
    }
}
