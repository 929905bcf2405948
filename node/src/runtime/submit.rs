//! Transactions from clients: checked, handed to the mempool, and, for those who wait, followed until they are committed.

use super::{
    consensus::Event,
    ingress::Job,
    jobs::{Jobs, Lane},
};
use crate::handle::{NodeLedger, RejectCode, Submission, Submitted, Wait};
use quorate_consensus::{Protocol, Refused};
use quorate_ledger::{Outcome, SkipCode, Tip, TxError};
use quorate_types::{Digest, Height, Transaction};
use quorate_validator::{Committed, TransactionChecks};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, RwLock, mpsc},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc as async_mpsc, oneshot};

/// Clients that wait for a commit at a time; beyond that they are told to come back.
const MAX_WAITERS: usize = 100_000;

/// Transactions of one client that are checked together, at most: waking a thread costs more than looking at one, and a peer's vote waits
/// for the signatures of so many (0.3 ms).
const TOGETHER: usize = 8;
/// Such groups that are on their way to the mempool: consensus has no more of them before a vote than that.
const GROUPS: usize = 16;

/// Why a transaction is not taken.
pub(super) type Refusal = (RejectCode, String);
/// What became of a transaction at the door.
pub(super) type Taken = Result<(), Refusal>;
/// A transaction that may be pooled, and its sender's next nonce.
pub(super) type CheckedTransaction = Result<(Transaction, u64), Refusal>;

/// Checks transactions and passes them to the consensus thread.
pub(super) struct Intake {
    pub(super) tip: Arc<RwLock<Tip>>,
    pub(super) transactions: TransactionChecks,
}

impl Intake {
    pub(super) fn take<P: Protocol>(
        &self,
        transactions: Vec<Transaction>,
        respond: oneshot::Sender<Vec<Taken>>,
        room: OwnedSemaphorePermit,
        consensus: &mpsc::Sender<Event<P>>,
    ) {
        let nonces = transactions.iter().map(|transaction| self.check(transaction)).collect::<Vec<_>>();
        let checked = transactions.into_iter().zip(nonces).map(|(transaction, nonce)| Ok((transaction, nonce?)));
        let checked: Vec<CheckedTransaction> = checked.collect();
        if checked.iter().all(Result::is_err) {
            let _gone_client = respond.send(checked.into_iter().map(|checked| checked.map(drop)).collect());
            return;
        }
        // If the consensus thread has ended, so has what the client waits for.
        let _stopped = consensus.send(Event::Submit { checked, respond, room });
    }

    fn check(&self, transaction: &Transaction) -> Result<u64, Refusal> {
        let account_nonce = {
            let tip = self.tip.read().unwrap_or_else(PoisonError::into_inner);
            tip.admit(transaction).map_err(|error| (code(&error), error.to_string()))?;
            tip.account(&transaction.body.sender).nonce
        };
        self.transactions.check(transaction).map_err(|error| (RejectCode::BadSignature, error.to_string()))?;
        Ok(account_nonce)
    }
}

fn stopping() -> Refusal {
    (RejectCode::Stopping, "the validator is stopping".to_owned())
}

/// Why the mempool has not taken a transaction.
pub(super) fn refusal(refused: Refused) -> Refusal {
    let code = match refused {
        Refused::OldNonce { .. } => RejectCode::OldNonce,
        Refused::NonceTaken { .. } => RejectCode::Conflicting,
        Refused::TooFarAhead { .. } => RejectCode::FutureNonce,
        Refused::Full { .. } => RejectCode::Busy,
    };
    (code, refused.to_string())
}

fn code(error: &TxError) -> RejectCode {
    match error {
        TxError::WrongChain { .. } => RejectCode::WrongChain,
        TxError::OldNonce { .. } => RejectCode::OldNonce,
        _ => RejectCode::MalformedPayload,
    }
}

/// Who waits for which transaction.
#[derive(Debug, Default)]
pub(super) struct Waiters(Mutex<BTreeMap<Digest, Vec<Waiter>>>);

type Waiter = oneshot::Sender<(Height, Outcome)>;

impl Waiters {
    fn wait(&self, transaction: Digest) -> Option<oneshot::Receiver<(Height, Outcome)>> {
        let mut waiters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiters.len() >= MAX_WAITERS {
            return None;
        }
        let (sender, receiver) = oneshot::channel();
        waiters.entry(transaction).or_default().push(sender);
        Some(receiver)
    }

    fn forget(&self, transaction: &Digest) {
        let mut waiters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(list) = waiters.get_mut(transaction) {
            list.retain(|waiter| !waiter.is_closed());
            if list.is_empty() {
                waiters.remove(transaction);
            }
        }
    }

    /// Tells those who wait for transactions in these blocks. A transaction that was skipped because its turn had not
    /// come goes out again: its client waits on.
    pub(super) fn committed(&self, committed: &Committed) {
        let mut waiters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for block in &committed.blocks {
            let height = block.block.header.height;
            for (transaction, outcome) in &block.outcomes {
                if *outcome == Outcome::Skipped(SkipCode::FutureNonce) {
                    continue;
                }
                for waiter in waiters.remove(transaction).unwrap_or_default() {
                    let _gone_client = waiter.send((height, *outcome));
                }
            }
        }
    }
}

/// Serves submissions until the handle is gone.
pub(super) async fn serve(
    mut submissions: async_mpsc::Receiver<Submission>,
    jobs: Jobs<Job>,
    waiters: Arc<Waiters>,
    ledger: Arc<RwLock<NodeLedger>>,
) {
    let groups = Arc::new(Semaphore::new(GROUPS));
    while let Some(submission) = submissions.recv().await {
        let (jobs, waiters, ledger, groups) = (jobs.clone(), waiters.clone(), ledger.clone(), groups.clone());
        tokio::spawn(async move {
            let Submission { transactions, wait, respond } = submission;
            let waiting = |transaction: &Transaction| {
                let digest = transaction.digest();
                (digest, if wait == Wait::Committed { waiters.wait(digest) } else { None })
            };
            let mut pending = Vec::new();
            let mut transactions = transactions.into_iter().peekable();
            while transactions.peek().is_some() {
                let transactions: Vec<_> = transactions.by_ref().take(TOGETHER).collect();
                let waiting: Vec<_> = transactions.iter().map(waiting).collect();
                let (respond, taken) = oneshot::channel();
                let room = groups.clone().acquire_owned().await.expect("it is never closed");
                jobs.push(Lane::Clients, Job::Transactions { transactions, respond, room });
                pending.push((waiting, taken));
            }
            let mut results = Vec::new();
            for (waiting, taken) in pending {
                let mut taken = taken.await.unwrap_or_default().into_iter();
                for (digest, commit) in waiting {
                    let taken = taken.next().unwrap_or_else(|| Err(stopping()));
                    results.push(follow(digest, taken, commit, wait, &waiters, &ledger).await);
                }
            }
            let _gone_client = respond.send(results);
        });
    }
}

async fn follow(
    digest: Digest,
    taken: Taken,
    commit: Option<oneshot::Receiver<(Height, Outcome)>>,
    wait: Wait,
    waiters: &Waiters,
    ledger: &Arc<RwLock<NodeLedger>>,
) -> Submitted {
    if let Err((code, why)) = taken {
        drop(commit);
        waiters.forget(&digest);
        // A client that sends again what is committed already is answered with its block.
        let before = if code == RejectCode::OldNonce { committed_before(ledger.clone(), digest).await } else { None };
        return match before {
            Some((height, outcome)) => Submitted::Committed { height, outcome },
            None => Submitted::Rejected { code, why },
        };
    }
    match (wait, commit) {
        (Wait::Committed, Some(commit)) => match commit.await {
            Ok((height, outcome)) => Submitted::Committed { height, outcome },
            Err(_) => Submitted::Rejected { code: RejectCode::Stopping, why: stopping().1 },
        },
        (Wait::Committed, None) => {
            let why = "too many clients wait for commits; it is accepted, ask for it by its digest".to_owned();
            Submitted::Rejected { code: RejectCode::Busy, why }
        }
        (Wait::None | Wait::Accepted, _) => Submitted::Accepted,
    }
}

async fn committed_before(ledger: Arc<RwLock<NodeLedger>>, digest: Digest) -> Option<(Height, Outcome)> {
    let look = move || {
        let ledger = ledger.read().unwrap_or_else(PoisonError::into_inner);
        ledger.transaction(&digest).ok().flatten().map(|record| (record.height, record.outcome))
    };
    tokio::task::spawn_blocking(look).await.ok().flatten()
}
